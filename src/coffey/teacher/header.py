"""`header.json`: says whose answers a label store keeps, and in which format.

Format 1. Keys may be added within a format; a change of meaning takes the next number, and a reader of it
must still read this one.
"""

from __future__ import annotations

import json
from pathlib import Path

from coffey.core.errors import StoreCorrupt, StoreUnavailable, UnknownFormat
from coffey.core.files import create_new
from coffey.core.ids import canonical_json
from coffey.teacher.protocol import Teacher

FORMAT = 1


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
