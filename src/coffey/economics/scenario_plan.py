"""`coffey plan --scenario FILE`: the chain against the direct jump on rented machines, as plain values."""

from __future__ import annotations

from pathlib import Path

from coffey.core.records import JsonObject
from coffey.economics.alternatives import another_way
from coffey.economics.hardware import Hardware
from coffey.economics.plan import Plan, make_plan
from coffey.economics.plan_json import plan_json
from coffey.economics.scenario import Cluster, Scenario, load_scenario
from coffey.economics.scenario_inputs import (
    PathEstimate,
    ServingPair,
    chain_estimate,
    direct_estimate,
    scenario_inputs,
    serving_pair,
)
from coffey.economics.scenario_serving import ServingEstimate
from coffey.economics.scenario_stage import StageEstimate, TrainingEstimate
from coffey.economics.toml_reader import Bounded
from coffey.economics.transformer_work import forward_flops


def plan_scenario(path: Path) -> JsonObject:
    """The plan of a scenario file: `plan_json` of the chain, and under `scenario` both ways and the machines.

    Raises:
        ConfigError: every problem of the file, or of the hardware file that it names.
    """
    scenario = load_scenario(path)
    chain, direct, pair = chain_estimate(scenario), direct_estimate(scenario), serving_pair(scenario)
    notes = (*_fit_notes(scenario, chain, direct, pair), *_GENERAL)
    jump = scenario_inputs(scenario, direct, pair)
    other = another_way(
        "train the last student directly", "by the teacher alone", jump, unless="its quality falls short"
    )
    plans = {
        "chain": make_plan(scenario_inputs(scenario, chain, pair), others=(other,), notes=notes),
        "direct": make_plan(jump),
    }
    return {
        **plan_json(plans["chain"]),
        "scenario": {
            "name": scenario.name,
            "transfer": {"rows": scenario.rows.value, "tokens": scenario.tokens},
            "cluster": _cluster_json(scenario.cluster),
            "serving": {
                "teacher": _serving_json(pair.teacher, scenario.tokens),
                "student": _serving_json(pair.student, scenario.tokens),
                "latency_p99_ms": scenario.latency_p99_ms,
            },
            "paths": {
                "chain": _path_json(chain, plans["chain"], scenario.cluster),
                "direct": _path_json(direct, plans["direct"], scenario.cluster),
            },
            "direct_epochs_at_equal_compute": _equal_epochs(scenario, chain, direct),
            "hardware": {place.name: _hardware_json(place) for place in _used(scenario)},
        },
    }


_GENERAL = (
    "Nothing was measured: machine figures are the catalogue's, times are a roofline with its efficiencies.",
    "Ranges are drawn independently; the stages of one cluster err together, so the true spread is wider.",
    "Quality is not forecast: whether the chain beats the direct jump has to be tried.",
)


def _fit_notes(
    scenario: Scenario, chain: PathEstimate, direct: PathEstimate, pair: ServingPair
) -> tuple[str, ...]:
    memory = scenario.cluster.place.hardware.memory.figure.value
    trained = [
        f"{each.model.name} does not fit while it is trained: {each.memory.total_bytes / 1e9:.1f} GB on each "
        f"of {scenario.cluster.devices} devices of {memory / 1e9:g} GB with one input at a time. Raise "
        "cluster.sharding or cluster.devices; the times are as if it fitted."
        for each in {t.model.name: t for t in (*chain.trainings, *direct.trainings)}.values()
        if not each.fits
    ]
    served = [
        f"{each.model.name} does not fit on {each.place.hardware.title}: {each.memory_bytes / 1e9:.1f} GB."
        for each in (pair.teacher, pair.student)
        if not each.fits
    ]
    slow = [
        f"{each.model.name} on {each.place.hardware.title} does not keep p99 within "
        f"{scenario.latency_p99_ms:g} ms; it is counted at half its speed."
        for each in (pair.teacher, pair.student)
        if not each.served.capacity.holds
    ]
    return (*trained, *served, *slow)


def _equal_epochs(scenario: Scenario, chain: PathEstimate, direct: PathEstimate) -> float:
    """Epochs that the direct jump could be trained for with the operations of the whole chain."""
    spent = sum(training.flops for training in chain.trainings)
    return scenario.direct.epochs.value * spent / direct.trainings[0].flops


def _path_json(path: PathEstimate, plan: Plan, cluster: Cluster) -> JsonObject:
    costs = plan.costs
    assert costs is not None
    said = plan_json(plan)
    usd_per_hour = cluster.place.hardware.usd_per_hour.figure.value
    return {
        "stages": [_training_json(each, cluster) for each in path.trainings],
        "answers": [_job_json(each, usd_per_hour) for each in path.answers],
        "device_hours": sum(job.device_hours.value for job in path.jobs),
        "labelling_usd": costs.run.teacher_usd,
        "training_usd": costs.run.training_usd,
        "people_usd": costs.run.people_usd,
        "fits": all(each.fits for each in path.trainings),
        **{key: said[key] for key in ("run_usd", "savings_usd_per_day", "break_even_days", "break_even")},
        **{key: said[key] for key in ("pays", "verdict")},
    }


def _training_json(training: TrainingEstimate, cluster: Cluster) -> JsonObject:
    memory, hardware = training.memory, cluster.place.hardware
    return {
        **_job_json(training.stage, hardware.usd_per_hour.figure.value),
        "params": training.model.shape.parameters(),
        "flops": training.flops,
        "utilization": training.utilization,
        "micro_batch": training.micro_batch,
        "micro_batches": training.micro_batches,
        "memory_bytes": {
            "weights": memory.weights_bytes,
            "gradients": memory.gradients_bytes,
            "optimizer": memory.optimizer_bytes,
            "activations": memory.activations_bytes,
            "total": memory.total_bytes,
            "device": hardware.memory.figure.value,
        },
        "fits": training.fits,
    }


def _job_json(job: StageEstimate, usd_per_hour: float) -> JsonObject:
    hours = job.device_hours
    return {
        "name": job.name,
        "steps": _amount_json(job.steps),
        "step_s": _amount_json(job.step_s),
        "device_hours": _amount_json(hours),
        "usd": hours.value * usd_per_hour,
    }


def _serving_json(estimate: ServingEstimate, tokens: int) -> JsonObject:
    shape, place = estimate.model.shape, estimate.place
    return {
        "name": estimate.model.name,
        "params": shape.parameters(),
        "forward_flops": forward_flops(shape, batch=1, tokens=tokens),
        "machine": place.hardware.name,
        "precision": place.precision,
        "alone_ms": _amount_json(estimate.alone_ms),
        "batch": estimate.served.batch,
        "batch_ms": 1000.0 * estimate.served.batch_s,
        "requests_per_s": _amount_json(estimate.rps),
        "holds_latency": estimate.served.capacity.holds,
        "memory_bytes": estimate.memory_bytes,
        "fits": estimate.fits,
    }


def _cluster_json(cluster: Cluster) -> JsonObject:
    return {
        "machine": cluster.place.hardware.name,
        "devices": cluster.devices,
        "precision": cluster.place.precision,
        "sharding": cluster.sharding.value,
    }


def _used(scenario: Scenario) -> tuple[Hardware, ...]:
    places = (scenario.cluster.place, scenario.teacher_place, scenario.student_place)
    return tuple({place.hardware.name: place.hardware for place in places}.values())


def _hardware_json(hardware: Hardware) -> JsonObject:
    return {
        name: {"value": figure.value, "unit": figure.unit, "origin": figure.origin.value, "note": figure.note}
        for name, figure in hardware.figures().items()
    }


def _amount_json(amount: Bounded) -> JsonObject:
    return {"value": amount.value, "low": amount.low, "high": amount.high}
