"""Files to read, and a short way to read them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from coffey.data.source import ExampleSource

# Machines are shared: the time of one example says nothing.
settings.register_profile("coffey", deadline=None, max_examples=60)
settings.load_profile("coffey")


@pytest.fixture
def put(tmp_path: Path) -> Callable[[str, bytes | str], str]:
    def write(name: str, content: bytes | str) -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    return write


@pytest.fixture
def source() -> Callable[..., ExampleSource]:
    def make(*urls: str, label: str | None = "label", skip: bool = True, **more: bool) -> ExampleSource:
        return ExampleSource(urls, text="text", label=label, bad_rows="skip" if skip else "refuse", **more)

    return make
