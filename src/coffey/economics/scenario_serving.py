"""How a model of a scenario serves: alone, in batches, and how many requests one machine takes."""

from __future__ import annotations

from dataclasses import dataclass

from coffey.core.records import Figure
from coffey.economics.figures import assumed
from coffey.economics.scenario import ModelPlan, Place, Scenario
from coffey.economics.toml_reader import Bounded
from coffey.economics.training_memory import USABLE
from coffey.economics.transformer_time import Asked, Served, answers_per_s, served_within


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingEstimate:
    """One model on one machine."""

    model: ModelPlan
    place: Place
    alone_ms: Bounded
    """One request, nothing else."""
    served: Served
    rps: Bounded
    """Requests a second within the latency promise."""
    texts_per_s: Bounded
    """Where nobody waits."""
    memory_bytes: float
    fits: bool

    def rps_figure(self) -> Figure:
        """The rate with where it comes from."""
        how = "within" if self.served.capacity.holds else "(at half speed) not within"
        note = f"{self._where()}, batches of {self.served.batch}, p99 {how} the promise (M/M/1)"
        return assumed(self.rps.value, "requests a second", note)

    def texts_figure(self) -> Figure:
        """Answers a second with where they come from."""
        return assumed(self.texts_per_s.value, "texts a second", f"{self._where()}, best batch")

    def alone_figure(self) -> Figure:
        """Latency of one request with where it comes from."""
        return assumed(self.alone_ms.value, "ms", f"{self._where()}, one request alone")

    def _where(self) -> str:
        return f"{self.model.name} on {self.place.hardware.title} in {self.place.precision}: roofline"


def serve_estimate(
    model: ModelPlan, place: Place, scenario: Scenario, *, decoded_tokens: int = 0
) -> ServingEstimate:
    """The model serving on `place`; the batch size is the best one at the likely speed."""
    asked = Asked(
        shape=model.shape,
        tokens=scenario.tokens,
        decoded_tokens=decoded_tokens,
        precision=place.precision,
    )
    speeds = place.hardware.speeds(place.precision)
    promise, most = scenario.latency_p99_ms, scenario.max_batch
    in_turn = (speeds.likely, speeds.slow, speeds.fast)
    served = [served_within(asked, speed, max_batch=most, latency_p99_ms=promise) for speed in in_turn]
    memory_bytes = asked.memory_bytes(most)
    alone = (1000.0 * asked.seconds(1, speed) for speed in (speeds.likely, speeds.fast, speeds.slow))
    return ServingEstimate(
        model=model,
        place=place,
        alone_ms=Bounded(*alone),
        served=served[0],
        rps=Bounded(*(each.capacity.rps for each in served)),
        texts_per_s=Bounded(*(answers_per_s(asked, speed, max_batch=most) for speed in in_turn)),
        memory_bytes=memory_bytes,
        fits=memory_bytes <= USABLE * place.hardware.memory.figure.value,
    )
