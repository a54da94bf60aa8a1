"""How fast the student will be and how long its stages train: probed, or assumed from their size."""

from __future__ import annotations

import math

from coffey.core.errors import ConfigError, Problem
from coffey.core.records import Figure
from coffey.core.settings import ChainSettings, Settings
from coffey.economics import assumptions
from coffey.economics.capacity import rate_figure
from coffey.economics.figures import assumed, configured, measured
from coffey.economics.inputs import StageCost
from coffey.economics.known import Known
from coffey.economics.probe_result import StageProbe


def student_service(settings: Settings, known: Known) -> Figure:
    """Milliseconds of one request to the last stage's student.

    Raises:
        ConfigError: the stage was not probed and its size cannot be told from its name.
    """
    last = settings.chain.stages[-1]
    probe = _probed(known).get(last)
    if probe:
        note = f"untrained {last} exported as {probe.variant}, one at a time"
        return measured(probe.p50_ms, "ms", note)
    tokens = settings.chain.max_length
    note = f"2 x parameters of {last} x {tokens} tokens at {assumptions.FLOPS:g} FLOP/s"
    return assumed(1000.0 * assumptions.forward_s(_params(last), tokens), "ms", note)


def student_rate(settings: Settings, known: Known) -> Figure:
    """Requests a second of one machine with the last stage's student: measured under load, or from its speed.

    Raises:
        ConfigError: as `student_service`.
    """
    promised = settings.budget.latency_p99_ms
    found = measured_rate(settings, known)
    return found or rate_figure(student_service(settings, known), latency_p99_ms=promised)


def measured_rate(settings: Settings, known: Known) -> Figure | None:
    """The highest rate at which `bench`, or the probe's server, found the promise kept; None without one."""
    promised = settings.budget.latency_p99_ms
    if known.student_rps is not None:
        return known.student_rps
    probe = _probed(known).get(settings.chain.stages[-1])
    served = probe.served if probe else None
    if served is not None and served.max_rps > 0 and served.latency_p99_ms == promised:
        note = f"coffey serve over loopback, highest rate with p99 within {promised:g} ms"
        return measured(served.max_rps, "requests a second", note)
    return None


def stage_costs(settings: Settings, known: Known) -> tuple[StageCost, ...]:
    """Steps, and seconds a step, of every stage.

    Raises:
        ConfigError: as `student_service`.
    """
    chain = settings.chain
    batches = math.ceil(known.rows * (1.0 - chain.validation) / chain.batch_size)
    note = "chain.epochs x rows / chain.batch_size, at most: a stage may stop early"
    steps = configured(round(chain.epochs * batches), "steps", note)
    probes = _probed(known)
    return tuple(StageCost(name, steps, _step_s(chain, name, probes.get(name))) for name in chain.stages)


def _step_s(chain: ChainSettings, name: str, probe: StageProbe | None) -> Figure:
    if probe:
        scale = chain.batch_size / probe.step_batch_size
        return measured(probe.step_s * scale, "s a step", f"steps of {probe.step_batch_size} inputs, here")
    seconds = assumptions.step_s(_params(name), chain.max_length, chain.batch_size)
    note = (
        f"6 x parameters of {name} x {chain.max_length} tokens x {chain.batch_size} inputs "
        f"at {assumptions.FLOPS:g} FLOP/s"
    )
    return assumed(seconds, "s a step", note)


def _probed(known: Known) -> dict[str, StageProbe]:
    return {probe.name: probe for probe in known.probe.stages} if known.probe else {}


def _params(stage: str) -> float:
    params = assumptions.stage_params(stage)
    if not params:
        expected = (
            "a number of parameters such as '2M', or a shape with layers and width; of another stage "
            "`coffey plan --probe` measures the speed"
        )
        raise ConfigError("coffey.toml", [Problem("chain.stages", stage, expected)])
    return params
