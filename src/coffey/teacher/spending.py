"""What asking has cost, batch by batch, so that the whole is known however often a run was cut off.

```text
<label store>/spending/<what for>-<id>.jsonl     one file a run; one line a batch that the teacher answered
```

A batch is noted when the teacher has answered, before the answers are committed: what is asked twice because
a process was killed in between is paid twice, and counted twice. Where answers come singly, a line holds all
of about a second (`Gathering`), and a kill loses what was spent since the last line.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from coffey.core.clock import Clock, monotonic
from coffey.core.errors import StoreUnavailable
from coffey.core.ids import fresh_id

SPENDING = "spending"
"""The folder's name in a label store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What some answers took."""

    texts: int = 0
    seconds: float = 0.0
    """Of the teacher's time."""
    usd: float | None = None
    """None when no price was configured for any of them."""

    def __add__(self, other: Spent) -> Spent:
        """Both together; USD without a price count as nothing beside those with one."""
        paid = [one.usd for one in (self, other) if one.usd is not None]
        return Spent(
            texts=self.texts + other.texts,
            seconds=self.seconds + other.seconds,
            usd=sum(paid) if paid else None,
        )

    def scaled(self, texts: int) -> Spent:
        """What `texts` answers take at this pace and price; of no answers, nothing follows.

        Raises:
            ZeroDivisionError: there are no answers.
        """
        share = texts / self.texts
        usd = None if self.usd is None else self.usd * share
        return Spent(texts=texts, seconds=self.seconds * share, usd=usd)


def spending_folder(root: Path, teacher: str) -> Path:
    """Where it is noted: beside the label store, under the store's `root`, of the teacher's fingerprint."""
    return root / "labels" / teacher / SPENDING


class SpendingLog:
    """One run's lines. The file is made by the first."""

    def __init__(self, folder: Path, purpose: str) -> None:
        """Write into `folder`; `purpose` is a word without `-`, such as `transfer`."""
        self._path = folder / f"{purpose}-{fresh_id()}.jsonl"

    def add(self, texts: int, seconds: float, usd: float | None) -> None:
        """Note a batch; when this returns, the line survives `kill -9` and a power cut.

        Raises:
            StoreUnavailable: the disk is full, or the like.
        """
        line = json.dumps({"texts": texts, "seconds": seconds, "usd": usd}) + "\n"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                file.write(line.encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as exc:
            raise StoreUnavailable(str(self._path), exc.strerror or str(exc)) from exc


class Gathering:
    """Notes what comes bit by bit, at most a line each `every_s`; the rest when it is left, also by an error.

    A line is flushed to the disk, which takes longer than many an answer of a service.
    """

    def __init__(self, log: SpendingLog | None, *, every_s: float = 1.0, clock: Clock = monotonic) -> None:
        """Write to `log`; without one nothing is noted."""
        self._log = log
        self._every_s = every_s
        self._clock = clock
        self._held = Spent()
        self._written_s = -math.inf

    def __enter__(self) -> Gathering:
        """Begin; the first bit is written at once."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write what is held."""
        self._write()

    def add(self, spent: Spent) -> None:
        """Note what some answers took.

        Raises:
            StoreUnavailable: as `SpendingLog.add`.
        """
        self._held += spent
        if self._clock() - self._written_s >= self._every_s:
            self._write()

    def _write(self) -> None:
        held, self._held = self._held, Spent()
        if self._log is not None and held != Spent():
            self._log.add(held.texts, held.seconds, held.usd)
            self._written_s = self._clock()


def read_spending(folder: Path) -> dict[str, Spent]:
    """What all runs together have spent, by purpose; empty where nothing was noted.

    Raises:
        StoreUnavailable: a file cannot be read.
    """
    found: dict[str, Spent] = {}
    for path in sorted(folder.glob("*-*.jsonl")):
        purpose = path.name.partition("-")[0]
        found[purpose] = sum(_lines(path), start=found.get(purpose, Spent()))
    return found


def _lines(path: Path) -> Iterator[Spent]:
    try:
        whole, _, _ = path.read_bytes().rpartition(b"\n")  # a line without an end was torn
    except OSError as exc:
        raise StoreUnavailable(str(path), exc.strerror or str(exc)) from exc
    for line in whole.splitlines():
        noted = json.loads(line)
        yield Spent(texts=noted["texts"], seconds=noted["seconds"], usd=noted["usd"])
