"""Library logging neither configures the root logger nor hides from an application that listens."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import logging
from coffey.export.silence import unconfigured_logging
{setup}
with unconfigured_logging():
    logging.warning("from a library")
print(len(logging.getLogger().handlers))
"""


def run(setup: str) -> tuple[str, str]:
    code = CODE.format(setup=setup)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip(), done.stderr.strip()


def test_a_bare_root_logger_stays_bare_and_silent():
    """No handler is left, nothing is printed."""
    assert run("") == ("0", "")


def test_an_application_with_logging_hears_the_library():
    """Its handler stays the only one."""
    assert run("logging.basicConfig(format='%(message)s')") == ("1", "from a library")
