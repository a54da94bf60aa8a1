"""What a person should know about a distillation beside its figures, in sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence

from coffey.distill.proof import StageDecision
from coffey.stats.intervals import mean_score
from coffey.stats.scoring import Scores


def seen_by_teacher(learned: Scores, held: Scores) -> str | None:
    """A note where the teacher was probably trained on the transfer set: made texts are worth more there.

    It is where the teacher errs at most half as often there as on the holdout, and the difference is above
    chance (the lower end of Newcombe's 1998 hybrid of two Wilson intervals, his method 10).

    Args:
        learned: how right the teacher is about the transfer set's labels, one score a labelled row.
        held: the same of the holdout.
    """
    there, here = mean_score(learned), mean_score(held)
    least = there.value - here.value - math.hypot(there.value - there.low, here.high - here.value)
    if least <= 0 or 1 - there.value > (1 - here.value) / 2:
        return None
    return (
        f"The teacher is right about {there.value:.1%} of the transfer set's labels and {here.value:.1%} of "
        "the holdout's: it was probably trained on these texts, and its answers to them say little more than "
        "the labels do. Try data.augment = 4."
    )


def weak_proof(decisions: Sequence[StageDecision], max_drop: float) -> str | None:
    """A note where a stage was dropped undecided, on rows too few to show a gain of `max_drop`."""
    for one in decisions:
        found = one.difference
        if one.kept or found is None or found.high < 0 or found.value - found.low <= max_drop:
            continue
        visible = found.value - found.low
        return (
            f"Only a gain of {100 * visible:.1f} points or more would have kept {one.stage}, on "
            f"{one.examples:,} held rows: that it was dropped does not show it useless."
            f"{_enough(one.examples, visible, max_drop)}"
        )
    return None


def _enough(rows: int, visible: float, wanted: float) -> str:
    """How many rows would do: an interval narrows with the root of their number."""
    if not rows:
        return ""
    needed = math.ceil(rows * (visible / wanted) ** 2)
    return (
        f" About {needed:,} held rows would show {100 * wanted:g} points (monitor.max_drop); more texts or a "
        "higher chain.validation give them."
    )
