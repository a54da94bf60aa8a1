"""Which rows a pilot trains on, stops on and measures on; more of them always holds the fewer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coffey.core.errors import EmptyData
from coffey.core.ids import digest_json

Rows = npt.NDArray[np.int64]

_FEWEST_MEASURED = 30
"""Below it even half of all answers has an interval of ±18 points."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PilotOptions:
    """How much is trained and measured.

    The defaults cost about as much as one full training a candidate up to 20,000 rows, and ever less of it
    beyond. Where a full training has few steps, subsets are left out until a pilot costs no more than it, and
    two are left.
    """

    share: float = 0.5
    """Of the rows that a full training learns from: the largest subset."""
    points: int = 4
    """Subsets, each half of the next."""
    most_rows: int = 10_000
    """Rows of the largest subset, at most."""
    stopping: int = 1000
    """Rows of the validation split that choose the best weights, at most."""
    measured: int = 1000
    """Rows that quality is measured on, at most: none of them is trained on, or chooses anything."""
    seconds: float | None = None
    """Training time of the whole pilot; a training that is expected to exceed it is not begun."""
    epochs: float | None = None
    """Passes over each subset; as many as the full training makes when absent. Fewer is faster and biased."""


@dataclass(frozen=True, slots=True, eq=False)
class PilotRows:
    """Rows of the transfer set, by their positions."""

    trained: Rows
    """The largest subset; the smaller ones are its beginnings."""
    sizes: tuple[int, ...]
    """From small to large."""
    stopping: Rows
    measured: Rows
    full: int
    """Rows that a full training learns from."""

    @property
    def asked(self) -> Rows:
        """All rows whose teacher answer is needed."""
        return np.concatenate([self.trained, self.stopping, self.measured])


def choose_rows(
    keys: Sequence[str], validation: npt.NDArray[np.bool_], *, options: PilotOptions, fewest: int, seed: int
) -> PilotRows:
    """Draw the rows of a pilot.

    Rows are ordered by a digest of seed and key, whatever their order in the files. A larger share begins
    with the rows of a smaller one. Measured rows come after the largest subset: the full training will learn
    from them, so no answer is paid for twice; the pilot does not.

    Args:
        keys: of all texts of the transfer set.
        validation: bool [texts], the split that a full training stops on.
        options: sizes.
        fewest: rows of the smallest subset, at least.
        seed: of the order.

    Raises:
        EmptyData: there are too few rows for one training and its measurement.
    """
    ordered = np.asarray(sorted(range(len(keys)), key=lambda row: _place(keys[row], seed)), dtype=np.int64)
    split = np.asarray(validation, dtype=bool)[ordered]
    learning, stopping = ordered[~split], ordered[split][: options.stopping]
    largest = min(round(options.share * len(learning)), options.most_rows)
    measured = learning[largest : largest + options.measured]
    halved = [largest >> times for times in reversed(range(options.points))]
    sizes = tuple(size for size in halved if size >= max(fewest, 1))
    if not sizes or not len(stopping) or len(measured) < _FEWEST_MEASURED:
        raise EmptyData(
            "transfer set",
            f"a pilot would train on {largest}, stop on {len(stopping)} and measure on {len(measured)} "
            f"row(s); it needs at least {fewest}, 1 and {_FEWEST_MEASURED}",
        )
    return PilotRows(learning[:largest], sizes, stopping, measured, len(learning))


def _place(key: str, seed: int) -> str:
    return digest_json(["pilot", seed, key])
