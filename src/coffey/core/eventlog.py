"""An append-only log of numbered JSON files, each created only if nobody created that number before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coffey.core.errors import EventDamaged, StoreUnavailable
from coffey.core.files import create_new, write_atomic
from coffey.core.ids import canonical_json, digest_json

FORMAT = 1
"""A reader refuses other numbers. Keys may be added to a body without a new number; a change of the envelope
(`format`, `number`, `body`, `sha256`) takes the next one and keeps a reader for this one."""

_DIGITS = 10


@dataclass(frozen=True, slots=True)
class Event:
    """One entry: its number (from 1, without gaps) and what it says."""

    number: int
    body: dict[str, Any]


class EventLog:
    """Events in a local folder. Nothing is removed or changed, but for what has to be forgotten (`replace`).

    Everything that depends on where the files are is in `_numbers`, `_read`, `_create` and `replace`; an
    object store needs those with a conditional write (create if absent). Only local folders are supported.
    """

    def __init__(self, folder: Path) -> None:
        """Use `folder`; it is made by the first append."""
        self.folder = folder

    def append(self, number: int, body: dict[str, Any]) -> bool:
        """Write event `number`, the one after the last that the caller has read.

        Returns:
            False when another process wrote that number first; then nothing changes.

        Raises:
            StoreUnavailable: the folder cannot be written.
        """
        return self._create(number, _enveloped(number, body))

    def replace(self, number: int, body: dict[str, Any]) -> None:
        """Give event `number` another body, as a whole: for texts that may be kept no longer.

        Raises:
            StoreUnavailable: the folder cannot be written.
        """
        write_atomic(self.path(number), _enveloped(number, body))

    def last(self, known: int = 0) -> int:
        """The highest number, 0 when there is none.

        With `known` (a number that was seen before), one look at the next file when nothing is new.
        """
        if known and not self.path(known + 1).exists():
            return known
        return max(self._numbers(), default=0)

    def read(self, after: int = 0) -> Iterator[Event]:
        """Events with numbers over `after`, in order, up to the last one there is now.

        Raises:
            EventDamaged: a file is missing, unreadable, of an unknown format or changed; it is named.
        """
        for number in range(after + 1, self.last(after) + 1):
            yield Event(number, self._checked(number))

    def path(self, number: int) -> Path:
        """Where event `number` is."""
        return self.folder / f"{number:0{_DIGITS}d}.json"

    def _checked(self, number: int) -> dict[str, Any]:
        path = str(self.path(number))
        try:
            envelope = json.loads(self._read(number))
            body, found = envelope["body"], (envelope["format"], envelope["number"])
            digest = envelope["sha256"]
        except FileNotFoundError as exc:
            raise EventDamaged(path, "it is missing") from exc
        except (ValueError, KeyError, TypeError) as exc:
            raise EventDamaged(path, f"it is not an event ({exc})") from exc
        if found != (FORMAT, number):
            raise EventDamaged(path, f"format and number are {found!r}, expected {(FORMAT, number)!r}")
        if not isinstance(body, dict) or digest_json(body) != digest:
            raise EventDamaged(path, "its content does not match its digest")
        return body

    def _numbers(self) -> Iterator[int]:
        try:
            names = [path.stem for path in self.folder.iterdir() if path.suffix == ".json"]
        except FileNotFoundError:
            return
        except OSError as exc:
            raise StoreUnavailable(str(self.folder), exc.strerror or str(exc)) from exc
        yield from (int(name) for name in names if name.isdecimal())

    def _read(self, number: int) -> bytes:
        path = self.path(number)
        try:
            return path.read_bytes()
        except FileNotFoundError:
            raise
        except OSError as exc:
            raise StoreUnavailable(str(path), exc.strerror or str(exc)) from exc

    def _create(self, number: int, data: bytes) -> bool:
        return create_new(self.path(number), data)


def _enveloped(number: int, body: dict[str, Any]) -> bytes:
    plain = json.loads(canonical_json(body))
    envelope = {"format": FORMAT, "number": number, "body": plain, "sha256": digest_json(plain)}
    return canonical_json(envelope) + b"\n"
