"""A measurement says where it was taken, with what, and how quiet it was there."""

from __future__ import annotations

from typing import Any

from coffey.bench.machine import describe_machine, usable_cores
from coffey.bench.noise import Noise, measure_noise
from coffey.bench.versions import versions


def test_the_machine_is_described() -> None:
    """Name, cores this process may use, memory."""
    machine = describe_machine()
    assert machine.cpu
    assert machine.cores == len(usable_cores()) >= 1
    assert machine.memory_gib >= 0
    assert machine.python.startswith("3.")


def test_versions_name_what_answers_depend_on() -> None:
    """The runtime is always there."""
    assert {"python", "numpy", "onnxruntime", "tokenizers"} <= set(versions())


def test_a_quiet_machine_has_no_warning_and_a_noisy_one_has() -> None:
    """One and a half times the median at p99 is too much to trust a tail."""
    assert Noise(1.0, 1.2).warning is None
    warning = Noise(1.0, 3.0).warning
    assert warning is not None
    assert "3.0x" in warning


def test_noise_is_measured_with_the_clock_given(fake_clock: Any) -> None:
    """A clock that moves evenly is a quiet machine."""
    noise = measure_noise(turns=10, clock=fake_clock)
    assert round(noise.ratio, 3) == 1.0
