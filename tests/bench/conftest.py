"""A server that can stall, a clock that only the tests move, and a tiny signed artifact."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, pre_tokenizers

from coffey.artifact.manifest import LABELS, MODEL, TOKENIZER, Lineage, Manifest, Quantization
from coffey.artifact.signing import Signer, Trust
from coffey.artifact.write import write_artifact
from coffey.core.records import Interval, Quality

STALL_S = 0.4


class StallingServer:
    """Answers every request at once, but blocks wholly for `STALL_S` at one of them."""

    def __init__(self, *, stall_at: int | None, status: str = "200 OK") -> None:
        self._stall_at, self._status = stall_at, status
        self.asked = 0
        self.port = 0

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                await reader.readexactly(length)
                self.asked += 1
                if self.asked == self._stall_at:
                    time.sleep(STALL_S)
                answer = f"HTTP/1.1 {self._status}\r\ncontent-length: 2\r\n\r\n{{}}"
                writer.write(answer.encode())
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    @contextmanager
    def running(self) -> Iterator[StallingServer]:
        loop = asyncio.new_event_loop()

        async def start() -> asyncio.Server:
            return await asyncio.start_server(self._serve, "127.0.0.1", 0)

        server = loop.run_until_complete(start())
        self.port = server.sockets[0].getsockname()[1]
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        try:
            yield self
        finally:
            loop.call_soon_threadsafe(server.close)
            asyncio.run_coroutine_threadsafe(self._settle(), loop).result(5)
            loop.call_soon_threadsafe(loop.stop)
            thread.join(5)
            loop.close()

    async def _settle(self) -> None:
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        await asyncio.wait(tasks, timeout=1) if tasks else None


@pytest.fixture
def stalling_server() -> type[StallingServer]:
    return StallingServer


class FakeClock:
    """Moves by what the tests say, and by a microsecond whenever it is read."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1e-6
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def fake_clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    Signer.open(folder)
    return folder


@pytest.fixture(scope="session")
def trust(keys: Path) -> Trust:
    return Trust.of(keys)


def graph(hidden: int) -> bytes:
    """Word vectors, a layer of `hidden` units that costs time, mean, classifier."""
    random = np.random.default_rng(1)
    weights = [
        numpy_helper.from_array(random.normal(size=shape).astype(np.float32), name)
        for name, shape in (("vectors", (4, 8)), ("up", (8, hidden)), ("down", (hidden, 8)), ("head", (8, 2)))
    ]
    nodes = [
        helper.make_node("Gather", ["vectors", "input_ids"], ["embedded"]),
        helper.make_node("MatMul", ["embedded", "up"], ["wide"]),
        helper.make_node("MatMul", ["wide", "down"], ["narrow"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["mask"], ["share"], axes=[1], keepdims=1),
        helper.make_node("ReduceMean", ["narrow"], ["mean"], axes=[1], keepdims=0),
        helper.make_node("Mul", ["mean", "share"], ["features"]),
        helper.make_node("MatMul", ["features", "head"], ["logits"]),
    ]
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"])
        for name in ("input_ids", "attention_mask")
    ]
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", width])
        for name, width in (("logits", 2), ("features", 8))
    ]
    model = helper.make_model(
        helper.make_graph(nodes, "tiny", inputs, outputs, weights),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    return bytes(model.SerializeToString())


@pytest.fixture(scope="session")
def make_artifact(keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    def make(*, hidden: int = 8, params: int = 100) -> Path:
        words = {"[PAD]": 0, "[UNK]": 1, "yes": 2, "no": 3}
        tokenizer = Tokenizer(models.WordPiece(words, unk_token="[UNK]"))
        tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
        manifest = Manifest(
            name="tiny",
            task="text-classification",
            labels=2,
            max_length=32,
            files={},
            params=params,
            params_without_embeddings=16,
            lineage=Lineage(
                teacher="none", teacher_source="none", teacher_params=None, label_digest="none",
                created="2026-01-01T00:00:00.000Z",
            ),
            quality=Quality(examples=1, agreement=Interval(1.0, 1.0, 1.0)),
            quantization=Quantization(variant="fp32", parity_texts=1, variants=()),
        )  # fmt: skip
        files = {MODEL: graph(hidden), TOKENIZER: tokenizer.to_str().encode(), LABELS: b'["a", "b"]'}
        return write_artifact(
            tmp_path_factory.mktemp("artifacts"), manifest, files=files, signer=Signer.open(keys)
        )

    return make
