"""Asking a teacher for the answers that its label store lacks: streamed, resumable, within a budget."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from dataclasses import dataclass

from coffey.core.clock import monotonic
from coffey.core.errors import BudgetExhausted
from coffey.core.ids import input_key
from coffey.core.progress import Progress, Silent
from coffey.teacher.answers import checked
from coffey.teacher.budget import Meter, Price
from coffey.teacher.keys import KeyIndex, pack_keys
from coffey.teacher.parts import in_parts
from coffey.teacher.protocol import Teacher
from coffey.teacher.store import LabelStore

TASK = "label"
WINDOW = 4096
"""Texts held at once: enough that sorting by length leaves little padding, whatever their total."""

Batch = dict[str, str]
"""Key → text."""


@dataclass(frozen=True, slots=True)
class AskReport:
    """What one run of `ask` did."""

    labels: int
    """Distinct inputs of this run that are answered now: all of them."""
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


def ask(
    teacher: Teacher,
    store: LabelStore,
    texts: Iterable[str],
    *,
    batch_size: int = 32,
    limit_usd: float | None = None,
    price: Price | None = None,
    progress: Progress | None = None,
    window: int = WINDOW,
) -> AskReport:
    """Ask for every text that `store` does not answer yet; each batch is committed when it is answered.

    A batch that nobody interrupted has the same texts in every run over the same input, so a run that was
    killed and resumed ends with the very same bytes as one that was not. With `limit_usd` and a `price`,
    the run stops before the batch that is expected to exceed the limit.

    Args:
        teacher: who is asked.
        store: where answers are kept.
        texts: read once, `window` at a time; duplicates are asked once.
        batch_size: texts asked and committed at once.
        limit_usd: the most this run may cost; needs `price`.
        price: what asking costs.
        progress: hears about every text that has an answer.
        window: texts that are sorted by length together.

    Raises:
        BudgetExhausted: says what was spent and how many inputs are left.
        TeacherUnavailable: as the teacher says; a local teacher is not asked twice.
        LabelRejected: an answer that is no distribution over the labels.
        StoreUnavailable: the disk is full, or the like.
    """
    began = monotonic()
    run = _Run(teacher, store, Meter(price, teacher), progress or Silent())
    run.progress.start(TASK, len(texts) if isinstance(texts, Sized) else None, "inputs")
    batches = run.batches(texts, batch_size=batch_size, window=window)
    for batch in batches:
        if limit_usd is not None and run.meter.expected(list(batch.values())) + run.spent > limit_usd:
            remaining = len(batch) + sum(len(later) for later in batches)
            raise BudgetExhausted(run.spent, limit_usd, remaining)
        run.answer(batch)
    run.progress.finish(TASK, f"{run.asked} asked, {len(run.inputs) - run.asked} cached")
    return AskReport(
        labels=len(run.inputs),
        asked=run.asked,
        cached=len(run.inputs) - run.asked,
        duplicates=run.texts - len(run.inputs),
        seconds=monotonic() - began,
        teacher_seconds=run.meter.seconds,
        usd=run.meter.usd,
        usd_note=run.meter.note,
        digest=store.digest(run.inputs.keys()),
    )


class _Run:
    """The counters of one run."""

    def __init__(self, teacher: Teacher, store: LabelStore, meter: Meter, progress: Progress) -> None:
        self.teacher = teacher
        self.store = store
        self.meter = meter
        self.progress = progress
        self.inputs = KeyIndex()
        self.texts = 0
        self.asked = 0

    @property
    def spent(self) -> float:
        return self.meter.usd or 0.0

    def batches(self, texts: Iterable[str], *, batch_size: int, window: int) -> Iterator[Batch]:
        """The batches that are missing, found one window at a time, when the window is reached."""
        for part in in_parts(texts, window):
            self.texts += len(part)
            new = self._new(part)
            missing = set(self.store.missing(list(new)))
            self.progress.advance(TASK, len(part) - len(missing))
            yield from plan_batches(new, missing, batch_size=batch_size)

    def answer(self, batch: Batch) -> None:
        """Ask one batch and commit it."""
        asked = list(batch.values())
        began = monotonic()
        answer = self.teacher.predict(asked)
        self.meter.charge(asked, monotonic() - began)
        probabilities = checked(self.teacher.source, answer, rows=len(asked), labels=len(self.teacher.labels))
        self.store.append(list(batch), probabilities)
        self.asked += len(batch)
        self.progress.advance(TASK, len(batch), "" if self.meter.usd is None else f"{self.meter.usd:.4f} USD")

    def _new(self, part: tuple[str, ...]) -> Batch:
        by_key = {input_key(text): text for text in part}
        packed = pack_keys(list(by_key))
        unseen = self.inputs.find(packed) < 0
        self.inputs.add(packed[unseen])
        return {key: text for (key, text), new in zip(by_key.items(), unseen, strict=True) if new}


def plan_batches(texts: Batch, missing: set[str], *, batch_size: int) -> list[Batch]:
    """Batches of at most `batch_size` that cover the missing keys, each of similar lengths.

    All texts are cut into batches by length, answered ones too, so that the cut depends on the input alone.
    A batch of which nothing is answered is asked as it is; what others lack is gathered into new batches.
    """
    ordered = sorted(texts.items(), key=lambda item: (len(item[1]), item[0]))
    whole: list[Batch] = []
    scattered: list[tuple[str, str]] = []
    for cut in in_parts(ordered, batch_size):
        lacking = [item for item in cut if item[0] in missing]
        if len(lacking) == len(cut):
            whole.append(dict(cut))
        else:
            scattered.extend(lacking)
    return whole + [dict(cut) for cut in in_parts(scattered, batch_size)]
