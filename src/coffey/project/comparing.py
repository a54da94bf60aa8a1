"""Trained students beside one another on the holdout: their quality, and the chain against its controls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coffey.artifact.encoding import TextEncoder
from coffey.core.records import Interval
from coffey.distill.records import StageResult
from coffey.export.package import Holdout
from coffey.export.parity import torch_probabilities
from coffey.export.quality import measure_quality
from coffey.project.distill_result import Comparison, StageSummary
from coffey.stats.intervals import paired_difference
from coffey.stats.scoring import Answers, Scoring
from coffey.students.checkpoint import load_student


@dataclass(frozen=True, slots=True)
class Contender:
    """A student that is compared with the controls, and how it is called in the verdict."""

    name: str
    student: StageResult


def _answers(stage: StageResult, texts: Sequence[str], scoring: Scoring) -> npt.NDArray[np.float32]:
    """Probabilities [n, labels] of the torch student."""
    saved = load_student(stage.folder)
    encoder = TextEncoder(saved.tokenizer.to_str().encode(), stage.shape.max_length)
    return torch_probabilities(saved.student, encoder.encode, texts, scoring)


def summarize(stage: StageResult, holdout: Holdout, labels: Sequence[str], scoring: Scoring) -> StageSummary:
    """A trained student with its quality on the holdout; `labels` are the teacher's."""
    quality = measure_quality(
        lambda texts: _answers(stage, texts, scoring),
        holdout.texts,
        holdout.teacher_probabilities,
        holdout.hard_labels,
        labels,
        scoring=scoring,
    )
    return StageSummary(
        name=stage.name,
        shape=str(stage.shape),
        params=stage.params,
        params_without_embeddings=stage.params_without_embeddings,
        taught_by=stage.taught_by,
        initialized=stage.initialized,
        steps=stage.steps,
        epochs=stage.epochs,
        seconds=stage.seconds,
        flops=stage.flops,
        validation_agreement=stage.validation_agreement,
        quality=quality,
        resumed=stage.resumed,
        hopeless=stage.hopeless,
    )


def compare_with_controls(
    arms: tuple[StageResult, StageResult],
    ships: Contender,
    chain: Contender,
    holdout: Holdout,
    scoring: Scoring,
) -> tuple[Comparison, ...]:
    """The chain against the direct jump, unless it is one, and what ships against the label-only student."""
    direct, hard = arms
    pairs = [(direct, chain)] if direct != chain.student else []
    return tuple(_compared(arm, ours, holdout, scoring) for arm, ours in (*pairs, (hard, ships)))


def _compared(arm: StageResult, ours: Contender, holdout: Holdout, scoring: Scoring) -> Comparison:
    truth, measure = _truth(holdout, scoring)
    known = scoring.known(truth)
    said = (scoring.answers(_answers(one, holdout.texts, scoring)) for one in (ours.student, arm))
    right = [scoring.score(answers, truth)[known] for answers in said]
    difference = paired_difference(*right, seed=0)
    return Comparison(arm.name, measure, difference, _verdict(ours.name, arm.name, measure, difference))


def _truth(holdout: Holdout, scoring: Scoring) -> tuple[Answers, str]:
    """True answers where the holdout is labelled, else the teacher's; and what the mean score is called."""
    if holdout.hard_labels is not None:
        return np.asarray(holdout.hard_labels), scoring.measure
    return scoring.answers(np.asarray(holdout.teacher_probabilities)), "agreement"


def _verdict(ours: str, name: str, measure: str, difference: Interval) -> str:
    points = f"{abs(difference.value) * 100:.1f} points of {measure}"
    bounds = f"({difference.low * 100:+.1f} to {difference.high * 100:+.1f})"
    if difference.low > 0:
        return f"The {ours} won against {name}: {points} better {bounds}."
    if difference.high < 0:
        return f"The {ours} lost against {name}: {points} worse {bounds}."
    side = "better" if difference.value >= 0 else "worse"
    leads = f"the {ours} is {points} {side} {bounds}, which may be chance"
    return f"No winner between the {ours} and {name}: {leads}."
