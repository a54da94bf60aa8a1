from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest

from coffey.artifact.signing import Trust
from coffey.core.errors import ArtifactError, DigestMismatch, NotReady, UnknownVersion
from coffey.serve.loading import loader
from coffey.serve.swap import Follower, Models, fixed


class Registry:
    """An alias that can be moved, counting loads."""

    def __init__(self, path: Path, trust: Trust) -> None:
        self.path = path
        self.digest: str | None = None
        self.loads: list[str] = []
        self._load = loader(trust=trust, max_batch=2)

    def resolve(self) -> tuple[str, Path]:
        return self.digest or self.path.name, self.path

    def load(self, path: Path):
        self.loads.append(path.name)
        return self._load(path)


def follow(registry: Registry, models: Models, events: list[str], **options) -> Follower:
    def hear(event: str, **details: object) -> None:
        events.append(event)

    return Follower(
        models, resolve=registry.resolve, load=registry.load, events=hear, seconds=0.01, **options
    )


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)


def test_the_alias_is_followed_and_the_previous_model_stays_resident(
    make_artifact: Callable[..., Path], trust: Trust
) -> None:
    """A promotion is served without a restart; the way back needs no loading."""
    first, second = make_artifact(1), make_artifact(2)
    registry, models, events = Registry(first, trust), Models(), []
    follower = follow(registry, models, events)
    follower.first()

    async def run() -> None:
        task = asyncio.create_task(follower.run())
        registry.path = second
        await until(lambda: models.serving().digest == second.name)
        assert models.previous.digest == first.name
        registry.path = first
        await until(lambda: models.serving().digest == first.name)
        task.cancel()

    asyncio.run(run())
    assert registry.loads == [first.name, second.name]
    assert follower.swaps == 2
    assert events == ["model_loaded", "model_swapped", "model_swapped"]


@pytest.mark.parametrize("fault", ["lies", "damaged", "other"])
def test_a_model_that_is_not_fit_leaves_the_old_one_in_service(
    make_artifact: Callable[..., Path], trust: Trust, tmp_path: Path, fault: str
) -> None:
    """Wrong answers to its own examples, a changed byte or another digest: refused, counted, told once."""
    good = make_artifact(1)
    bad = make_artifact(3, lies=fault == "lies")
    if fault == "damaged":
        copy = tmp_path / bad.name
        copy.mkdir()
        for file in bad.iterdir():
            (copy / file.name).write_bytes(file.read_bytes())
        data = bytearray((copy / "model.onnx").read_bytes())
        data[100] ^= 1
        (copy / "model.onnx").write_bytes(data)
        bad = copy
    registry, models, events = Registry(good, trust), Models(), []
    follower = follow(registry, models, events)
    follower.first()

    async def run() -> None:
        task = asyncio.create_task(follower.run())
        registry.path = bad
        registry.digest = "0" * 64 if fault == "other" else None
        await until(lambda: follower.failures >= 2)
        assert models.serving().digest == good.name
        registry.path, registry.digest = good, None
        await until(lambda: follower.last_error is None)
        task.cancel()

    asyncio.run(run())
    assert follower.swaps == 0
    assert events == ["model_loaded", "model_refused"]


def test_a_refused_model_is_tried_again_later_and_not_at_every_look(
    make_artifact: Callable[..., Path], trust: Trust
) -> None:
    """Waits double, so that a broken artifact does not keep the machine busy."""
    now = 0.0
    registry, models = Registry(make_artifact(3, lies=True), trust), Models()
    follower = follow(registry, models, [], clock=lambda: now)
    for _ in range(300):
        with contextlib.suppress(ArtifactError):
            follower.look()
        now += 0.01
    assert 5 <= len(registry.loads) <= 10


def test_the_first_model_must_be_there() -> None:
    """Without a champion the server does not start by itself, and says why."""

    def resolve() -> tuple[str, Path]:
        raise UnknownVersion("champion", [])

    follower = Follower(Models(), resolve=resolve, load=lambda p: None, events=lambda e, **d: None)
    with pytest.raises(UnknownVersion, match="champion"):
        follower.first()


def test_a_fixed_artifact_is_checked_too(make_artifact: Callable[..., Path], trust: Trust) -> None:
    """Serving a folder checks its digest."""
    path = make_artifact(1)
    models = Models()
    with pytest.raises(NotReady):
        models.serving()
    hear = lambda event, **details: None  # noqa: E731
    Follower(models, resolve=fixed(path.name, path), load=loader(trust=trust), events=hear).first()
    assert models.serving().digest == path.name
    with pytest.raises(ArtifactError, match="was expected"):
        Follower(Models(), resolve=fixed("0" * 64, path), load=loader(trust=trust), events=hear).first()
    assert issubclass(DigestMismatch, ArtifactError)


def test_a_new_model_has_answered_recent_requests_before_it_takes_over(
    make_artifact: Callable[..., Path], trust: Trust
) -> None:
    """What was asked last is asked of it, each text alone and all together; the old one answers meanwhile."""
    first, second = make_artifact(1), make_artifact(2)
    registry, models = Registry(first, trust), Models()
    follower = follow(registry, models, [])
    follower.recent = lambda: ["hello", "where is the parcel"]
    asked: list[tuple[str, str, list[str]]] = []
    load = registry.load

    def watched(path: Path):
        model = load(path)
        encode = model.encode

        def note(texts):
            asked.append((model.digest, models.current.digest if models.current else "", list(texts)))
            return encode(texts)

        model.encode = note
        return model

    follower._load = watched
    follower.first()
    asked.clear()
    registry.path = second
    asyncio.run(follower.look_now())
    assert models.serving().digest == second.name
    assert [texts for _, _, texts in asked] == [
        ["hello"],
        ["where is the parcel"],
        ["hello", "where is the parcel"],
    ]
    assert {(digest, answering) for digest, answering, _ in asked} == {(second.name, first.name)}


def test_a_reload_says_which_model_answers_and_tells_the_others(
    make_artifact: Callable[..., Path], trust: Trust
) -> None:
    """Also when nothing changed; a model that is refused is tried again at once, and raises."""
    first, broken = make_artifact(1), make_artifact(3, lies=True)
    registry, models, told = Registry(first, trust), Models(), []
    follower = follow(registry, models, [])
    follower.reloaded = lambda: told.append(models.serving().digest)
    follower.first()
    assert asyncio.run(follower.reload()) == first.name
    assert told == [first.name]
    registry.path = broken
    for _ in range(2):
        with pytest.raises(ArtifactError, match="examples"):
            asyncio.run(follower.reload())
    assert registry.loads == [first.name, broken.name, broken.name]
    assert models.serving().digest == first.name
    assert told == [first.name]
    follower.close()
