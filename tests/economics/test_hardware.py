"""The catalogue is complete, sourced, and can be overridden."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from coffey.core.errors import ConfigError
from coffey.core.records import Origin
from coffey.economics.hardware import PRECISIONS, Hardware, load_catalogue

CATALOGUE = load_catalogue()


def test_the_machines_that_people_rent_are_there() -> None:
    """Five accelerators and a plain machine."""
    assert {"h100-sxm-80gb", "a100-sxm-80gb", "l4", "a10g", "t4", "cpu-c6i-xlarge"} <= set(CATALOGUE)


@pytest.mark.parametrize("machine", CATALOGUE.values(), ids=lambda machine: machine.name)
def test_every_figure_is_assumed_and_says_from_where_and_when(machine: Hardware) -> None:
    """No figure is without source and year, none claims to be measured, precisions are known ones."""
    assert set(machine.peaks) <= set(PRECISIONS)
    assert "fp32" in machine.peaks
    for name, figure in machine.figures().items():
        assert figure.origin is Origin.ASSUMED, name
        assert math.isfinite(figure.value), name
        source, _, date = figure.note.rpartition(", ")
        assert len(source) > 5, name
        assert date[:2] == "20", name


@pytest.mark.parametrize("machine", CATALOGUE.values(), ids=lambda machine: machine.name)
def test_peaks_are_dense_and_ordered(machine: Hardware) -> None:
    """Fewer bits are never slower, and nothing reaches what its peak allows."""
    by_bits = [machine.peaks[p].figure.value for p in ("fp32", "fp16", "int8") if p in machine.peaks]
    assert by_bits == sorted(by_bits)
    speeds = machine.speeds("fp32")
    assert speeds.slow.flops_per_s < speeds.likely.flops_per_s < speeds.fast.flops_per_s
    assert speeds.fast.flops_per_s < machine.peaks["fp32"].figure.value


def test_a_file_replaces_single_figures_and_adds_machines(tmp_path: Path) -> None:
    """The price of one machine changes and the rest of it stays; a new machine needs all its figures."""
    path = tmp_path / "mine.toml"
    quoted = '{ value = 1, source = "our contract", date = "2026-01" }'
    keys = ("memory_gb", "bandwidth_gb_per_s", "usd_per_hour", "launch_us", "compute_efficiency",
            "bandwidth_efficiency", "fp32_tflops")  # fmt: skip
    mine = "\n".join(f"{key} = {quoted}" for key in keys)
    path.write_text(f'[l4]\nusd_per_hour = {quoted}\n[ours]\ntitle = "Ours"\n{mine}')
    catalogue = load_catalogue(path)
    assert catalogue["l4"].usd_per_hour.figure.note == "our contract, 2026-01"
    assert catalogue["l4"].peaks == CATALOGUE["l4"].peaks
    assert catalogue["ours"].memory.figure.value == 1e9
    assert catalogue["t4"] == CATALOGUE["t4"]


def test_a_wrong_file_is_refused_with_all_its_problems(tmp_path: Path) -> None:
    """A figure without its source, one outside its own bounds, a machine without peaks, a misspelled key."""
    path = tmp_path / "mine.toml"
    path.write_text(
        "[l4]\nusd_per_hour = { value = 1 }\n"
        "memory_gb = { value = 9, low = 1, high = 2, source = 'a', date = 'b' }\n"
        "bandwith_gb_per_s = 3\n[ours]\ntitle = 'Ours'"
    )
    with pytest.raises(ConfigError) as caught:
        load_catalogue(path)
    keys = {problem.key for problem in caught.value.problems}
    assert {"l4.usd_per_hour.source", "l4.usd_per_hour.date"} <= keys
    assert {"l4.memory_gb.value", "l4.bandwith_gb_per_s"} <= keys
    assert {"ours.memory_gb", "ours.launch_us", "ours.bf16_tflops"} <= keys
