"""One object on stdout, messages on stderr, and an exit code that means something."""

from __future__ import annotations

import errno
import json
import math
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.table import Table

from coffey.cli.drawing import figure_table
from coffey.cli.output import emit, guarded, json_object
from coffey.core.errors import BudgetExhausted, ConfigError, ProbeFailed, Problem


@dataclass(frozen=True)
class Result:
    p50_ms: float
    path: Path


def _draw(result: Result) -> Table:
    return figure_table(("p50",), [(f"{result.p50_ms} ms",)])


def test_json_is_one_object_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    """With --json stdout holds one line, one object; NaN is null; stderr is empty."""
    emit(Result(math.nan, Path("a")), True, _draw)
    said = capsys.readouterr()
    assert json.loads(said.out) == {"p50_ms": None, "path": "a"}
    assert said.out.count("\n") == 1
    assert said.err == ""


def test_people_get_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    """Without --json the drawing is printed on stdout."""
    emit(Result(1.5, Path("a")), False, _draw)
    assert "1.5 ms" in capsys.readouterr().out


def test_what_is_no_object_is_refused() -> None:
    """A list on stdout would break whoever reads keys."""
    with pytest.raises(TypeError, match="one JSON object"):
        json_object([1, 2])


def test_json_is_readable_in_any_locale() -> None:
    """Text that the locale cannot write, even half a surrogate pair, is escaped rather than fatal."""
    assert json_object({"text": "é\ud800"}).isascii()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("coffey.toml", [Problem("budget.max_usd", -1, "a number above 0")]), 2),
        (ProbeFailed("teacher", "no answer"), 1),
        (BudgetExhausted(1.0, 1.0, 3), 3),
    ],
)
def test_an_error_is_its_message_and_its_exit_code(
    error: Exception, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Errors raised on purpose are told on stderr without a traceback."""

    def run() -> None:
        raise error

    assert guarded(run, debug=False) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("Error: ")
    assert str(error).splitlines()[0] in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("number", "way_out"),
    [(errno.ENOSPC, "Make room there"), (errno.EACCES, "Let this user"), (errno.EROFS, "Let this user")],
)
def test_a_disk_that_takes_nothing_is_named_with_a_way_out(
    capsys: pytest.CaptureFixture[str], number: int, way_out: str
) -> None:
    """The file, what the system said of it, and what to do; no room below has to word it."""

    def run() -> None:
        raise OSError(number, os.strerror(number), "/data/labels.db")

    assert guarded(run, debug=False) == 3
    said = capsys.readouterr().err
    assert f"/data/labels.db: {os.strerror(number)}. {way_out}" in said
    assert "unexpected" not in said
    assert "Traceback" not in said


def test_the_unexpected_is_short_and_its_traceback_only_in_debug(capsys: pytest.CaptureFixture[str]) -> None:
    """A bug is told in two lines; --debug shows where."""

    def run() -> None:
        raise ZeroDivisionError("by [bold]zero[/bold]")

    assert guarded(run, debug=False) == 3
    short = capsys.readouterr().err
    assert "unexpected ZeroDivisionError: by [bold]zero[/bold]" in short
    assert "--debug" in short
    assert "Traceback" not in short
    assert guarded(run, debug=True) == 3
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(("returned", "code"), [(None, 0), (0, 0), (1, 1), ("done", 1)])
def test_exit_codes_pass_through(returned: object, code: int) -> None:
    """A code that is returned, or raised as SystemExit, is the code of the process."""

    def leave() -> None:
        sys.exit(returned)  # type: ignore[arg-type]

    assert guarded(leave, debug=False) == code
    if not isinstance(returned, str):
        assert guarded(lambda: returned, debug=False) == code


def test_ctrl_c_ends_with_one_line_and_130() -> None:
    """A process that is interrupted says one line on stderr, nothing on stdout, and exits with 130."""
    # A background job begins with SIGINT ignored.
    code = (
        "import signal, sys, time\nfrom coffey.cli.output import guarded\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "def run():\n    print('ready', flush=True)\n    time.sleep(60)\n"
        "sys.exit(guarded(run, debug=False))"
    )
    source = str(Path(sys.modules["coffey"].__file__ or "").parents[1])
    environment = {**os.environ, "PYTHONPATH": source}
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("Stopped.")


def test_a_reader_that_leaves_is_no_error() -> None:
    """`coffey plan --json | head -0` ends quietly."""
    code = (
        "import sys\nfrom coffey.cli.output import emit, guarded\n"
        "sys.stdin.readline()\n"
        "sys.exit(guarded(lambda: emit({'a': 'x' * 200000}, True, str), debug=False))"
    )
    source = str(Path(sys.modules["coffey"].__file__ or "").parents[1])
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": source},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.wait(timeout=30) == 0
        assert process.stderr.read() == ""
