"""`header.json`: says whose answers a label store keeps, and in which format.

Format 1. Keys may be added within a format; a change of meaning takes the next number, and a reader of it
must still read this one. `calibration` was added within format 1: what `teacher.calibration` measured, and
whether its temperature is applied to the answers when they are read.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from coffey.core.errors import StoreCorrupt, StoreUnavailable, UnknownFormat
from coffey.core.files import create_new, write_atomic
from coffey.core.ids import canonical_json
from coffey.teacher.calibration import Calibration
from coffey.teacher.protocol import Teacher

FORMAT = 1
_CALIBRATION = "calibration"


def settle_header(path: Path, teacher: Teacher) -> None:
    """Write the header of this teacher's store, or check that the one that is there describes it.

    Raises:
        StoreCorrupt: it is unreadable, or describes another teacher.
        StoreUnavailable: it can be neither written nor read.
        UnknownFormat: a later version of Coffey wrote it.
    """
    header = {
        "format": FORMAT,
        "fingerprint": teacher.fingerprint,
        "labels": list(teacher.labels),
        "teacher": dict(teacher.header),
    }
    if create_new(path, canonical_json(header)):
        return
    found = _read(path)
    if found.get("format") != FORMAT:
        raise UnknownFormat(str(path), found.get("format"), [FORMAT])
    if any(canonical_json(found.get(key)) != canonical_json(value) for key, value in header.items()):
        raise StoreCorrupt(str(path), f"it describes another teacher than {teacher.source!r}")


def read_temperature(path: Path) -> float:
    """The temperature at which the store's answers are read: 1 when nothing is corrected.

    Raises:
        StoreCorrupt: the header is unreadable.
        StoreUnavailable: it cannot be read.
    """
    noted: Any = _read(path).get(_CALIBRATION)
    if noted is None:
        return 1.0
    try:
        applied = float(noted["temperature"]) if noted["corrected"] else 1.0
    except (TypeError, KeyError, ValueError) as exc:
        raise StoreCorrupt(str(path), f"its calibration has no temperature ({exc!r})") from exc
    if not applied > 0:
        raise StoreCorrupt(str(path), f"its temperature is {applied:g}, expected one above 0")
    return applied


def note_calibration(path: Path, calibration: Calibration | None) -> None:
    """Put `calibration` into the header, or take it out; an equal one changes no file.

    Raises:
        StoreCorrupt: the header is unreadable.
        StoreUnavailable: it cannot be read or written.
    """
    found = _read(path)
    noted = {name: value for name, value in found.items() if name != _CALIBRATION}
    if calibration is not None:
        noted[_CALIBRATION] = asdict(calibration)
    if noted != found:
        write_atomic(path, canonical_json(noted))


def _read(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_bytes())
    except ValueError as exc:
        raise StoreCorrupt(str(path), f"it is not JSON ({exc})") from exc
    except OSError as exc:
        raise StoreUnavailable(str(path), exc.strerror or str(exc)) from exc
    if not isinstance(found, dict):
        raise StoreCorrupt(str(path), "it is not a JSON object")
    return found
