"""Asking a teacher for the answers that its label store lacks: as they come, resumable, within a budget."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from coffey.core.clock import monotonic
from coffey.core.errors import BudgetExhausted, LabelRejected
from coffey.core.ids import input_key
from coffey.core.progress import Progress, Silent
from coffey.core.settings import TeacherSettings
from coffey.teacher.answers import are_independent, checked
from coffey.teacher.budget import Meter
from coffey.teacher.keys import KeyIndex, Keys, pack_keys
from coffey.teacher.parts import in_parts
from coffey.teacher.protocol import (
    Answered,
    FeatureTeacher,
    Probabilities,
    SentenceFeatures,
    SizingTeacher,
    StreamingTeacher,
    Teacher,
)
from coffey.teacher.purse import Purse
from coffey.teacher.skips import SKIPPED, SkipLog
from coffey.teacher.spending import Gathering, Spent
from coffey.teacher.store import LabelStore

if TYPE_CHECKING:
    from coffey.teacher.features import FeatureKeeper

TASK = "label"
WINDOW = 4096
"""Texts held at once: enough that sorting by length leaves little padding, whatever their total."""

UNPAID = Purse()
"""No price, no limit, and nothing is noted."""

Batch = dict[str, str]
"""Key → text."""


@dataclass(frozen=True, slots=True)
class AskReport:
    """What one run of `ask` did."""

    labels: int
    """Distinct inputs of this run that are answered now: all but the skipped."""
    asked: int
    """Distinct inputs that the teacher was asked in this run."""
    cached: int
    """Distinct inputs that were answered before."""
    duplicates: int
    """Inputs whose text had come before in the same run."""
    seconds: float
    """The whole run."""
    teacher_seconds: float
    """The part in which the teacher worked."""
    usd: float | None
    """What was spent in this run; None when no price is configured."""
    usd_note: str
    """Where `usd` comes from."""
    digest: str
    """Digest of the set key → answer of this run's inputs, whatever their order and the shards."""
    skipped: int = 0
    """Distinct inputs that the teacher gave no usable answer to, and was told to skip."""


def ask(
    teacher: Teacher,
    store: LabelStore,
    texts: Iterable[str],
    *,
    batch_size: int = 32,
    purse: Purse = UNPAID,
    progress: Progress | None = None,
    features: FeatureKeeper | None = None,
    window: int = WINDOW,
) -> AskReport:
    """Ask for every text that `store` does not answer yet; each answer is committed when it is there.

    A teacher that answers batch by batch is asked the same batches in every run over the same input, but for
    those that were interrupted; so a run that was killed and resumed ends with the very same bytes as one
    that was not. With a limit and a price, no batch is begun that is expected to exceed the limit, together
    with what is under way. What is spent is noted before the answers are committed (see `Gathering`). What
    was skipped before is asked again.

    Args:
        teacher: who is asked.
        store: where answers are kept.
        texts: read once, `window` at a time; duplicates are asked once.
        batch_size: texts begun at once.
        purse: what it is paid from.
        progress: hears about every text that has an answer.
        features: keeps the features of what is asked, where the teacher shows them in the same pass.
        window: texts that are sorted by length together.

    Raises:
        BudgetExhausted: says what was spent and how many inputs are left.
        TeacherUnavailable: as the teacher says; a local teacher is not asked twice.
        LabelRejected: an answer that is no distribution over the labels; or the teacher skipped some inputs
            (all others are answered and kept).
        StoreUnavailable: the disk is full, or the like.
    """
    skips = SkipLog(store.folder / SKIPPED)
    run = _Run(teacher, store, purse, progress or Silent(), skips, features=features)
    report = _report(run, texts, batch_size=batch_size, window=window)
    if report.skipped:
        found = f"malformed answers to {report.skipped} input(s); the other {report.labels} are kept"
        raise LabelRejected(teacher.source, "a label for every input", found)
    return report


def ask_skipping(
    teacher: Teacher,
    store: LabelStore,
    texts: Iterable[str],
    *,
    batch_size: int = 32,
    purse: Purse = UNPAID,
    progress: Progress | None = None,
    features: FeatureKeeper | None = None,
    window: int = WINDOW,
) -> AskReport:
    """As `ask`, for callers that go on without the inputs that the teacher skipped; they are counted.

    What it skipped in an earlier run is not asked again.
    """
    skips = SkipLog(store.folder / SKIPPED)
    run = _Run(teacher, store, purse, progress or Silent(), skips, skips.keys(), features=features)
    return _report(run, texts, batch_size=batch_size, window=window)


def ask_as_told(
    teacher: Teacher,
    store: LabelStore,
    texts: Iterable[str],
    *,
    settings: TeacherSettings,
    purse: Purse,
    progress: Progress,
    features: FeatureKeeper | None = None,
) -> AskReport:
    """As `[teacher]` says: in its batches, and without the malformed answers where those are skipped."""
    chosen = ask_skipping if settings.asking.malformed == "skip" else ask
    return chosen(
        teacher,
        store,
        texts,
        batch_size=settings.batch_size,
        purse=purse,
        progress=progress,
        features=features,
    )


def _report(run: _Run, texts: Iterable[str], *, batch_size: int, window: int) -> AskReport:
    """Carry a run through and count what it did."""
    began = monotonic()
    run.progress.start(TASK, len(texts) if isinstance(texts, Sized) else None, "inputs")
    with run.noted, run.features or nullcontext():
        run.answer(run.batches(texts, batch_size=batch_size, window=window))
    run.progress.finish(TASK, run.summary())
    answered = run.answered()
    return AskReport(
        labels=len(answered),
        asked=run.asked,
        cached=len(answered) - run.asked,
        duplicates=run.texts - len(run.inputs),
        seconds=monotonic() - began,
        teacher_seconds=run.meter.seconds,
        usd=run.meter.usd,
        usd_note=run.meter.note,
        digest=run.store.digest(answered),
        skipped=len(run.skipped),
    )


class _Run:
    """The counters of one run."""

    def __init__(
        self,
        teacher: Teacher,
        store: LabelStore,
        purse: Purse,
        progress: Progress,
        skips: SkipLog,
        skipped_before: frozenset[str] = frozenset(),
        *,
        features: FeatureKeeper | None = None,
    ) -> None:
        self.teacher = teacher
        self.store = store
        self.meter = Meter(purse.price, teacher)
        self.noted = Gathering(purse.spending)
        self.features = features
        self.progress = progress
        self.inputs = KeyIndex()
        self.texts = 0
        self.asked = 0
        self.skipped: list[str] = []
        self._skips = skips
        self._skipped_before = skipped_before
        self._limit_usd = purse.limit_usd
        self._under_way: dict[str, str] = {}  # text → key

    def summary(self) -> str:
        """One line for whoever watched."""
        known = len(self.inputs) - self.asked - len(self.skipped)
        skipped = f", {len(self.skipped)} skipped" if self.skipped else ""
        return f"{self.asked} asked, {known} cached{skipped}"

    def answered(self) -> Keys:
        """The keys of this run's inputs that have an answer."""
        keys = self.inputs.keys()
        return keys[~np.isin(keys, pack_keys(self.skipped))] if self.skipped else keys

    def batches(self, texts: Iterable[str], *, batch_size: int, window: int) -> Iterator[Batch]:
        """The batches that are missing, found one window at a time, when the window is reached."""
        for part in in_parts(texts, window):
            self.texts += len(part)
            new = self._new(part)
            lacking = self.store.missing(list(new))
            missing = set(lacking) - self._skipped_before
            self.skipped += [key for key in lacking if key not in missing]
            self.progress.advance(TASK, len(part) - len(missing))
            if missing:
                sizes = sizes_of(self.teacher, list(new.values()))
                yield from plan_batches(new, missing, sizes, batch_size=batch_size)

    def answer(self, batches: Iterator[Batch]) -> None:
        """Ask the batches and commit every answer that comes.

        Raises:
            BudgetExhausted: before the first batch that would exceed the limit.
        """
        while (batch := next(batches, None)) is not None:
            batches = chain([batch], batches)
            if not self._affordable(batch):
                remaining = sum(map(len, batches))
                raise BudgetExhausted(self.meter.usd or 0.0, self._limit_usd or 0.0, remaining)
            held: list[Batch] = []
            for answered in _stream(self.teacher, self._begun(batches, held), self.features is not None):
                self._settle(answered)
            batches = chain(held, batches)

    def _affordable(self, batch: Batch) -> bool:
        if self._limit_usd is None:
            return True
        foreseen = self.meter.expected([*self._under_way, *batch.values()])
        return (self.meter.usd or 0.0) + foreseen <= self._limit_usd

    def _begun(self, batches: Iterator[Batch], held: list[Batch]) -> Iterator[tuple[str, ...]]:
        """The texts of batch after batch, until one is too dear beside what is under way: that is `held`."""
        for batch in batches:
            if not self._affordable(batch):
                held.append(batch)
                return
            self._under_way |= {text: key for key, text in batch.items()}
            yield tuple(batch.values())

    def _settle(self, answered: Answered) -> None:
        """Charge, note and commit what has come."""
        done = (*answered.texts, *answered.skipped)
        self._charge(done, answered)
        keys = {text: self._under_way.pop(text) for text in done}
        named = [keys[text] for text in answered.texts]
        if self.features is not None and answered.features is not None:
            self.features.add(named, answered.features, answered.seconds)
        self.store.append(named, answered.probabilities)
        self.asked += len(answered.texts)
        if skipped := [keys[text] for text in answered.skipped]:
            self._skips.add(skipped)
            self.skipped += skipped
        if done:
            usd = self.meter.usd
            self.progress.advance(TASK, len(done), "" if usd is None else f"{usd:.4f} USD")

    def _charge(self, done: tuple[str, ...], answered: Answered) -> None:
        """A skipped text is paid for, and its price is noted beside the answers that there are."""
        before = self.meter.usd
        self.meter.charge(done, answered.seconds)
        after = self.meter.usd
        usd = None if before is None or after is None else after - before
        self.noted.add(Spent(texts=len(answered.texts), seconds=answered.seconds, usd=usd))

    def _new(self, part: tuple[str, ...]) -> Batch:
        by_key = {input_key(text): text for text in part}
        packed = pack_keys(list(by_key))
        unseen = self.inputs.find(packed) < 0
        self.inputs.add(packed[unseen])
        return {key: text for (key, text), new in zip(by_key.items(), unseen, strict=True) if new}


def _stream(teacher: Teacher, batches: Iterator[tuple[str, ...]], with_features: bool) -> Iterator[Answered]:
    """What the teacher answers, checked and as float32: as it comes, or batch by batch."""
    if isinstance(teacher, StreamingTeacher):
        came = teacher.stream(batches)
    elif with_features and isinstance(teacher, FeatureTeacher):
        came = _in_turn(teacher.predict_with_features, batches)
    else:
        came = _in_turn(lambda batch: (teacher.predict(batch), None), batches)
    labels, independent = len(teacher.labels), are_independent(teacher.header)
    for one in came:
        said = checked(
            teacher.source, one.probabilities, rows=len(one.texts), labels=labels, independent=independent
        )
        yield replace(one, probabilities=said)


def _in_turn(
    say: Callable[[Sequence[str]], tuple[Probabilities, SentenceFeatures | None]],
    batches: Iterable[tuple[str, ...]],
) -> Iterator[Answered]:
    for batch in batches:
        began = monotonic()
        answer, features = say(batch)
        seconds = monotonic() - began
        yield Answered(texts=batch, probabilities=answer, features=features, seconds=seconds)


def sizes_of(teacher: Teacher, texts: Sequence[str]) -> Sequence[int]:
    """What the teacher reads of each text, in tokens where it counts them, else in characters."""
    return teacher.lengths(texts) if isinstance(teacher, SizingTeacher) else [len(text) for text in texts]


def plan_batches(texts: Batch, missing: set[str], sizes: Sequence[int], *, batch_size: int) -> list[Batch]:
    """Batches of at most `batch_size` that cover the missing keys, each of similar sizes.

    All texts are cut into batches by size, answered ones too, so that the cut depends on the input alone.
    A batch of which nothing is answered is asked as it is; what others lack is gathered into new batches.

    Args:
        texts: key → text.
        missing: the keys that are not answered.
        sizes: of `texts`, in their order.
        batch_size: texts a batch, at most.
    """
    by_size = sorted(zip(sizes, texts.items(), strict=True), key=lambda one: (one[0], one[1][0]))
    whole: list[Batch] = []
    scattered: list[tuple[str, str]] = []
    for cut in in_parts((item for _, item in by_size), batch_size):
        lacking = [item for item in cut if item[0] in missing]
        if len(lacking) == len(cut):
            whole.append(dict(cut))
        else:
            scattered.extend(lacking)
    return whole + [dict(cut) for cut in in_parts(scattered, batch_size)]
