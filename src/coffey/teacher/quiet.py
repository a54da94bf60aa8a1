"""Keeping transformers and the hub client quiet while they load: progress is told through `core.progress`."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from transformers.utils import logging as transformers_logging

_logging: Any = transformers_logging
"""Its switches have no type information. They also switch the bars of the hub client."""


@contextmanager
def quietly() -> Iterator[None]:
    """No bars, no warnings, no log lines below errors inside; everything as it was after."""
    level, bars = _logging.get_verbosity(), _logging.is_progress_bar_enabled()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _logging.set_verbosity_error()
        _logging.disable_progress_bar()
        try:
            yield
        finally:
            _logging.set_verbosity(level)
            if bars:
                _logging.enable_progress_bar()
