"""What one stage of a scenario takes on its cluster: steps, seconds, memory, device hours."""

from __future__ import annotations

import math
from dataclasses import dataclass

from coffey.economics.figures import assumed, configured
from coffey.economics.inputs import StageCost
from coffey.economics.run_cost import SECONDS_PER_HOUR
from coffey.economics.scenario import Cluster, ModelPlan, Scenario, StagePlan
from coffey.economics.toml_reader import Bounded
from coffey.economics.training_memory import TrainingMemory, largest_micro_batch, training_memory
from coffey.economics.transformer_time import Asked, answers_per_s, step_seconds
from coffey.economics.transformer_work import training_flops


@dataclass(frozen=True, slots=True, kw_only=True)
class StageEstimate:
    """A stage, or another job that keeps the whole cluster busy for `steps` equal steps."""

    name: str
    devices: int
    steps: Bounded
    step_s: Bounded
    note: str

    @property
    def device_hours(self) -> Bounded:
        """Devices x hours."""
        factor = self.devices / SECONDS_PER_HOUR
        bounds = ((self.steps.low, self.step_s.low), (self.steps.high, self.step_s.high))
        low, high = (factor * steps * step_s for steps, step_s in bounds)
        return Bounded(factor * self.steps.value * self.step_s.value, low, high)

    def cost(self) -> StageCost:
        """The stage as a plan counts it."""
        steps = configured(self.steps.value, "steps", "epochs x rows / batch")
        return StageCost(self.name, steps, assumed(self.step_s.value, "s a step", self.note))

    def ranges(self) -> dict[str, tuple[float, float]]:
        """What of it is known within bounds only, under the names of a plan's figures."""
        named = {f"steps:{self.name}": self.steps, f"step_s:{self.name}": self.step_s}
        return {name: (amount.low, amount.high) for name, amount in named.items() if amount.ranged}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingEstimate:
    """A training: how the batch is cut up so that it fits, and what a device holds then."""

    stage: StageEstimate
    model: ModelPlan
    micro_batch: int
    micro_batches: int
    memory: TrainingMemory
    fits: bool
    flops: float
    """Of all steps on all devices."""
    utilization: float
    """Share of the peak that the likely time comes to."""


def train_estimate(stage: StagePlan, scenario: Scenario) -> TrainingEstimate:
    """The training of one student on the scenario's cluster."""
    cluster, shape, tokens = scenario.cluster, stage.model.shape, scenario.tokens
    share = math.ceil(stage.batch / cluster.devices)
    fitting = largest_micro_batch(
        shape,
        batch=share,
        tokens=tokens,
        devices=cluster.devices,
        sharding=cluster.sharding,
        memory_bytes=cluster.place.hardware.memory.figure.value,
    )
    micro_batch = fitting or 1
    micro_batches = math.ceil(share / micro_batch)
    steps = _steps(stage, scenario.rows)
    step_s = _step_s(stage, cluster, micro_batch, micro_batches, tokens)
    flops = training_flops(shape, batch=stage.batch, tokens=tokens)
    peak = cluster.place.hardware.peaks[cluster.place.precision].figure.value
    return TrainingEstimate(
        stage=StageEstimate(
            name=stage.model.name,
            devices=cluster.devices,
            steps=steps,
            step_s=step_s,
            note=f"roofline of {cluster.devices} x {cluster.place.hardware.title}",
        ),
        model=stage.model,
        micro_batch=micro_batch,
        micro_batches=micro_batches,
        memory=training_memory(
            shape, micro_batch=micro_batch, tokens=tokens, devices=cluster.devices, sharding=cluster.sharding
        ),
        fits=fitting is not None,
        flops=flops * steps.value,
        utilization=flops / (step_s.value * peak * cluster.devices),
    )


def answers_estimate(teacher: ModelPlan, scenario: Scenario) -> StageEstimate:
    """A student answering the transfer set once, for the stage that it teaches."""
    cluster = scenario.cluster
    asked = Asked(shape=teacher.shape, tokens=scenario.tokens, precision=cluster.place.precision)
    speeds = cluster.place.hardware.speeds(cluster.place.precision)
    rates = [
        answers_per_s(asked, speed, max_batch=scenario.max_batch)
        for speed in (speeds.likely, speeds.fast, speeds.slow)
    ]
    batch_s = Bounded(*(scenario.max_batch / rate for rate in rates))
    steps = _scaled(scenario.rows, 1.0 / (scenario.max_batch * cluster.devices))
    return StageEstimate(
        name=f"answers of {teacher.name}",
        devices=cluster.devices,
        steps=steps,
        step_s=batch_s,
        note=f"forward passes in batches of {scenario.max_batch}",
    )


def _steps(stage: StagePlan, rows: Bounded) -> Bounded:
    epochs = stage.epochs
    inputs = Bounded(epochs.value * rows.value, epochs.low * rows.low, epochs.high * rows.high)
    return _scaled(inputs, 1.0 / stage.batch)


def _scaled(amount: Bounded, factor: float) -> Bounded:
    return Bounded(*(math.ceil(factor * value) for value in (amount.value, amount.low, amount.high)))


def _step_s(stage: StagePlan, cluster: Cluster, micro_batch: int, micro_batches: int, tokens: int) -> Bounded:
    speeds = cluster.place.hardware.speeds(cluster.place.precision)
    return Bounded(
        *(
            step_seconds(
                stage.model.shape,
                speed,
                micro_batch=micro_batch,
                micro_batches=micro_batches,
                tokens=tokens,
                precision=cluster.place.precision,
            )
            for speed in (speeds.likely, speeds.fast, speeds.slow)
        )
    )
