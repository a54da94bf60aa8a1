"""The project's data as the stages use it: read, cleaned of leaks, keyed, with its validation split."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from coffey.core.errors import DataError, EmptyData
from coffey.core.ids import digest_json, input_key
from coffey.core.progress import Progress
from coffey.core.records import Example
from coffey.core.settings import Settings
from coffey.data.leakage import LeakReport, find_leaks
from coffey.data.source import ExampleSource
from coffey.data.split import in_validation

UNKNOWN = -1
"""Index of a hard label that is not known."""

HardLabel = str | tuple[str, ...] | None
"""The label of a text, its labels in a multi-label task, or None where nobody knows."""


@dataclass(frozen=True, slots=True)
class Split:
    """Distinct inputs and what is known of them; row i of each belongs together."""

    texts: tuple[str, ...]
    keys: tuple[str, ...]
    hard: tuple[HardLabel, ...]

    def __len__(self) -> int:
        return len(self.texts)

    def only(self, rows: npt.NDArray[np.bool_]) -> Split:
        """The rows where `rows`, bool [self], is true."""
        if rows.all():
            return self
        return Split(
            tuple(itertools.compress(self.texts, rows)),
            tuple(itertools.compress(self.keys, rows)),
            tuple(itertools.compress(self.hard, rows)),
        )

    def labelled(self) -> bool:
        """Whether any row has a hard label."""
        return any(label is not None for label in self.hard)

    def indices(self, labels: Sequence[str], *, many: bool = False) -> npt.NDArray[np.int64]:
        """The hard labels as indices into `labels` [self], -1 where there is none.

        With `many`, as sets [self, labels]: 1 for each label of a row; -1 in a row where nobody knows them.

        Raises:
            DataError: a hard label that the teacher does not know.
        """
        position = {label: index for index, label in enumerate(labels)}
        strange = Counter(name for label in self.hard for name in _named(label) if name not in position)
        if strange:
            listed = ", ".join(f"{label!r} ({count} rows)" for label, count in strange.most_common(5))
            raise DataError(
                f"{len(strange)} hard label(s) that the teacher does not give: {listed}. It gives "
                f"{', '.join(map(repr, labels[:8]))}{' …' if len(labels) > 8 else ''}. "
                "Set task.labels to the teacher's labels, or leave those rows out."
            )
        if not many:
            places = [[position[name] for name in _named(label)] or [UNKNOWN] for label in self.hard]
            return np.array(places, np.int64).reshape(len(self))
        sets = np.full((len(self), len(labels)), UNKNOWN, np.int64)
        for row, label in zip(sets, self.hard, strict=True):
            if label is not None:
                row[:] = 0
                row[[position[name] for name in _named(label)]] = 1
        return sets


def _named(label: HardLabel) -> Sequence[str]:
    return [label] if isinstance(label, str) else label or ()


@dataclass(frozen=True, slots=True)
class DataReport:
    """What reading and cleaning did."""

    transfer_rows: int
    holdout_rows: int
    bad_rows: int
    duplicates: int
    """Transfer rows that repeat an earlier one."""
    leaking_exact: int
    """Transfer rows that stand in the holdout; removed."""
    leaking_near: int
    """Transfer rows that nearly stand in the holdout; removed."""
    transfer_kept: int
    holdout_kept: int
    """Distinct inputs."""
    augmented: int = 0
    """Texts made from the transfer set, beside `transfer_kept`."""


@dataclass(frozen=True, slots=True)
class ProjectData:
    """The transfer set without what leaks, the holdout, and how they came about."""

    transfer: Split
    holdout: Split
    report: DataReport
    made: frozenset[str] = frozenset()
    """Keys of texts in the transfer set that were made from it: trained on, and judged by never."""

    def validation(self, *, share: float, seed: int) -> npt.NDArray[np.bool_]:
        """Bool [transfer]: the rows that choose the best weights and are never trained on."""
        return np.array(
            [
                key not in self.made and in_validation(key, share=share, seed=seed)
                for key in self.transfer.keys
            ],
            np.bool_,
        )

    @property
    def real_share(self) -> float:
        """Of the transfer set, what was read and not made: passes of `chain.epochs` in a pass over all."""
        return sum(key not in self.made for key in self.transfer.keys) / len(self.transfer)

    def only(self, *, transfer: npt.NDArray[np.bool_], holdout: npt.NDArray[np.bool_]) -> ProjectData:
        """The rows of either set where its mask is true; the report stays that of reading."""
        return replace(self, transfer=self.transfer.only(transfer), holdout=self.holdout.only(holdout))

    def digest(self) -> str:
        """Names the data whatever the order of its files and rows."""
        pairs = [sorted(zip(split.keys, split.hard, strict=True)) for split in (self.transfer, self.holdout)]
        return digest_json(pairs)


def read_data(settings: Settings, progress: Progress) -> ProjectData:
    """Read both sets, remove from the transfer set what stands (nearly) in the holdout, count everything.

    Raises:
        DataError: unreadable files, refused rows, a missing column, or nothing left to learn from.
    """
    transfer, holdout = _source(settings, settings.data.transfer), _source(settings, settings.data.holdout)
    progress.start("read", None, "rows")
    leaks = find_leaks(transfer, holdout, near_duplicate=settings.data.near_duplicate)
    kept = _distinct(transfer, leaks.leaking)
    held = _distinct(holdout, frozenset())
    report = _report(leaks, transfer, holdout, kept, held)
    progress.advance("read", report.transfer_rows + report.holdout_rows)
    progress.finish("read", f"{len(kept):,} to learn from, {len(held):,} held out")
    if not len(kept):
        raise EmptyData(str(settings.data.transfer), "every row leaks into the holdout or is unusable")
    return ProjectData(kept, held, report)


def _source(settings: Settings, urls: tuple[str, ...] | str) -> ExampleSource:
    return ExampleSource(
        urls,
        text=settings.task.text,
        label=settings.task.label,
        bad_rows=settings.data.bad_rows,
        label_required=urls == settings.data.holdout,
        separator=settings.task.label_separator,
    )


def _distinct(examples: ExampleSource, leaking: frozenset[str]) -> Split:
    kept: dict[str, Example] = {}
    for example in examples:
        key = input_key(example.text)
        if key not in leaking and (key not in kept or kept[key].label is None):
            kept[key] = example
    keys = tuple(sorted(kept))  # the same rows in another order are the same run, which is not trained anew
    return Split(tuple(kept[key].text for key in keys), keys, tuple(kept[key].label for key in keys))


def _report(
    leaks: LeakReport, transfer: ExampleSource, holdout: ExampleSource, kept: Split, held: Split
) -> DataReport:
    return DataReport(
        transfer_rows=leaks.transfer,
        holdout_rows=leaks.holdout,
        bad_rows=transfer.report.bad_count + holdout.report.bad_count,
        duplicates=leaks.duplicates,
        leaking_exact=leaks.exact,
        leaking_near=leaks.near,
        transfer_kept=len(kept),
        holdout_kept=len(held),
    )
