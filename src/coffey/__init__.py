"""Replace an expensive model with a small one, and keep the replacement honest in production."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from coffey._version import __version__

if TYPE_CHECKING:
    from coffey.artifact.predictor import Predictor as Predictor
    from coffey.core.errors import CoffeyError as CoffeyError
    from coffey.project.project import Project as Project

_HOMES = {
    "CoffeyError": "coffey.core.errors",
    "Predictor": "coffey.artifact.predictor",
    "Project": "coffey.project.project",
}

__all__ = ["CoffeyError", "Predictor", "Project", "__version__"]


def __getattr__(name: str) -> object:
    """Import a public name on first use (PEP 562), so that `import coffey` stays cheap."""
    if name not in _HOMES:
        raise AttributeError(f"module 'coffey' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
