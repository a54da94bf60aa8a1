"""The demo's memory: each step's result in a file, so that a second run goes on where the first stopped."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from coffey.core.files import write_atomic
from coffey.core.progress import Progress
from coffey.dashboard.plain import plain


class Steps:
    """Finished steps in a folder; a step's result is plain JSON."""

    def __init__(self, folder: Path, progress: Progress) -> None:
        """Use `folder`."""
        self._folder = folder
        self._progress = progress

    def once(self, name: str, title: str, run: Callable[[], object]) -> dict[str, Any]:
        """The result of step `name`: read back, or made now and kept."""
        path = self._folder / f"{name}.json"
        if path.exists():
            self._progress.say(f"{title}: kept from an earlier run.")
        else:
            self._progress.say(f"{title}.")
            write_atomic(path, json.dumps(plain(run()), allow_nan=False).encode())
        result: dict[str, Any] = json.loads(path.read_bytes())
        return result

    def done(self, name: str) -> bool:
        """Whether step `name` is finished."""
        return (self._folder / f"{name}.json").exists()
