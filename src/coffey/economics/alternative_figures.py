"""What the alternatives need to be priced: a small pretrained model, labels by people, a cascade's share."""

from __future__ import annotations

import math

from coffey.core.records import Figure
from coffey.core.settings import Settings
from coffey.economics import assumptions
from coffey.economics.capacity import rate_figure
from coffey.economics.figures import assumed, configured, measured
from coffey.economics.known import Known

OF_ALTERNATIVES = frozenset(
    {"cascade_share", "pretrained_rps", "pretrained_s", "label_rows", "label_usd", "teacher_int8_speedup"}
)
"""Figures of `PlanInputs` that the student itself does not depend on."""


def alternative_figures(settings: Settings, known: Known) -> dict[str, Figure]:
    """The optional figures of `PlanInputs` that only alternatives depend on, by their names."""
    found = {"cascade_share": _cascade(settings)}
    if not pretrained_note(known):
        found |= {**_pretrained(settings, known), **_labels(settings, known)}
    return found


def pretrained_note(known: Known) -> str:
    """Why a small pretrained model is no alternative; empty when it may be one."""
    params = _teacher_params(known)
    if params > assumptions.PRETRAINED_PARAMS:
        return ""
    return f"not open: the teacher, with {params:,.0f} parameters, is as small"


def _teacher_params(known: Known) -> float:
    probed = known.probe.teacher.params if known.probe else None
    return known.teacher_params or probed or assumptions.TEACHER_PARAMS


def _cascade(settings: Settings) -> Figure:
    if (share := settings.economics.cascade_share) is not None:
        return configured(float(share), "of the requests", "economics.cascade_share")
    share = min(1.0, assumptions.UNSURE * (1.0 - settings.budget.min_agreement))
    note = f"{assumptions.UNSURE:g} x the disagreement that budget.min_agreement allows"
    return assumed(share, "of the requests", note)


def _pretrained(settings: Settings, known: Known) -> dict[str, Figure]:
    chain = settings.chain
    body, tokens = assumptions.PRETRAINED_BODY, chain.max_length
    service = assumed(1000.0 * assumptions.forward_s(body, tokens), "ms", "MiniLM-L6-H384 from its size")
    batches = math.ceil(known.rows * (1.0 - chain.validation) / chain.batch_size)
    steps = assumptions.PRETRAINED_EPOCHS * batches
    seconds = steps * assumptions.step_s(body, tokens, chain.batch_size)
    note = f"{assumptions.PRETRAINED_EPOCHS} epochs of MiniLM-L6-H384 at {assumptions.FLOPS:g} FLOP/s"
    return {
        "pretrained_rps": rate_figure(service, latency_p99_ms=settings.budget.latency_p99_ms),
        "pretrained_s": assumed(seconds, "s", note),
    }


def _labels(settings: Settings, known: Known) -> dict[str, Figure]:
    if settings.task.label is not None:
        return {}
    found = {"label_rows": measured(known.rows, "labels", "counted: task.label is not set")}
    if (usd := settings.economics.label_usd) is not None:
        found["label_usd"] = configured(float(usd), "USD a label", "economics.label_usd")
    return found
