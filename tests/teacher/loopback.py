"""A real ASGI server on the loopback interface that follows a script."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import uvicorn


@dataclass(frozen=True)
class Response:
    """What the server does with one request."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    """Time that it takes."""
    lost_bytes: int = 0
    """Bytes that the header promises and that never come."""


def completion(*said: str, tokens: dict[str, float] | None = None, **more: object) -> Response:
    """A well-formed response; `tokens` are probabilities of first tokens, the likeliest being the answer."""
    content = None
    if tokens is not None:
        entries = [{"token": token, "logprob": math.log(p)} for token, p in tokens.items()]
        first = max(entries, key=lambda entry: entry["logprob"])
        content, said = [first | {"top_logprobs": entries}], (first["token"],)
    choices = [
        {"message": {"content": text}, "finish_reason": "stop", "logprobs": content and {"content": content}}
        for text in said
    ]
    usage = {"prompt_tokens": 10, "completion_tokens": len(said)}
    body = {"model": "little", "choices": choices, "usage": usage} | more
    return Response(json.dumps(body).encode())


def failure(status: int, message: str = "no", code: str | None = None, **headers: str) -> Response:
    """An error as OpenAI words it."""
    body = json.dumps({"error": {"message": message, "code": code}}).encode()
    return Response(body, status, {name.replace("_", "-"): value for name, value in headers.items()})


Script = Callable[[int, dict[str, Any]], Response]
"""The number of a request (from 0) and its body, to what is done with it."""


class Endpoint:
    """A running server, with all the requests that it has got."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.most_at_once = 0
        self.mistakes: list[Exception] = []
        self._at_once = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"
        config = uvicorn.Config(self._app, interface="asgi3", lifespan="off", ws="none", log_level="critical")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Die: no connection is taken any more, and those that are open break off."""
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(10)
        self._socket.close()

    def asked(self) -> list[str]:
        """The text of every request, in the order in which they came."""
        return [body["messages"][-1]["content"] for body in self.bodies]

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] != "/v1/chat/completions":
            await _send(send, failure(404, "no such path"))
            return
        content = b""
        while (message := await receive())["type"] == "http.request":
            content += message.get("body", b"")
            if not message.get("more_body"):
                break
        number = len(self.bodies)
        self.bodies.append(json.loads(content))
        self.headers.append({name.decode(): value.decode() for name, value in scope["headers"]})
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            response = await asyncio.to_thread(self.script, number, self.bodies[number])
            await asyncio.sleep(response.seconds)
        except Exception as exc:
            self.mistakes.append(exc)
            raise
        finally:
            self._at_once -= 1
        await _send(send, response)


async def _send(send: Any, response: Response) -> None:
    length = str(len(response.body) + response.lost_bytes)
    headers = {"content-type": "application/json", "content-length": length} | response.headers
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": raw})
    await send({"type": "http.response.body", "body": response.body})


@contextlib.contextmanager
def serving(script: Script) -> Iterator[Endpoint]:
    """A server for the time of a test."""
    endpoint = Endpoint(script)
    try:
        yield endpoint
    finally:
        endpoint.stop()
        if endpoint.mistakes:
            raise endpoint.mistakes[0]
