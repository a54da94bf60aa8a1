"""Options that several commands share, and the project they name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coffey.dashboard.progress import RichProgress

if TYPE_CHECKING:
    from coffey.project.project import Project

Config = Annotated[Path, typer.Option("--config", "-c", help="The project's configuration file.")]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on stdout and nothing else there.")
]

DEFAULT_CONFIG = Path("coffey.toml")


@contextmanager
def opened(config: Path) -> Iterator[Project]:
    """The project of a configuration file, its progress drawn on stderr while the block runs.

    Raises:
        ConfigError: every problem of the file.
    """
    from coffey.project.project import Project

    with RichProgress() as progress:
        yield Project.load(config, progress=progress)
