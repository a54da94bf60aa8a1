"""Versions of what a measurement depends on."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

_PACKAGES = (
    "coffey",
    "httptools",
    "numpy",
    "onnxruntime",
    "tokenizers",
    "torch",
    "transformers",
    "uvicorn",
    "uvloop",
)


def versions() -> dict[str, str]:
    """Installed versions by package name, and `python`; what is not installed is left out."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
