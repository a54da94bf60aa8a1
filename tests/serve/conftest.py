"""A tiny real model (ONNX graph, WordPiece tokenizer, signed artifact) and a real server on loopback."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, pre_tokenizers

from coffey.artifact.manifest import (
    LABELS,
    MODEL,
    TOKENIZER,
    Expected,
    Lineage,
    Manifest,
    Quantization,
)
from coffey.artifact.runtime import Runtime
from coffey.artifact.signing import Signer, Trust
from coffey.artifact.write import write_artifact
from coffey.core.records import Interval, Quality

NAMES = ("refund", "delivery", "greeting")
SENTENCE = "i want my money back where is the parcel hello good morning please now"
WORDS = ["[PAD]", "[UNK]", *SENTENCE.split()]
WIDTH = 8


def tiny_graph(seed: int, width: int = WIDTH, hidden: int = 0) -> bytes:
    """Mean of word vectors, then a linear classifier; `hidden` adds a wide layer that costs time."""
    random = np.random.default_rng(seed)

    def tensor(name: str, *shape: int) -> object:
        return numpy_helper.from_array(random.normal(0, 1, shape).astype(np.float32), name)

    nodes = [
        helper.make_node("Gather", ["vectors", "input_ids"], ["embedded"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["mask3"]),
        helper.make_node("Mul", ["embedded", "mask3"], ["masked"]),
    ]
    weights = [tensor("vectors", len(WORDS), width), tensor("head", width, len(NAMES))]
    weights.append(numpy_helper.from_array(np.array([2], dtype=np.int64), "last"))
    weights.append(numpy_helper.from_array(np.array([1], dtype=np.int64), "tokens"))
    deep = "masked"
    if hidden:
        weights += [tensor("up", width, hidden), tensor("down", hidden, width)]
        nodes.append(helper.make_node("MatMul", [deep, "up"], ["wide"]))
        nodes.append(helper.make_node("MatMul", ["wide", "down"], ["narrow"]))
        nodes.append(helper.make_node("Tanh", ["narrow"], ["bounded"]))
        deep = "bounded"
    nodes += [
        helper.make_node("ReduceSum", [deep, "tokens"], ["sum"], keepdims=0),
        helper.make_node("ReduceSum", ["mask3", "tokens"], ["count"], keepdims=0),
        helper.make_node("Div", ["sum", "count"], ["features"]),
        helper.make_node("MatMul", ["features", "head"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"])
            for name in ("input_ids", "attention_mask")
        ],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", len(NAMES)]),
            helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", width]),
        ],
        weights,
    )
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    ).SerializeToString()


def tiny_tokenizer() -> bytes:
    tokenizer = Tokenizer(
        models.WordPiece({word: index for index, word in enumerate(WORDS)}, unk_token="[UNK]")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return tokenizer.to_str().encode()


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    Signer.open(folder)
    return folder


@pytest.fixture(scope="session")
def trust(keys: Path) -> Trust:
    return Trust.of(keys)


@pytest.fixture(scope="session")
def make_artifact(keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Builds a signed artifact; `lies` puts wrong answers into its examples."""

    def make(seed: int = 1, *, hidden: int = 0, lies: bool = False) -> Path:
        graph, tokenizer = tiny_graph(seed, hidden=hidden), tiny_tokenizer()
        runtime = Runtime(model=graph, tokenizer=tokenizer, labels=NAMES, max_length=64)
        found = runtime.predict(["i want my money back"])[0].tolist()
        one = Interval(1.0, 1.0, 1.0)
        manifest = Manifest(
            name="tiny",
            task="text-classification",
            labels=len(NAMES),
            max_length=64,
            files={},
            params=len(WORDS) * WIDTH,
            params_without_embeddings=WIDTH * len(NAMES),
            lineage=Lineage(
                teacher="none",
                teacher_source="none",
                teacher_params=None,
                label_digest="none",
                created="2026-01-01T00:00:00.000Z",
            ),
            quality=Quality(examples=1, agreement=one),
            quantization=Quantization(variant="fp32", parity_texts=1, variants=()),
            examples=(Expected("i want my money back", tuple(found[::-1] if lies else found)),),
        )
        files = {MODEL: graph, TOKENIZER: tokenizer, LABELS: json.dumps(NAMES).encode()}
        root = tmp_path_factory.getbasetemp() / "artifacts"
        return write_artifact(root, manifest, files, Signer.open(keys))

    return make


@pytest.fixture(scope="session")
def artifact(make_artifact: Callable[..., Path]) -> Path:
    return make_artifact(1)


@dataclass
class Running:
    """A server process."""

    process: subprocess.Popen[bytes]
    port: int
    alias: Path
    """A file that holds the path of the artifact to serve."""
    root: Path
    """The store."""
    stderr: Path

    def stop(self, number: int = signal.SIGTERM, timeout: float = 20.0) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout)

    def events(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.stderr.read_text().splitlines()]


MAIN = Path(__file__).with_name("serve_main.py")


@contextmanager
def servers(folder: Path, keys: Path, artifact: Path) -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def start(
        *, absent: bool = False, prepare: Callable[[Path], None] | None = None, **options: object
    ) -> Running:
        alias, root, stderr = folder / "champion", folder / "store", folder / f"stderr{len(started)}"
        if not absent:
            alias.write_text(str(artifact))
        if prepare is not None:
            prepare(root)
        whole = {"alias": str(alias), "root": str(root), "keys": str(keys), **options}
        with stderr.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, str(MAIN), json.dumps(whole)],
                stdout=subprocess.PIPE,
                stderr=file,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, stderr.read_text()
        running = Running(process, json.loads(line)["port"], alias, root, stderr)
        started.append(running)
        return running

    yield start
    for running in started:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait()
        assert running.process.stdout is not None
        running.process.stdout.close()


@pytest.fixture
def serve(keys: Path, artifact: Path, tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Starts server processes; `options` are written as JSON for `serve_main.py`."""
    with servers(tmp_path, keys, artifact) as start:
        yield start


@pytest.fixture(scope="module")
def serve_for_module(
    keys: Path, artifact: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Running]]:
    """As `serve`, for servers that all tests of a module leave as they are."""
    with servers(tmp_path_factory.mktemp("server"), keys, artifact) as start:
        yield start


@pytest.fixture(scope="module")
def server(serve_for_module: Callable[..., Running]) -> Running:
    """One server for all tests of a module that leave it as it is."""
    return serve_for_module(settings={"max_body_bytes": 2000, "max_inputs": 4, "max_text_chars": 100})


@dataclass
class Response:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        return json.loads(self.body)


Ask = Callable[..., Response]


@pytest.fixture(scope="session")
def ask() -> Ask:
    """`ask(port, method, path, body)`: one request on a connection of its own."""

    def ask(port: int, method: str, path: str, body: object = None, **headers: str) -> Response:
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, data, named)
            response = connection.getresponse()
            return Response(
                response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
            )
        finally:
            connection.close()

    return ask


@dataclass
class Load:
    """Clients on keep-alive connections, each asking again as soon as it has its answer."""

    port: int
    clients: int = 6
    body: bytes = b'{"input": "i want my money back"}'
    statuses: list[int] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Load:
        self.threads = [threading.Thread(target=self._client) for _ in range(self.clients)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        for thread in self.threads:
            thread.join(30)

    def wait_for(self, answers: int) -> None:
        until = len(self.statuses) + answers
        for _ in range(6000):
            if len(self.statuses) >= until or self.failures:
                return
            threading.Event().wait(0.005)
        raise AssertionError(f"{len(self.statuses)} answers, {until} were awaited")

    def _client(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            while not self.stopped.is_set():
                connection.request("POST", "/v1/predict", self.body)
                response = connection.getresponse()
                answer = json.loads(response.read())
                self.statuses.append(response.status)
                if response.status == 200:
                    self.ids.append(answer["id"])
                    self.models.append(answer["model"])
                if response.getheader("connection") == "close":
                    return  # the server is leaving: the next request is for another one
        except (OSError, http.client.HTTPException, ValueError) as exc:
            self.failures.append(f"{type(exc).__name__}: {exc}")
        finally:
            connection.close()


@pytest.fixture(scope="session")
def load() -> type[Load]:
    return Load
