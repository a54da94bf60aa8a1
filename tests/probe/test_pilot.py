"""A pilot trains for real on a small task, foresees the full training, and survives an interruption."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import msgspec
import numpy as np
import pytest

from coffey.core.errors import EmptyData, StoreUnavailable
from coffey.core.ids import input_key
from coffey.core.progress import Silent
from coffey.core.settings import ChainSettings
from coffey.dashboard.plain import plain
from coffey.data.split import in_validation
from coffey.distill.answers import answer
from coffey.distill.batches import tokenize
from coffey.distill.chain import run_chain
from coffey.distill.records import ChainRequest
from coffey.economics.pilot_result import PilotResult
from coffey.economics.quality_forecast import Reached
from coffey.probe.pilot import run_pilot
from coffey.probe.pilot_rows import PilotOptions
from coffey.students.checkpoint import load_student

LABELS = ("billing", "delivery", "account")
SYLLABLES = ("ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu", "va")
TELLING = tuple("".join(parts) for parts in product(SYLLABLES, repeat=3))[::14]
"""Made-up words. The n-th tells label n modulo 3 and is drawn with a chance of 1 / n: some are rare."""
FILLERS = ("please", "could", "today", "again", "still", "about", "my", "the", "our", "last", "week", "order")
STAGES = ("layers=1,width=32,heads=1", "layers=1,width=64,heads=2")
OPTIONS = PilotOptions(share=0.25, points=3, measured=300)


def sentences(count: int) -> list[str]:
    """Fillers and one word that tells the label."""
    draw = np.random.default_rng(5)
    chance = 1 / np.arange(1, len(TELLING) + 1)
    made: dict[str, None] = {}
    while len(made) < count:
        words = [*draw.choice(FILLERS, 5), draw.choice(TELLING, p=chance / chance.sum())]
        draw.shuffle(words)
        made[" ".join(words)] = None
    return list(made)


def truth(text: str) -> int:
    return next(TELLING.index(word) % 3 for word in text.split() if word not in FILLERS)


class CountingTeacher:
    """Sure of the right label; notes every text that it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        self.asked.extend(texts)
        return (
            np.full((len(texts), 3), 0.05, np.float32)
            + 0.85 * np.eye(3, dtype=np.float32)[[truth(text) for text in texts]]
        )


class Crash(Exception):
    """Stands for the power cut."""


class CrashAt(Silent):
    """Ends the run at the n-th optimizer step."""

    def __init__(self, step: int) -> None:
        self.left = step

    def advance(self, task: str, amount: float = 1, note: str = "") -> None:
        if "loss" in note:
            self.left -= 1
            if self.left == 0:
                raise Crash


@pytest.fixture(scope="module")
def transfer() -> list[str]:
    return sentences(1200)


@pytest.fixture
def request_for(transfer: list[str], tmp_path: Path) -> Callable[..., ChainRequest]:
    """The transfer set with two candidates; the teacher has not been asked."""
    keys = [input_key(text) for text in transfer]

    def make(**changes: object) -> ChainRequest:
        values: dict[str, object] = {
            "texts": transfer,
            "keys": keys,
            "teacher": np.empty((0, 3), np.float32),
            "hard": np.array([truth(text) for text in transfer]),
            "validation": np.array([in_validation(key, share=0.1, seed=1) for key in keys]),
            "labels": LABELS,
            "stages": STAGES,
            "settings": ChainSettings(
                epochs=5, batch_size=16, max_length=16, threads=1, learning_rate=1e-2, patience=99,
            ),
            "folder": tmp_path / "pilot",
        }  # fmt: skip
        return ChainRequest(**(values | changes))  # type: ignore[arg-type]

    return make


def without_seconds(results: Sequence[PilotResult]) -> object:
    """The results with the times taken out, which no two runs share."""

    def cut(value: object) -> object:
        if isinstance(value, dict):
            return {name: cut(item) for name, item in value.items() if name != "seconds"}
        return [cut(item) for item in value] if isinstance(value, list) else value

    return cut(plain(list(results)))


@pytest.mark.slow
def test_a_pilot_foresees_the_full_training(
    request_for: Callable[..., ChainRequest], transfer: list[str], tmp_path: Path
) -> None:
    """Two sizes are affordable, and draw no law; the forecast is nearer to the truth than the best point."""
    request, teacher = request_for(stages=STAGES[:1]), CountingTeacher()
    (result,) = run_pilot(request, teacher, options=OPTIONS)
    quarter = round((~request.validation).sum() / 4)
    assert [point.rows for point in result.points] == [quarter // 2, quarter]
    assert result.points[-1].agreement.value > result.points[0].agreement.value
    assert result.complete
    assert result.law is None
    assert result.retention is not None
    whole = replace(request, teacher=teacher(transfer), folder=tmp_path / "full")
    saved = load_student(run_chain(whole, progress=Silent()).final.folder)
    fresh = [text for text in sentences(1800) if text not in set(transfer)]
    tokenized = tokenize(saved.tokenizer, fresh, max_length=16)
    said = answer(saved.student, tokenized, np.arange(len(fresh))).argmax(axis=1)
    actual = float(np.mean(said == [truth(text) for text in fresh]))
    best = result.points[-1].agreement.value
    assert abs(result.agreement.value - actual) <= abs(best - actual)
    assert result.agreement.low - 0.02 <= actual <= result.agreement.high + 0.02


@pytest.mark.slow
def test_a_pilot_that_was_interrupted_ends_with_the_same_result(
    request_for: Callable[..., ChainRequest], tmp_path: Path
) -> None:
    """Killed within a training and between two, it goes on; what is finished is not trained again."""
    whole = run_pilot(request_for(folder=tmp_path / "whole"), CountingTeacher(), options=OPTIONS)
    request = request_for()
    for step in (10, 60):
        with pytest.raises(Crash):
            run_pilot(request, CountingTeacher(), options=OPTIONS, progress=CrashAt(step))
    resumed = run_pilot(request, CountingTeacher(), options=OPTIONS)
    assert without_seconds(resumed) == without_seconds(whole)
    again = run_pilot(request, CountingTeacher(), options=OPTIONS, progress=CrashAt(1))
    assert again == resumed


def test_other_inputs_are_another_pilot(request_for: Callable[..., ChainRequest]) -> None:
    """Other answers or another seed train anew beside what is kept."""
    options = replace(OPTIONS, points=1)
    request = request_for(stages=STAGES[:1])
    run_pilot(request, CountingTeacher(), options=options)
    for changed, ask in (
        (request, lambda texts: CountingTeacher()(texts)[:, ::-1]),
        (replace(request, settings=replace(request.settings, seed=3)), CountingTeacher()),
    ):
        with pytest.raises(Crash):
            run_pilot(changed, ask, options=options, progress=CrashAt(1))


def test_only_the_pilots_rows_are_asked(request_for: Callable[..., ChainRequest]) -> None:
    """A quarter to train on, the validation split, 300 to measure on: each once, for all candidates."""
    teacher, request = CountingTeacher(), request_for()
    small, large = run_pilot(request, teacher, options=replace(OPTIONS, points=1, epochs=2))
    assert len(teacher.asked) == len(set(teacher.asked)) == small.asked == large.asked
    kept = int(request.validation.sum())
    assert small.asked == round((len(request.texts) - kept) / 4) + kept + OPTIONS.measured
    assert [result.name for result in (small, large)] == list(STAGES)
    assert small.params < large.params
    assert small.agreement.note.endswith("raise chain.epochs")


@pytest.mark.slow
def test_the_budget_ends_a_pilot_after_the_smallest_subsets(
    request_for: Callable[..., ChainRequest],
) -> None:
    """With no time to spend, every candidate has one point, says so, and has a wide interval."""
    request = request_for()
    short = run_pilot(request, CountingTeacher(), options=replace(OPTIONS, seconds=0.0))
    assert [len(result.points) for result in short] == [1, 1]
    assert not any(result.complete for result in short)
    assert all(result.law is None for result in short)
    long = run_pilot(request, CountingTeacher(), options=replace(OPTIONS, seconds=1e6))
    assert all(result.complete for result in long)
    for before, after in zip(short, long, strict=True):
        widths = [made.agreement.high - made.agreement.low for made in (before, after)]
        assert widths[0] > widths[1]


def test_earlier_runs_move_the_forecast(request_for: Callable[..., ChainRequest]) -> None:
    """Ten runs that ended 5 points under their forecast of agreement lower the next one, and no retention."""
    request, options = request_for(stages=STAGES[:1]), replace(OPTIONS, points=1)
    (first,) = run_pilot(request, CountingTeacher(), options=options)
    assert first.agreement.uncorrected is not None
    assert first.agreement.uncorrected.value == first.agreement.value
    pair = Reached.of(first.agreement, first.agreement.value - 0.05)
    assert pair is not None
    (second,) = run_pilot(request, CountingTeacher(), options=options, history=[pair] * 10)
    assert first.agreement.value - 0.05 < second.agreement.value < first.agreement.value - 0.02
    assert "10 earlier" in second.agreement.note
    assert second.retention == first.retention


def test_without_hard_labels_agreement_is_all_there_is(request_for: Callable[..., ChainRequest]) -> None:
    """No label in the data: no accuracy, no retention; a result survives its file."""
    (result,) = run_pilot(
        request_for(hard=None, stages=STAGES[:1]), CountingTeacher(), options=replace(OPTIONS, points=1)
    )
    assert result.retention is None
    assert result.points[0].accuracy is result.points[0].retention is None
    assert msgspec.convert(json.loads(json.dumps(plain(result))), PilotResult) == result


def test_what_cannot_be_piloted_is_refused(request_for: Callable[..., ChainRequest], tmp_path: Path) -> None:
    """Answers of another shape; a kept point that was damaged."""
    request = request_for(stages=STAGES[:1])
    with pytest.raises(EmptyData, match="shape"):
        run_pilot(request, lambda texts: np.ones((1, 3), np.float32), options=OPTIONS)
    run_pilot(request, CountingTeacher(), options=replace(OPTIONS, points=1))
    (point,) = request.folder.glob("*/point.json")
    point.write_text("{")
    with pytest.raises(StoreUnavailable, match="remove the file"):
        run_pilot(request, CountingTeacher(), options=replace(OPTIONS, points=1))
