"""Keeping libraries that log through the root logger from setting up logging for everybody."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def unconfigured_logging() -> Iterator[None]:
    """Within it, a root logger without handlers stays so, and what it would print is dropped.

    ONNX Runtime's tools call `logging.info` and `logging.warning`, which attach a handler to a bare root
    logger. Where the application has set up logging, nothing changes and it hears them.
    """
    root = logging.getLogger()
    if root.hasHandlers():
        yield
        return
    nobody = logging.NullHandler()
    root.addHandler(nobody)
    try:
        yield
    finally:
        root.removeHandler(nobody)
