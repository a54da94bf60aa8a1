"""The tree of errors. Every error names the thing, the value, what was expected and what to do.

```text
CoffeyError                exit code
  ConfigError              2   every problem of a file at once
  MissingExtra             2   a command needs an extra that is not installed
  DataError                2   BadRows · EmptyData · MissingColumn · UnreadableData
  PlanError                1   ProbeFailed
  TeacherError             3   TeacherUnavailable · LabelRejected · BudgetExhausted · StoreCorrupt
                               HeadNotConverged
  StageError               3   StageDiverged · StageInputsChanged · NothingToTrain
  ArtifactError            3   UnknownFormat · DigestMismatch · BadSignature · ParityExceeded
  ServeError               3   NotReady · Overloaded · InvalidRequest
  RegistryError            3   UnknownVersion · VersionTaken · AliasMoved
  StoreError               3   StoreUnavailable · EventDamaged · LeaseHeld
```

Classes take values, not sentences. Exit codes are the command line's (`design.md`): 1 the answer is no,
2 usage or configuration, 3 something outside failed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


class CoffeyError(Exception):
    """Base of everything Coffey raises on purpose; it can cross from one process to another."""

    exit_code = 3

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self.args), self.__dict__


def _restored(kind: type[CoffeyError], arguments: tuple[Any, ...]) -> CoffeyError:
    """An error with this message, made without `__init__`, which takes values instead."""
    return kind.__new__(kind, *arguments)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a configuration: where, what was found, what was expected."""

    key: str
    value: object
    expected: str
    nearest: str | None = None

    def __str__(self) -> str:
        hint = f" Did you mean {self.nearest!r}?" if self.nearest else ""
        return f"{self.key} = {self.value!r}: expected {self.expected}.{hint}"


class ConfigError(CoffeyError):
    """Every problem of one configuration file, reported together."""

    exit_code = 2

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        self.source = source
        self.problems = tuple(problems)
        count = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        lines = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(f"{source}: {count}\n{lines}")


class MissingExtra(CoffeyError):
    """A command needs packages that an extra brings."""

    exit_code = 2

    def __init__(self, what: str, extra: str, module: str) -> None:
        self.what = what
        self.extra = extra
        self.module = module
        super().__init__(
            f"{what} needs {module!r}, which is not installed here. Run: pip install 'coffey[{extra}]'"
        )


class DataError(CoffeyError):
    """The user's data cannot be used as it is."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class BadRow:
    """One unusable row: the file, its line (1-based; the row number for Parquet), and why."""

    source: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.source}:{self.line}: {self.reason}"


class BadRows(DataError):
    """Rows that cannot be read, refused because `data.bad_rows = "refuse"`."""

    def __init__(self, rows: Sequence[BadRow], total: int, shown: int = 20) -> None:
        self.rows = tuple(rows)
        self.total = total
        listed = "\n".join(f"  {row}" for row in self.rows[:shown])
        more = f"\n  … and {total - shown} more" if total > shown else ""
        super().__init__(
            f"{total} bad row(s). Mend them, or set data.bad_rows = 'skip' to leave them out:\n{listed}{more}"
        )


class EmptyData(DataError):
    """A data source that yields no usable row."""

    def __init__(self, source: str, reason: str) -> None:
        self.source = source
        super().__init__(f"No usable row in {source!r}: {reason}")


class MissingColumn(DataError):
    """A data file without a column that the configuration names."""

    def __init__(self, source: str, column: str, columns: Sequence[str], nearest: str | None) -> None:
        self.column = column
        hint = f" Did you mean {nearest!r}?" if nearest else ""
        listed = ", ".join(repr(name) for name in columns) or "none"
        super().__init__(f"{source!r} has no column {column!r}; it has {listed}.{hint}")


class UnreadableData(DataError):
    """A data file or folder that cannot be read at all."""

    def __init__(self, source: str, reason: str) -> None:
        self.source = source
        super().__init__(f"Cannot read data from {source!r}: {reason}.")


class PlanError(CoffeyError):
    """A plan cannot be made from what is known."""

    exit_code = 1


class ProbeFailed(PlanError):
    """A measurement that the plan needs did not succeed."""

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(f"Could not measure {what}: {reason}. Run `coffey doctor`, or plan without --probe.")


class TeacherError(CoffeyError):
    """The teacher, or the store of its answers, failed."""


class TeacherUnavailable(TeacherError):
    """The teacher did not answer."""

    def __init__(self, source: str, reason: str) -> None:
        self.source = source
        super().__init__(
            f"Teacher {source!r} did not answer: {reason}. Answers so far are kept; run again to go on."
        )


class LabelRejected(TeacherError):
    """The teacher answered with something that is not a label."""

    def __init__(self, source: str, expected: str, found: str) -> None:
        super().__init__(
            f"Teacher {source!r} gave an answer that cannot be stored: expected {expected}, found {found}."
        )


class BudgetExhausted(TeacherError):
    """The next batch would cost more than what is allowed."""

    def __init__(
        self, spent_usd: float, limit_usd: float, remaining: int, *, lacking: str = "labelled"
    ) -> None:
        self.spent_usd = spent_usd
        self.limit_usd = limit_usd
        self.remaining = remaining
        super().__init__(
            f"Labelling stopped at {spent_usd:.4f} USD: the limit is {limit_usd:.4f} USD and {remaining} "
            f"input(s) are not {lacking}. What was paid for is kept; raise budget.max_usd and run again."
        )


class StoreCorrupt(TeacherError):
    """A label store that does not say what was written, or not what the teacher says."""

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        super().__init__(f"Label store file {path!r} is not trustworthy: {reason}.")


class HeadNotConverged(TeacherError):
    """The fit of a classification head did not reach its optimum."""

    def __init__(self, gradient: float, expected: float, l2: float) -> None:
        super().__init__(
            f"The head's largest gradient is {gradient:.2g} where at most {expected:.2g} is expected. "
            f"Raise l2 above {l2:g}, or scale the embeddings to length 1."
        )


class StageError(CoffeyError):
    """A distillation stage failed."""


class StageDiverged(StageError):
    """The loss stopped being a number, or grew without bound."""

    def __init__(self, stage: str, step: int, loss: float, learning_rate: float) -> None:
        super().__init__(
            f"Stage {stage!r} diverged at step {step}: loss {loss!r} at learning rate {learning_rate:g}. "
            f"Try chain.learning_rate = {learning_rate / 3:.1g}, or a longer chain.warmup."
        )


class StageInputsChanged(StageError):
    """A checkpoint belongs to other inputs than the ones given now."""

    def __init__(self, stage: str, folder: str, changed: Sequence[str]) -> None:
        super().__init__(
            f"Stage {stage!r} in {folder!r} was started with other inputs ({', '.join(changed)} changed). "
            "Remove that folder to train it anew, or restore the inputs."
        )


class NothingToTrain(StageError):
    """A stage that would make no optimizer step."""

    def __init__(self, stage: str, reason: str) -> None:
        super().__init__(f"Stage {stage!r} would make no optimizer step: {reason}.")


class ArtifactError(CoffeyError):
    """An artifact cannot be read, trusted or written."""


class UnknownFormat(ArtifactError):
    """A format number this version cannot read."""

    def __init__(self, path: str, found: object, known: Sequence[int]) -> None:
        super().__init__(f"{path!r} has format {found!r}; this version reads {list(known)}. Upgrade coffey.")


class DigestMismatch(ArtifactError):
    """A file whose bytes are not the ones that were signed."""

    def __init__(self, path: str, expected: str, found: str) -> None:
        self.path = path
        super().__init__(
            f"{path!r} was changed or damaged: digest {found[:12]} where the manifest says {expected[:12]}. "
            "Restore it from the registry or export it again."
        )


class BadSignature(ArtifactError):
    """A manifest without a valid signature by a trusted key."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"Artifact {path!r} is not trusted: {reason}.")


class ParityExceeded(ArtifactError):
    """An exported model that does not say what the trained model says."""

    def __init__(self, variant: str, agreement: float, bound: float) -> None:
        super().__init__(
            f"Variant {variant!r} agrees with the trained student on {agreement:.4f} of the holdout; "
            f"at least {bound:.4f} was asked (export.min_parity)."
        )


class ServeError(CoffeyError):
    """The server refuses or cannot answer. The edge maps each class to a status."""


class NotReady(ServeError):
    """No model is loaded, or the server is draining."""


class Overloaded(ServeError):
    """More is queued than can be answered in time."""

    def __init__(self, queued: int, limit: int, retry_after_s: float) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(
            f"{queued} inputs are queued and the limit is {limit}. Try again in {retry_after_s:g} s."
        )


class InvalidRequest(ServeError):
    """A request that no retry will mend."""


class RegistryError(CoffeyError):
    """The record of what is live cannot be read or changed."""


class UnknownVersion(RegistryError):
    """A name that the registry does not know."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        listed = ", ".join(known) if known else "none yet; run `coffey distill`"
        super().__init__(f"No model {name!r} in the registry. Known: {listed}.")


class VersionTaken(RegistryError):
    """A name that cannot be given to a new version."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"Model {name!r} cannot be added: {reason}. Choose another name.")


class AliasMoved(RegistryError):
    """Someone else moved the alias first."""

    def __init__(self, alias: str, expected: str | None, found: str | None) -> None:
        super().__init__(
            f"Alias {alias!r} points at {found!r}, not at {expected!r}: another process moved it first. "
            "Look at `coffey models` and decide again."
        )


class StoreError(CoffeyError):
    """The store (folder or bucket) failed."""


class StoreUnavailable(StoreError):
    """The store cannot be read or written: full disk, no permission, no network."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"Store {path!r} cannot be used: {reason}.")


class EventDamaged(StoreError):
    """A file of an event log that does not say what was written."""

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        super().__init__(
            f"Event file {path!r} is not trustworthy: {reason}. "
            "Restore it from a copy; nothing after it is read."
        )


class LeaseHeld(StoreError):
    """Another process is doing this now."""

    def __init__(self, what: str, holder: str, since: str) -> None:
        self.holder = holder
        super().__init__(f"{what} is being done by {holder} since {since}. Wait for it, or stop it.")
