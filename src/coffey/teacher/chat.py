"""Chat completions over HTTP: paced, sent again when that may help, stopped together when it cannot."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass

import httpx
import msgspec

from coffey.core.clock import monotonic, unix_now
from coffey.core.errors import TeacherUnavailable
from coffey.core.settings import EndpointSettings
from coffey.teacher.completion import Completion, read_completion
from coffey.teacher.lanes import Lanes
from coffey.teacher.pacing import Pace
from coffey.teacher.retrying import AGAIN, Backoff, retry_after_s
from coffey.teacher.usage import Usage

_SHOWN = 200
"""Characters of an endpoint's own message that are repeated."""


class Stopped(Exception):
    """Not sent, because something else failed for good."""


class Errand:
    """A number of requests that end together when one of them fails for good."""

    def __init__(self) -> None:
        self._over = asyncio.Event()

    def end(self) -> None:
        """Let nothing further be sent."""
        self._over.set()

    async def pause(self, seconds: float) -> None:
        """Wait, but no longer than the errand lasts.

        Raises:
            Stopped: it is over.
        """
        if seconds > 0 and not self._over.is_set():
            await asyncio.wait([task := asyncio.ensure_future(self._over.wait())], timeout=seconds)
            task.cancel()
        if self._over.is_set():
            raise Stopped


@dataclass(frozen=True, slots=True)
class _Failure:
    """A request that failed but may succeed the next time."""

    reason: str
    asked_s: float | None = None


class ChatClient:
    """One endpoint. Its methods are called from one event loop."""

    def __init__(self, source: str, settings: EndpointSettings, key: str | None) -> None:
        """`source` is the model, for messages; `settings.url` is set."""
        self.usage = Usage()
        self._source = source
        self._settings = settings
        self._url = f"{(settings.url or '').rstrip('/')}/chat/completions"
        self._requests = Pace(settings.requests_per_minute)
        self._tokens = Pace(settings.tokens_per_minute)
        self._under_way = asyncio.Semaphore(settings.concurrency)
        self._backoff = Backoff()
        self._jitter = random.Random()  # waiting times only: nothing that is kept depends on it
        self._lanes = Lanes(timeout_s=settings.timeout_s, key=key)

    async def complete(self, body: Mapping[str, object], expected: Usage, errand: Errand) -> Completion:
        """The answer to one request, within `deadline_s` and `retries`.

        Args:
            body: the request.
            expected: tokens that it is expected to use, for the rate limit and where none are reported.
            errand: what it belongs to.

        Raises:
            TeacherUnavailable: it cannot be answered; says why and what to do.
            Stopped: the errand ended first.
        """
        deadline = monotonic() + self._settings.deadline_s
        content = msgspec.json.encode(body)
        failures = 0
        while True:
            found = await self._once(content, expected, errand)
            if isinstance(found, Completion):
                return found
            failures += 1
            delay = self._backoff.delay_s(failures, self._jitter.random(), asked_s=found.asked_s)
            self._give_up(found, failures, late=monotonic() + delay > deadline)
            self.usage += Usage(retries=1)
            await errand.pause(delay)

    async def close(self) -> None:
        """Close the connections."""
        await self._lanes.close()

    def _give_up(self, failure: _Failure, failures: int, *, late: bool) -> None:
        settings = self._settings
        if failures > settings.retries:
            tries = f"{failures} times in a row (teacher.endpoint.retries = {settings.retries})"
            raise TeacherUnavailable(self._source, f"{failure.reason}, {tries}")
        if late:
            asked = f", and asks to wait {failure.asked_s:g} s" if failure.asked_s else ""
            limit = f"teacher.endpoint.deadline_s = {settings.deadline_s:g} leaves no time to ask again"
            raise TeacherUnavailable(self._source, f"{failure.reason}{asked}; {limit}")

    async def _once(self, content: bytes, expected: Usage, errand: Errand) -> Completion | _Failure:
        tokens = expected.input_tokens + expected.output_tokens
        async with self._under_way:
            now = monotonic()
            await errand.pause(max(self._requests.reserve(1, now), self._tokens.reserve(tokens, now)))
            try:
                async with asyncio.timeout(self._settings.timeout_s), self._lanes.one() as lane:
                    response = await lane.post(self._url, content=content)
            except (TimeoutError, httpx.TimeoutException):
                limit = f"teacher.endpoint.timeout_s = {self._settings.timeout_s:g}"
                return _Failure(f"{self._url} sent no answer within {limit}")
            except httpx.InvalidURL as exc:
                raise TeacherUnavailable(self._source, f"{self._url} is no URL ({exc})") from exc
            except httpx.RequestError as exc:
                return _Failure(f"{self._url} cannot be reached or broke off ({_words(exc)})")
        return self._settle(response, expected)

    def _settle(self, response: httpx.Response, expected: Usage) -> Completion | _Failure:
        if response.status_code != httpx.codes.OK:
            return self._failed(response)
        found = read_completion(response.content)
        if isinstance(found, str):
            return _Failure(f"{self._url} answered, but {found}")
        counted = found.usage
        used = Usage(
            requests=1,
            input_tokens=counted.prompt_tokens if counted else expected.input_tokens,
            output_tokens=counted.completion_tokens if counted else expected.output_tokens,
        )
        self.usage += used
        self._tokens.correct(
            used.input_tokens + used.output_tokens - expected.input_tokens - expected.output_tokens
        )
        return found

    def _failed(self, response: httpx.Response) -> _Failure:
        said, code = _message(response)
        status = f"{response.status_code} {response.reason_phrase}".strip()
        reason = f"{self._url} answered {status}{said}"
        # OpenAI answers 429 as well when the account has no money left; waiting does not mend that.
        if response.status_code not in AGAIN or code == "insufficient_quota":
            raise TeacherUnavailable(self._source, f"{reason}. {self._advice(response.status_code)}")
        asked = retry_after_s(response.headers.get("retry-after"), unix_s=unix_now())
        if asked:
            self._requests.hold(monotonic() + asked)
        return _Failure(reason, asked)

    def _advice(self, status: int) -> str:
        variable = self._settings.api_key_env
        if status in (401, 403):
            if variable is None:
                return "No key was sent: name the variable that holds it in teacher.endpoint.api_key_env"
            return f"Look at the key in the environment variable {variable}, and at what it may use"
        advice = {
            404: f"Look at teacher.endpoint.url, and whether it serves the model {self._source!r}",
            400: "Look at teacher.asking: a setting that the endpoint does not take, or too long a text",
            429: "The account's quota is used up",
        }
        return advice.get(status, "Sending it again would not help")


def _words(exc: Exception) -> str:
    return f"{type(exc).__name__}: {exc}".rstrip(": ")


def _message(response: httpx.Response) -> tuple[str, str | None]:
    """What an error response says, ready to be appended, and its code."""
    try:
        error = response.json()["error"]
        text, code = (error["message"], error.get("code")) if isinstance(error, dict) else (str(error), None)
    except (ValueError, KeyError, TypeError):
        text, code = response.text, None
    line = " ".join(str(text).split())[:_SHOWN]
    return (f" ({line})" if line else ""), code
