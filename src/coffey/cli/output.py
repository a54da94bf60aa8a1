"""What a command says when it ends: a table for people or one JSON object, and one exit code."""

from __future__ import annotations

import errno
import json
import os
import sys
import traceback
from collections.abc import Callable
from typing import TypeVar

from rich.console import Console, RenderableType
from rich.text import Text

from coffey.core.errors import CoffeyError, MissingExtra
from coffey.dashboard.plain import plain

T = TypeVar("T")

STOPPED = 130
"""128 + SIGINT, as shells report it."""
UNEXPECTED = 3
EXTRAS = {
    **dict.fromkeys(("duckdb", "httpx", "jinja2", "pyarrow", "scipy", "starlette"), "watch"),
    **dict.fromkeys(
        ("accelerate", "onnx", "onnxscript", "safetensors", "sympy", "torch", "transformers"), "distill"
    ),
}
"""The extra that brings a package which is not in the base install."""
_ROOM = "Make room there; what was done is kept, and the same command goes on."
_RIGHTS = "Let this user read and write there, then run again."
_WAYS_OUT = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
    errno.EROFS: _RIGHTS,
}
"""What to do about a disk that no room below had its own words for."""
PIPE_WIDTH = 120
"""Columns when stdout is not a terminal; rich's 80 would break the wider tables."""


def emit(value: T, as_json: bool, draw: Callable[[T], RenderableType]) -> None:
    """Print the result of a command on stdout: one JSON object with `as_json`, else what `draw` makes of it.

    The JSON is one line of ASCII, so that it can be read in any locale; records, enums, paths and numpy
    values become plain ones, NaN and infinities null (`dashboard.plain`). A reader that closed the pipe
    is no error.

    Raises:
        TypeError: `value` has no JSON form, or is not an object.
    """
    try:
        if as_json:
            sys.stdout.write(json_object(value) + "\n")
        else:
            people().print(draw(value))
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def json_object(value: object) -> str:
    """`value` (a record or a mapping) as one line of strict JSON.

    >>> json_object({"p50_ms": float("nan")})
    '{"p50_ms": null}'
    """
    found = plain(value)
    if not isinstance(found, dict):
        raise TypeError(f"A command prints one JSON object, not {type(value).__name__}.")
    return json.dumps(found, allow_nan=False)


def people() -> Console:
    """Stdout for people."""
    return Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False)


def guarded(run: Callable[[], object], *, debug: bool) -> int:
    """Run a command and turn however it ends into an exit code, with at most a short message on stderr.

    `run` may return an exit code, raise `SystemExit` (as typer does) or a `CoffeyError`. Ctrl-C gives one
    line and 130. Anything unexpected gives one line and 3, and its traceback only with `debug`.
    """
    try:
        return _finished(run())
    except SystemExit as stop:
        return _finished(stop.code)
    except KeyboardInterrupt:
        return _finished(STOPPED)
    except CoffeyError as exc:
        return _refused(exc, debug=debug)
    except ModuleNotFoundError as exc:
        extra = EXTRAS.get((exc.name or "").partition(".")[0])
        if extra is None:
            return _unexpected(exc, debug=debug)
        return _refused(MissingExtra("This command", extra, exc.name or ""), debug=debug)
    except Exception as exc:  # noqa: BLE001 - the process edge
        if isinstance(exc, OSError) and exc.errno in _WAYS_OUT:
            return _no_disk(exc, debug=debug)
        return _unexpected(exc, debug=debug)


def _refused(exc: CoffeyError, *, debug: bool) -> int:
    _complain(str(exc))
    if debug:
        traceback.print_exc()
    return exc.exit_code


def _no_disk(exc: OSError, *, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    place = "" if exc.filename is None else f"{exc.filename}: "
    _complain(f"{place}{exc.strerror}. {_WAYS_OUT[exc.errno or 0]}")
    return UNEXPECTED


def _finished(code: object) -> int:
    if code == STOPPED:
        _errors().print(Text("Stopped. What was done is kept; run the same command again to go on."))
    if isinstance(code, str):
        _complain(code)
        return 1
    return code if isinstance(code, int) else 0


def _unexpected(exc: Exception, *, debug: bool) -> int:
    if debug:
        traceback.print_exc()
        return UNEXPECTED
    lines = str(exc).strip().splitlines()
    said = f": {lines[0]}" if lines else ""
    _complain(f"unexpected {type(exc).__name__}{said}\nRun again with --debug to see where.")
    return UNEXPECTED


def _complain(message: str) -> None:
    _errors().print(Text.assemble(("Error: ", "bold red"), message), soft_wrap=True)


def _errors() -> Console:
    return Console(stderr=True, highlight=False)
