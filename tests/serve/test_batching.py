from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from coffey.artifact.encoding import Encoded
from coffey.artifact.predictor import Predictor
from coffey.artifact.signing import Trust
from coffey.core.clock import monotonic
from coffey.core.errors import NotReady, Overloaded
from coffey.serve.batching import GROUP, Batcher, Found
from coffey.serve.limits import DeadlineExceeded, QueueTooSlow
from coffey.serve.swap import Models


class Recorded:
    """A real predictor that notes its batches and threads, may take its time, and fails on one word."""

    def __init__(self, inner: Predictor, seconds: float = 0.0) -> None:
        self.inner = inner
        self.seconds = seconds
        self.batches: list[int] = []
        self.threads: set[str] = set()
        self.digest = inner.digest
        self.labels = inner.labels
        self.scoring = inner.scoring

    def encode(self, texts: Sequence[str]) -> Encoded:
        self.batches.append(len(texts))
        self.threads.add(threading.current_thread().name)
        time.sleep(self.seconds)
        if "poison" in texts:
            raise RuntimeError("poisoned")
        return self.inner.encode(texts)

    def probabilities(self, encoded: Encoded) -> np.ndarray:
        return self.inner.probabilities(encoded)


@pytest.fixture
def model(artifact: Path, trust: Trust) -> Predictor:
    return Predictor.load(artifact, trust=trust)


def test_a_lone_request_is_computed_at_once_in_the_loop(model: Predictor) -> None:
    """After the model is known to be quick, an idle server uses neither queue nor thread."""
    recorded = Recorded(model)

    async def run() -> None:
        batcher = Batcher(lambda: recorded, inline_seconds=1.0)
        await batcher.run(["hello"])  # measured in the thread
        recorded.threads.clear()
        found = await batcher.run(["where is the parcel"])
        assert found.model is recorded
        np.testing.assert_allclose(found.probabilities, model.predict(["where is the parcel"]), atol=1e-6)
        batcher.close()

    asyncio.run(run())
    assert recorded.threads == {"MainThread"}


def test_what_comes_one_at_a_time_need_not_be_awaited(model: Predictor) -> None:
    """From the second lone request on; not while others are in the server, nor for the one after those."""
    waiting = 1

    async def run() -> None:
        nonlocal waiting
        batcher = Batcher(lambda: model, begun=lambda: waiting, inline_seconds=1.0)
        assert batcher.run_at_once(["hello"]) is None
        await batcher.run(["hello"])  # measured in the thread
        await batcher.run(["hello"])
        found = batcher.run_at_once(["where is the parcel"])
        assert found is not None
        np.testing.assert_allclose(found.probabilities, model.predict(["where is the parcel"]), atol=1e-6)
        assert batcher.run_at_once(["hello"], deadline=monotonic() - 1) is None
        assert batcher.run_at_once(["hello"]) is not None
        waiting = 2
        assert batcher.run_at_once(["hello"]) is None
        waiting = 1
        assert batcher.run_at_once(["hello"]) is None
        await batcher.run(["hello"])
        assert batcher.run_at_once(["hello"]) is not None
        batcher.close()

    asyncio.run(run())


def test_a_slow_model_never_holds_the_loop(model: Predictor) -> None:
    """A model whose runs are long computes in the worker thread only, while the loop goes on."""
    recorded = Recorded(model, seconds=0.02)
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.001)
            ticks += 1

    async def run() -> None:
        batcher = Batcher(lambda: recorded)
        ticking = asyncio.create_task(tick())
        for _ in range(5):
            await batcher.run(["hello"])
        ticking.cancel()
        batcher.close()

    asyncio.run(run())
    assert recorded.threads == {"batch"}
    assert ticks >= 10


def test_what_waits_is_taken_together_up_to_the_limit(model: Predictor) -> None:
    """While a batch runs the next one gathers; none is larger than `max_batch`, each answer is its own."""
    recorded = Recorded(model, seconds=0.02)
    texts = ["hello", "where is the parcel", "i want my money back", "good morning"] * 5

    async def run() -> list[np.ndarray]:
        batcher = Batcher(lambda: recorded, max_batch=3)
        found = await asyncio.gather(*(batcher.run([text]) for text in texts))
        assert batcher.queued == 0
        batcher.close()
        return [one.probabilities for one in found]

    found = asyncio.run(run())
    assert sum(recorded.batches) == 20
    assert max(recorded.batches) == 3
    np.testing.assert_allclose(np.concatenate(found), model.predict(texts), atol=1e-5)


def test_a_large_request_lets_small_ones_pass(model: Predictor) -> None:
    """After each of its batches a request goes to the back of the queue, so small ones need not wait."""
    recorded = Recorded(model, seconds=0.01)
    order: list[str] = []

    async def ask(batcher: Batcher, name: str, texts: list[str]) -> np.ndarray:
        found = await batcher.run(texts)
        order.append(name)
        return found.probabilities

    async def run() -> None:
        batcher = Batcher(lambda: recorded, max_batch=4, max_queue=100)
        texts = [f"hello {word}" for word in ("i", "want", "my", "money")] * 5
        large = asyncio.create_task(ask(batcher, "large", texts))
        await asyncio.sleep(0)
        await asyncio.gather(*(ask(batcher, "small", ["hello"]) for _ in range(3)))
        np.testing.assert_allclose(await large, model.predict(texts), atol=1e-5)
        batcher.close()

    asyncio.run(run())
    assert order == ["small", "small", "small", "large"]


def test_a_full_queue_refuses_with_a_time_to_try_again(model: Predictor) -> None:
    """More than `max_queue` waiting texts: Overloaded, and those that wait are still answered."""
    recorded = Recorded(model, seconds=0.02)

    async def run() -> None:
        batcher = Batcher(lambda: recorded, max_batch=1, max_queue=3)
        found = await asyncio.gather(*(batcher.run(["hello"]) for _ in range(8)), return_exceptions=True)
        refused = [exc for exc in found if isinstance(exc, Overloaded)]
        assert len(refused) == 5
        assert all(exc.retry_after_s >= 1 for exc in refused)
        assert sum(isinstance(item, Found) for item in found) == 3
        await batcher.run(["hello"])
        batcher.close()

    asyncio.run(run())


def test_a_text_that_fails_takes_no_other_with_it(model: Predictor) -> None:
    """When a batch fails each request in it is run alone, so that only the culprit is refused."""
    recorded = Recorded(model, seconds=0.01)

    async def run() -> None:
        batcher = Batcher(lambda: recorded, max_batch=8)
        texts = [["hello"], ["poison"], ["parcel"], ["poison"], ["good", "morning"]]
        found = await asyncio.gather(*(batcher.run(text) for text in texts), return_exceptions=True)
        assert [isinstance(item, RuntimeError) for item in found] == [False, True, False, True, False]
        with pytest.raises(RuntimeError, match="poisoned"):
            await batcher.run(["poison"] * 20)
        assert batcher.queued == 0
        await batcher.run(["hello"])
        batcher.close()

    asyncio.run(run())


def test_a_request_is_answered_by_one_model_throughout(
    make_artifact: Callable[..., Path], trust: Trust
) -> None:
    """A swap in the middle of a large request: all of it is the old model's, the next the new one's."""
    old, new = (Recorded(Predictor.load(make_artifact(s), trust=trust), 0.01) for s in (1, 2))
    models = Models()
    models.change(old)
    texts = ["hello", "where is the parcel"] * 10

    async def run() -> None:
        batcher = Batcher(models.serving, max_batch=4)
        large = asyncio.create_task(batcher.run(texts))
        await asyncio.sleep(0.015)
        models.change(new)
        small = [asyncio.create_task(batcher.run(["hello"])) for _ in range(3)]
        found = await large
        assert found.model is old
        np.testing.assert_allclose(found.probabilities, old.inner.predict(texts), atol=1e-5)
        for task in small:
            found = await task
            assert found.model is new
            np.testing.assert_allclose(found.probabilities, new.inner.predict(["hello"]), atol=1e-5)
        batcher.close()

    asyncio.run(run())
    assert sum(old.batches) == 20


def test_without_a_model_requests_are_refused() -> None:
    """NotReady, queued or not."""

    async def run() -> None:
        batcher = Batcher(Models().serving)
        with pytest.raises(NotReady):
            await batcher.run(["hello"])
        assert batcher.queued == 0
        batcher.close()

    asyncio.run(run())


def test_a_batch_is_run_in_groups_of_similar_length(model: Predictor) -> None:
    """Short and long texts that came together are answered as each would be alone, short with short."""
    recorded = Recorded(model)
    lengths: list[set[int]] = []

    def encode(texts: Sequence[str]) -> Encoded:
        lengths.append({len(text) for text in texts})
        return model.encode(texts)

    recorded.encode = encode
    texts = ["hello", "where is the parcel now please"] * GROUP

    async def run() -> Found:
        batcher = Batcher(lambda: recorded)
        found = await batcher.run(texts)
        batcher.close()
        return found

    found = asyncio.run(run())
    assert lengths == [{len("hello")}, {len("where is the parcel now please")}]
    np.testing.assert_allclose(found.probabilities, model.predict(texts), atol=1e-5)


def test_who_waits_in_vain_is_refused_and_not_run(model: Predictor) -> None:
    """A deadline that passes in the queue: DeadlineExceeded; the model has not seen the text."""
    recorded = Recorded(model, seconds=0.05)
    seen: list[str] = []
    encode = recorded.encode
    recorded.encode = lambda texts: (seen.extend(texts), encode(texts))[1]

    async def run() -> None:
        batcher = Batcher(lambda: recorded, max_batch=1)
        first = asyncio.create_task(batcher.run(["hello"]))
        await asyncio.sleep(0.01)
        late = batcher.run(["late"], deadline=monotonic() + 0.01)  # nothing is known of the run yet
        with pytest.raises(DeadlineExceeded):
            await late
        await first
        with pytest.raises(DeadlineExceeded):
            await batcher.run(["late"], deadline=monotonic() - 1)
        assert batcher.queued == 0
        await batcher.run(["hello"], deadline=monotonic() + 60)
        batcher.close()

    asyncio.run(run())
    assert seen == ["hello", "hello"]


def test_who_would_wait_too_long_is_refused_at_once(model: Predictor) -> None:
    """By the time that what waits is expected to take, for the server's limit and for the request's own."""
    recorded = Recorded(model, seconds=0.05)

    async def run() -> None:
        batcher = Batcher(lambda: recorded, max_batch=1, max_wait_s=0.12)
        await batcher.run(["hello"])  # now the batcher knows how long a text takes
        taken = [asyncio.create_task(batcher.run(["hello"])) for _ in range(2)]
        await asyncio.sleep(0.005)
        assert batcher.expected_wait_s() > 0.05
        with pytest.raises(QueueTooSlow, match="x-request-timeout-ms"):
            await batcher.run(["hello"], deadline=monotonic() + 0.02)
        taken.append(asyncio.create_task(batcher.run(["hello"])))
        await asyncio.sleep(0.001)
        with pytest.raises(QueueTooSlow, match="max_queue_ms") as refused:
            await batcher.run(["hello"])
        assert refused.value.retry_after_s >= 1
        await asyncio.gather(*taken)
        assert batcher.expected_wait_s() == 0
        batcher.close()

    asyncio.run(run())
