"""Ticks that are killed with SIGKILL at every step in turn: `killed_ticks.py CONFIG before|after`.

A child is forked for each tick. It dies before (or after) it appends the next event that is not there yet,
of the journal, the registry or the audits, until one comes to its end. Prints how many were killed.
"""

from __future__ import annotations

import os
import signal
import sys

import coffey.project.ticking  # noqa: F401 - imported once, for all children
from coffey.core.eventlog import EventLog
from coffey.project.project import Project


def tick(config: str, moment: str, *, allowed: int) -> None:
    """One tick that dies at its event number `allowed` + 1."""
    append, written = EventLog.append, 0

    def dying(log: EventLog, number: int, body: dict[str, object]) -> bool:
        nonlocal written
        if moment == "before" and written == allowed:
            os.kill(os.getpid(), signal.SIGKILL)
        done = append(log, number, body)
        if moment == "after" and written == allowed:
            os.kill(os.getpid(), signal.SIGKILL)
        written += 1
        return done

    EventLog.append = dying  # type: ignore[method-assign]
    Project.load(config).tick()


def forked_tick(config: str, moment: str, *, allowed: int) -> int:
    """Its exit code; minus 9 when it was killed."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            tick(config, moment, allowed=allowed)
            code = 0
        except Exception:  # noqa: BLE001 - told, and the exit code says so
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(config: str, moment: str) -> int:
    """Kill until there is nothing left to kill."""
    kills = 0
    while (code := forked_tick(config, moment, allowed=1 if kills and moment == "before" else 0)) == -9:
        kills += 1
    sys.stdout.write(f"{kills}\n")
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
