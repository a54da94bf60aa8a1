"""Machines that can be rented: how fast, how large, how dear. Nothing of it was measured here."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from coffey.core.records import Figure
from coffey.economics.figures import assumed
from coffey.economics.roofline import Speed
from coffey.economics.toml_reader import TomlReader

PRECISIONS = {"fp32": 4.0, "fp16": 2.0, "bf16": 2.0, "int8": 1.0}
"""Bytes of one weight or activation."""

_UNITS = {
    "memory_gb": (1e9, "bytes"),
    "bandwidth_gb_per_s": (1e9, "bytes/s"),
    "usd_per_hour": (1.0, "USD an hour"),
    "launch_us": (1e-6, "s a kernel"),
    "compute_efficiency": (1.0, "of the peak"),
    "bandwidth_efficiency": (1.0, "of the peak"),
}
_OPTIONAL = {"giga_elements_per_s": (1e9, "values a second")}
_PEAKS = {f"{precision}_tflops": precision for precision in PRECISIONS}


@dataclass(frozen=True, slots=True)
class Quoted:
    """A figure of the catalogue with its bounds; equal where it is exact."""

    figure: Figure
    low: float
    high: float


_UNBOUND = Quoted(assumed(math.inf, "values a second", "memory is always slower"), math.inf, math.inf)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """One machine, or one accelerator with its share of a machine."""

    name: str
    title: str
    peaks: Mapping[str, Quoted]
    """Dense FLOP/s (operations a second for int8) by precision; what is missing it cannot do."""
    memory: Quoted
    """Bytes."""
    bandwidth: Quoted
    """Bytes a second between memory and processor."""
    usd_per_hour: Quoted
    launch: Quoted
    """Seconds from one kernel to the next."""
    compute_efficiency: Quoted
    """Share of the peak that the matrix products of a whole model reach."""
    bandwidth_efficiency: Quoted
    elements: Quoted | None = None
    """Functions of single values a second; None where memory is always slower."""

    def figures(self) -> dict[str, Figure]:
        """Every figure by name, `peak:PRECISION` for the peaks."""
        plain = {
            field.name: value.figure
            for field in dataclasses.fields(self)
            if isinstance(value := getattr(self, field.name), Quoted)
        }
        return {**{f"peak:{name}": peak.figure for name, peak in self.peaks.items()}, **plain}

    def speeds(self, precision: str) -> Speeds:
        """What it sustains at a precision.

        Raises:
            KeyError: it does not have that precision.
        """
        peak, bytes_per_s = self.peaks[precision].figure.value, self.bandwidth.figure.value
        launch, elements = self.launch, self.elements or _UNBOUND
        compute, memory = self.compute_efficiency, self.bandwidth_efficiency

        def at(compute: float, memory: float, launch_s: float, elements_per_s: float) -> Speed:
            return Speed(peak * compute, bytes_per_s * memory, launch_s, elements_per_s)

        return Speeds(
            likely=at(*(each.figure.value for each in (compute, memory, launch, elements))),
            slow=at(compute.low, memory.low, launch.high, elements.low),
            fast=at(compute.high, memory.high, launch.low, elements.high),
        )


@dataclass(frozen=True, slots=True)
class Speeds:
    """The speed that is likely, and the bounds of what is assumed about it."""

    likely: Speed
    slow: Speed
    fast: Speed


def load_catalogue(extra: Path | None = None) -> dict[str, Hardware]:
    """The machines that ship with Coffey, by name; those of `extra` are added, or change figures of theirs.

    Raises:
        ConfigError: every problem of `extra`.
    """
    shipped = resources.files("coffey.economics") / "hardware.toml"
    with resources.as_file(shipped) as path:
        machines = _read(path, {})
    return machines | _read(extra, machines) if extra else machines


def _read(path: Path, known: Mapping[str, Hardware]) -> dict[str, Hardware]:
    root = TomlReader.of_file(path)
    found = {name: _machine(name, root.table(name), known.get(name)) for name in root.values}
    root.finish(str(path))
    return found


def _machine(name: str, table: TomlReader, known: Hardware | None) -> Hardware:
    title = table.text("title", default=known.title if known else None)
    quoted: dict[str, Quoted] = {}
    for key, (scale, unit) in (_UNITS | _OPTIONAL).items():
        if table.has(key) or (known is None and key in _UNITS):
            quoted[_field(key)] = _quoted(table.table(key), scale, unit)
    peaks = {
        precision: _quoted(table.table(key), 1e12, "FLOP/s")
        for key, precision in _PEAKS.items()
        if table.table(key, required=False).values
    }
    table.close()
    if known is not None:
        peaks = {**known.peaks, **peaks}
        return dataclasses.replace(known, title=title, peaks=peaks, **quoted)  # type: ignore[arg-type]
    if not peaks:
        table.refuse("bf16_tflops", None, f"at least one of {', '.join(_PEAKS)}")
    return Hardware(name=name, title=title, peaks=peaks, **quoted)


def _field(key: str) -> str:
    for unit in ("_gb_per_s", "_gb", "_us", "_per_s"):
        key = key.removesuffix(unit)
    return key.removeprefix("giga_")


def _quoted(table: TomlReader, scale: float, unit: str) -> Quoted:
    value = table.number("value", above=0)
    low, high = table.number("low", default=value, above=0), table.number("high", default=value, above=0)
    if not low <= value <= high:
        table.refuse("value", value, f"a number between low ({low:g}) and high ({high:g})")
    note = f"{table.text('source')}, {table.text('date')}"
    table.close()
    return Quoted(assumed(value * scale, unit, note), low * scale, high * scale)
