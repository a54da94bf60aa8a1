"""A distribution over the labels from the probabilities of an answer's tokens."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coffey.teacher.choices import Choices


@dataclass(frozen=True, slots=True)
class Candidate:
    """A token that could stand at a position, and the logarithm of its probability there."""

    token: str
    logprob: float


@dataclass(frozen=True, slots=True)
class Position:
    """One position of an answer."""

    taken: Candidate
    """The token that the answer has there."""
    others: tuple[Candidate, ...] = ()
    """The likeliest other tokens."""


def label_mass(choices: Choices, answer: Sequence[Position]) -> npt.NDArray[np.float64]:
    """The probability with which the model names each label, float64 [labels]; the sum is at most about 1.

    Walks along the answer until its beginning leaves one label. At each position a token that was not taken
    gives its probability, times that of the beginning before it, to the label that the beginning with this
    token leaves; in equal parts where it leaves several, as nothing tells them apart. Tokens that leave no
    label, or say nothing yet (white space), give to none.

    >>> def at(taken, *others):
    ...     first, *rest = (Candidate(token, math.log(p)) for token, p in (taken, *others))
    ...     return Position(first, tuple(rest))
    >>> answer = [at((" goo", 0.8), ("ba", 0.1), ("what", 0.1)), at(("d", 0.75), ("fy", 0.25))]
    >>> label_mass(Choices(["good", "goofy", "bad"]), answer).round(3).tolist()
    [0.6, 0.2, 0.1]
    """
    mass = np.zeros(len(choices.begun("")))
    whole = "".join(position.taken.token for position in answer)
    beginning, reached = "", 1.0
    left = list(range(len(mass)))
    for position in answer:
        for other in position.others:
            _give(mass, choices.begun(beginning + other.token), reached * math.exp(other.logprob))
        beginning += position.taken.token
        reached *= math.exp(position.taken.logprob)
        left = choices.begun(beginning)
        if len(left) <= 1:
            break
    # A beginning that left one label may have gone on to be something else: 'goo' of 'goon'.
    _give(mass, [at for at in left if at in choices.begun(whole)], reached)
    return mass


def _give(mass: npt.NDArray[np.float64], labels: list[int], probability: float) -> None:
    if labels and len(labels) < len(mass):
        mass[labels] += probability / len(labels)
