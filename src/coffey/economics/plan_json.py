"""A plan as plain values: what `coffey plan --json` prints and `plans/` keeps."""

from __future__ import annotations

import math

from coffey.core.records import Figure, JsonObject
from coffey.economics.alternatives import Alternative
from coffey.economics.draws import NetSpread, Spread
from coffey.economics.plan import Costs, Plan
from coffey.economics.sensitivity import Swing
from coffey.economics.serving import ServingCost


def plan_json(plan: Plan) -> JsonObject:
    """The plan as plain values; days that never come are null."""
    return {
        "break_even_days": plan.break_even_days,
        "break_even": _spread_json(plan.spread),
        "never_probability": plan.distribution.never_probability if plan.distribution else None,
        "net_value": _net_json(plan.distribution.net if plan.distribution else None),
        "savings_usd_per_day": plan.outcome.savings_usd_per_day,
        "run_usd": plan.outcome.run_usd,
        "pays": plan.pays,
        "horizon_days": plan.horizon_days,
        "savings_usd_over_horizon": plan.savings_usd,
        "pays_from_requests_per_day": plan.pays_from_requests_per_day,
        "pays_from_gap_usd_per_1k": plan.pays_from_gap_usd_per_1k,
        "verdict": plan.verdict,
        "sensitivity": [_swing_json(swing) for swing in plan.sensitivity],
        "alternatives": [_alternative_json(other, plan.horizon_days) for other in plan.alternatives],
        "origins": {name: figure.origin.value for name, figure in plan.figures.items()},
        "figures": {
            name: _figure_json(figure, plan.ranges.get(name)) for name, figure in plan.figures.items()
        },
        "costs": _costs_json(plan.costs),
        "curve": [list(point) for point in plan.curve],
        "curve_band": [list(point) for point in plan.distribution.band] if plan.distribution else None,
        "notes": list(plan.notes),
    }


def _spread_json(spread: Spread | None) -> JsonObject | None:
    return None if spread is None else {"p10": spread.p10, "p50": spread.p50, "p90": spread.p90}


def _net_json(net: NetSpread | None) -> JsonObject | None:
    return None if net is None else {"p10": net.p10, "p50": net.p50, "p90": net.p90, "mean": net.mean}


def _swing_json(swing: Swing) -> JsonObject:
    return {
        "figure": swing.figure,
        "low": swing.low,
        "high": swing.high,
        "break_even_days_at_low": swing.days_at_low,
        "break_even_days_at_high": swing.days_at_high,
        "swing_days": None if math.isinf(swing.days) else swing.days,
        "net_usd_at_low": swing.net_at_low,
        "net_usd_at_high": swing.net_at_high,
        "swing_usd": swing.net_usd,
    }


def _alternative_json(other: Alternative, horizon_days: float) -> JsonObject:
    return {
        "name": other.name,
        "run_usd": other.run_usd,
        "usd_per_day": other.usd_per_day,
        "break_even_days": other.break_even_days,
        "savings_usd_over_horizon": other.outcome.savings_over(horizon_days) if other.outcome else None,
        "net_value": _net_json(other.net),
        "note": other.note,
        "unless": other.unless,
    }


def _figure_json(figure: Figure, ends: tuple[float, float] | None) -> JsonObject:
    """Low and high are those of the figure's range; null when it is taken as exact."""
    low, high = ends or (None, None)
    return {
        "value": figure.value,
        "low": low,
        "high": high,
        "unit": figure.unit,
        "origin": figure.origin.value,
        "note": figure.note,
        "modelled": figure.modelled,
    }


def _costs_json(costs: Costs | None) -> JsonObject | None:
    if costs is None:
        return None
    serving = {"teacher": _serving_json(costs.teacher), "student": _serving_json(costs.student)}
    running = {
        "audits_usd_per_day": costs.running.audits_usd_per_day,
        "redistills_usd_per_day": costs.running.redistills_usd_per_day,
        "storage_usd_per_day": costs.running.storage_usd_per_day,
        "errors_usd_per_day": costs.running.errors_usd_per_day,
    }
    run = {
        "teacher_usd": costs.run.teacher_usd,
        "holdout_usd": costs.run.holdout_usd,
        "training_usd": costs.run.training_usd,
        "controls_usd": costs.run.controls_usd,
        "export_usd": costs.run.export_usd,
        "people_usd": costs.run.people_usd,
    }
    return {**serving, **running, "run": run}


def _serving_json(cost: ServingCost) -> JsonObject:
    return {
        "usd_per_day": cost.usd_per_day,
        "usd_per_1k": cost.usd_per_1k,
        "machines": cost.machines,
        "note": cost.note,
    }
