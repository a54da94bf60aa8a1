"""Which students could be made: every stage of the chain, or a ladder where `chain.stages` is "auto"."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from coffey.core.ids import digest_json
from coffey.core.records import JsonObject
from coffey.core.settings import AUTO, Settings
from coffey.dashboard.plain import plain
from coffey.dashboard.reading import items, obj
from coffey.economics.assumptions import TEACHER_PARAMS
from coffey.economics.calibration import Calibration
from coffey.economics.candidate import NO_RECORD, Candidate, make_candidate, teacher_point
from coffey.economics.frontier import Frontier, judge
from coffey.economics.frontier_json import frontier_json
from coffey.economics.known import Known
from coffey.economics.quality_forecast import QualityForecast

NEAREST, FARTHEST = 3.0, 100.0
"""Times smaller than the teacher: the ladder's first and last rung. Less than 3 saves little; published
encoders go 25 times (BERT-base to 4.4 million parameters, Turc et al. 2019), and narrow tasks go further."""

STEP = 3.0
"""How many times a rung is smaller than the one before, about: the ratio of the chain 1B, 300M, 100M, 30M."""

SMALLEST_PARAMS = 100_000
"""Under this an encoder has hardly room for its vocabulary; rungs below it are left out."""

_UNITS = ((1e9, "B"), (1e6, "M"), (1e3, "K"))

DEFAULT_RUNGS = 2
"""Rungs that are trained where no plan has recommended a chain: down to about ten times smaller."""


@dataclass(frozen=True, slots=True)
class Chain:
    """The stages to train, and why these."""

    stages: tuple[str, ...]
    why: str


def is_auto(settings: Settings) -> bool:
    """Whether the plan chooses the stages."""
    return settings.chain.stages == (AUTO,)


def with_stages(settings: Settings, stages: tuple[str, ...]) -> Settings:
    """The settings with these stages in the place of their own."""
    return replace(settings, chain=replace(settings.chain, stages=stages))


def candidate_stages(settings: Settings, teacher_params: int | None) -> tuple[str, ...]:
    """Every stage that could be the last: those of the chain, or the ladder, the largest first.

    Args:
        settings: of the project.
        teacher_params: parameters of the teacher; BERT-base's where they are not known.
    """
    return ladder(teacher_params or TEACHER_PARAMS) if is_auto(settings) else settings.chain.stages


def ladder(teacher_params: int) -> tuple[str, ...]:
    """Sizes that fall by about `STEP` from `NEAREST` to `FARTHEST` times smaller than the teacher.

    There is at least one rung, however small the teacher.

    >>> ladder(1_000_000_000)
    ('330M', '100M', '32M', '10M')
    """
    steps = round(math.log(FARTHEST / NEAREST) / math.log(STEP))
    ratios = [NEAREST * (FARTHEST / NEAREST) ** (step / steps) for step in range(steps + 1)]
    sizes = [teacher_params / ratio for ratio in ratios]
    kept = [size for size in sizes if size >= SMALLEST_PARAMS] or sizes[:1]
    return tuple(dict.fromkeys(_target(size) for size in kept))


def make_candidates(
    settings: Settings,
    known: Known,
    qualities: Mapping[str, QualityForecast] | None = None,
    *,
    record: Calibration = NO_RECORD,
) -> tuple[Candidate, ...]:
    """A candidate a stage, each with the chain up to it.

    Args:
        settings: of the project; "auto" is replaced by the ladder below the teacher's size in `known`.
        known: what was measured. A rate that `bench` found is given to the candidate that it is of, and to no
            other.
        qualities: what a pilot forecasts, by stage.
        record: how wrong earlier forecasts were.

    Raises:
        ConfigError: a stage's size cannot be told and it was not probed.
    """
    stages = candidate_stages(settings, _teacher_params(known))
    forecasts = qualities or {}
    benched = known.student_stage or (None if is_auto(settings) else stages[-1])
    return tuple(
        make_candidate(
            settings,
            known if stage == benched else replace(known, student_rps=None),
            stages[: place + 1],
            forecasts.get(stage),
            record=record,
        )
        for place, stage in enumerate(stages)
    )


def judge_candidates(
    settings: Settings,
    known: Known,
    qualities: Mapping[str, QualityForecast] | None = None,
    *,
    record: Calibration = NO_RECORD,
) -> Frontier:
    """The frontier of a project: `make_candidates`, judged by its budget.

    Raises:
        ConfigError: as `make_candidates`.
    """
    candidates = make_candidates(settings, known, qualities, record=record)
    return judge(candidates, settings.budget, teacher=teacher_point(known, candidates[0].plan))


def planned(settings: Settings, frontier: Frontier) -> Candidate:
    """The candidate whose plan is the project's: the chain's last, or with "auto" the recommended one.

    Where "auto" has no recommendation, it is the last of the default chain (`choose_chain`).
    """
    candidates = [one.candidate for one in frontier.judged]
    if not is_auto(settings):
        return candidates[-1]
    return frontier.chosen.candidate if frontier.chosen else candidates[:DEFAULT_RUNGS][-1]


def said_frontier(settings: Settings, frontier: Frontier) -> JsonObject:
    """The frontier as plain values, with what its recommendation holds for."""
    return {**frontier_json(frontier), "of": _asked_of(settings)}


def choose_chain(settings: Settings, kept: JsonObject | None, *, teacher_params: int | None = None) -> Chain:
    """The stages that `distill` trains.

    Args:
        settings: of the project.
        kept: what the last `coffey plan` printed, with `said_frontier` under `frontier`; or None.
        teacher_params: parameters of the teacher, for the default.
    """
    if not is_auto(settings):
        return Chain(settings.chain.stages, "chain.stages")
    advice = obj(kept, "frontier")
    advised = tuple(str(stage) for stage in items(advice, "recommended", "stages"))
    if advised and advice["of"] == _asked_of(settings):
        return Chain(advised, "recommended by the last plan")
    found = (
        "no plan has compared candidates yet"
        if not advice
        else "the last plan recommended none"
        if not advised
        else "the last plan was for another teacher or budget"
    )
    rungs = ladder(teacher_params or TEACHER_PARAMS)[:DEFAULT_RUNGS]
    return Chain(rungs, f"{found}, so down to about ten times smaller than the teacher")


def _teacher_params(known: Known) -> int | None:
    probed = known.probe.teacher.params if known.probe else None
    return probed or known.teacher_params


def _target(params: float) -> str:
    """A parameter target in two digits, as `coffey.toml` writes it.

    >>> _target(7_571_072), _target(235_000.0)
    ('7.6M', '240K')
    """
    shown = float(f"{params:.1e}")
    factor, letter = next(((f, u) for f, u in _UNITS if shown >= f), (1.0, ""))
    return f"{shown / factor:g}{letter}"


def _asked_of(settings: Settings) -> str:
    """What a recommendation holds for: the teacher and the budget."""
    teacher = settings.teacher
    identity = [teacher.kind, teacher.source, teacher.revision, teacher.head, teacher.version]
    return digest_json([identity, plain(settings.budget)])
