"""When a stage is given up: nothing that it still can do makes it better than a constant answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FROM = 0.5
"""Share of the planned steps before which no stage is given up: warm-up and the first rise lie before it."""

LEAST_STEPS = 200
"""Steps before which none is given up either: a short stage may rise late, and ends soon anyway."""


@dataclass(frozen=True, slots=True)
class Score:
    """How an answerer does on the validation split."""

    agreement: float
    loss: float
    """Mean KL(root teacher || answers), in nats."""


def constant_answer(learned: np.ndarray, rows: int) -> np.ndarray:
    """The best answer that does not read its input: the root teacher's mean, [rows, labels].

    Args:
        learned: the root teacher's answers to the rows that are trained on, [n, labels].
        rows: how often it is given.
    """
    mean: np.ndarray = np.repeat(learned.mean(axis=0, keepdims=True), rows, axis=0)
    return mean


def reachable(best: Sequence[float], left: int) -> float:
    """The agreement that `left` more evaluations could reach, if each rose like the steepest so far.

    Learning curves flatten, so this bound is generous.

    Args:
        best: best agreement so far, after each evaluation.
        left: evaluations that are still to come.

    >>> reachable([0.25, 0.25, 0.5], left=2), reachable([0.25, 0.25], left=10)
    (1.0, 0.25)
    """
    steepest = max((after - before for before, after in zip(best, best[1:], strict=False)), default=0.0)
    return min(1.0, best[-1] + left * steepest)


def reason_to_stop(curve: Sequence[float], loss: float, *, done: float, left: int, constant: Score) -> str:
    """Why a stage is hopeless; an empty text while it is not.

    A student whose distributions are nearer to the teacher's than the constant answer knows something, so it
    is never given up, whatever its labels.

    Args:
        curve: best agreement so far, after each evaluation.
        loss: validation loss of the best one.
        done: share of the planned steps that are done.
        left: evaluations that are still to come.
        constant: of `constant_answer`.
    """
    if (left and done < FROM) or loss < constant.loss:
        return ""
    bound = reachable(curve, left)
    if bound > constant.agreement:
        return ""
    outlook = f" and could reach {bound:.1%}" if left else ""
    return (
        f"after {done:.0%} of its steps its agreement on the validation split is {curve[-1]:.1%}{outlook}; "
        f"that of one and the same answer to every input is {constant.agreement:.1%}"
    )
