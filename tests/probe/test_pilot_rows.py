"""The rows of a pilot are nested, apart, and the same wherever they stand in the files."""

from __future__ import annotations

import numpy as np
import pytest

from coffey.core.errors import EmptyData
from coffey.core.ids import input_key
from coffey.data.split import in_validation
from coffey.probe.pilot_rows import PilotOptions, PilotRows, choose_rows

KEYS = [input_key(f"text {number}") for number in range(2000)]
VALIDATION = np.array([in_validation(key, share=0.1, seed=1) for key in KEYS])


def chosen(options: PilotOptions | None = None, order: np.ndarray | None = None) -> PilotRows:
    order = np.arange(len(KEYS)) if order is None else order
    return choose_rows(
        [KEYS[row] for row in order], VALIDATION[order], options=options or PilotOptions(), fewest=32, seed=1
    )


def test_subsets_double_up_to_the_share() -> None:
    """Four subsets, each twice the one before; the largest is half of what a full training has."""
    rows = chosen()
    assert rows.full == (~VALIDATION).sum()
    assert rows.sizes[-1] == len(rows.trained) == round(rows.full / 2)
    assert all(abs(2 * small - large) <= 1 for small, large in zip(rows.sizes, rows.sizes[1:], strict=False))
    assert len(rows.sizes) == 4


def test_a_larger_pilot_begins_with_the_smaller_one() -> None:
    """Raising the share adds rows and changes none."""
    small, large = chosen(PilotOptions(share=0.1)), chosen(PilotOptions(share=0.3))
    assert np.array_equal(large.trained[: len(small.trained)], small.trained)
    assert np.array_equal(large.stopping, small.stopping)


def test_no_row_has_two_uses() -> None:
    """What is trained on is not measured on; only the validation split chooses weights."""
    rows = chosen()
    assert len(set(rows.asked.tolist())) == len(rows.asked)
    assert VALIDATION[rows.stopping].all()
    assert not VALIDATION[rows.trained].any()
    assert not VALIDATION[rows.measured].any()


def test_the_order_of_the_file_decides_nothing() -> None:
    """Shuffled rows give the same texts in the same order."""
    order = np.random.default_rng(3).permutation(len(KEYS))
    straight, shuffled = chosen(), chosen(order=order)
    for name in ("trained", "stopping", "measured"):
        assert np.array_equal(getattr(straight, name), order[getattr(shuffled, name)])


def test_limits_hold() -> None:
    """At most as many rows as the options say, of each kind; subsets under a batch are left out."""
    rows = chosen(PilotOptions(most_rows=100, stopping=50, measured=70, points=5))
    assert (len(rows.trained), len(rows.stopping), len(rows.measured)) == (100, 50, 70)
    assert rows.sizes == (50, 100)


def test_too_few_rows_are_refused() -> None:
    """A transfer set that one batch would exhaust cannot be foretold."""
    with pytest.raises(EmptyData, match="at least 32, 1 and 30"):
        choose_rows(KEYS[:60], VALIDATION[:60], options=PilotOptions(), fewest=32, seed=1)
