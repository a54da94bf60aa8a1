"""One thing that `doctor` looked at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, and what to do about it."""

    name: str
    ok: bool | None
    """True: good. False: in the way. None: could not be examined, or worth a look."""
    detail: str
    mend: str = ""
    """What to do; empty where nothing is to be done."""
