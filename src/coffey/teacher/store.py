"""The label store: what a teacher answered, on disk, by key and never by position.

```text
<root>/labels/<teacher fingerprint>/header.json     what the fingerprint covers; format number; calibration
                                   /shards/<rows>-<sha256>.parquet
```

Local folders only. An opened store holds its answers in memory: 24 bytes a key and 4 bytes a label, so a
million answers over 150 labels take 0.6 GB.

Two processes may label into one store at once, without a lease: shards have unique names and are complete
when they appear, and a key that both asked has one answer in the end (see `AnswerTable`). What they lose is
the price of the keys that both asked in the same moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from coffey.core.clock import unix_now
from coffey.core.errors import StoreCorrupt
from coffey.core.ids import digest_unordered
from coffey.teacher.answers import are_independent, checked
from coffey.teacher.calibration import Calibration, at_temperature
from coffey.teacher.compaction import compact
from coffey.teacher.header import note_calibration, read_temperature, settle_header
from coffey.teacher.keys import Keys, first_of_each, pack_keys, unpack_keys
from coffey.teacher.protocol import NoisyTeacher, Probabilities, Teacher
from coffey.teacher.sampling import sample_texts
from coffey.teacher.shard import list_shards, read_shard, write_shard
from coffey.teacher.table import AnswerTable

HEADER = "header.json"

_LEFTOVER_S = 3600.0
"""Age from which a file that was written aside belongs to nobody: no write of one batch takes an hour."""


@dataclass(frozen=True, slots=True)
class Recheck:
    """What asking some stored answers again showed."""

    asked: int
    largest_difference: float
    """Largest absolute difference of a probability."""


class LabelStore:
    """One teacher's answers. Use `open`; a changed teacher has another fingerprint, so another folder."""

    def __init__(self, folder: Path, labels: int) -> None:
        self.folder = folder
        self._labels = labels
        self._shards = folder / "shards"
        self._table = AnswerTable(labels)
        self._seen: set[str] = set()
        self._temperature = read_temperature(folder / HEADER)
        self.refresh()

    @classmethod
    def open(cls, root: Path, teacher: Teacher) -> LabelStore:
        """The store of this teacher's answers under the project's store folder `root`; made when absent.

        Raises:
            StoreCorrupt: a damaged shard (named), or a header that describes another teacher.
            StoreUnavailable: the folder cannot be read or written.
            UnknownFormat: a later version of Coffey wrote it.
        """
        folder = root / "labels" / teacher.fingerprint
        settle_header(folder / HEADER, teacher)
        _sweep(folder / "shards")
        return cls(folder, len(teacher.labels))

    def refresh(self) -> None:
        """See what other processes committed since.

        Lists the folder until two listings are equal: one listing, taken while another process merges
        shards, may show neither the merged shard nor those it replaced.
        """
        before: list[Path] | None = None
        while (shards := list_shards(self._shards)) != before:
            for path in shards:
                if path.name not in self._seen:
                    self._load(path)
            before = shards

    def count(self) -> int:
        """How many inputs are answered."""
        return len(self._table)

    def missing(self, keys: Sequence[str]) -> list[str]:
        """The distinct keys that are not answered, in their order in `keys`."""
        self.refresh()
        packed = pack_keys(keys)
        packed = packed[first_of_each(packed)]
        return unpack_keys(packed[self._table.find(packed) < 0])

    def append(self, keys: Sequence[str], probabilities: Probabilities) -> None:
        """Commit answers, float32 [len(keys), labels], as one shard; keys that are here keep their answer.

        When this returns, the answers survive `kill -9` and a power cut.

        Raises:
            ValueError: the shapes do not fit.
            StoreUnavailable: the disk is full, or the like; nothing is written.
        """
        if probabilities.shape != (len(keys), self._labels):
            raise ValueError(f"answers {probabilities.shape} for {len(keys)} keys, {self._labels} labels")
        packed = pack_keys(keys)
        first = first_of_each(packed)
        fresh = first[self._table.find(packed[first]) < 0]
        if len(fresh):
            self._commit(packed[fresh], probabilities[fresh].astype(np.float32, copy=False))

    def read(self, keys: Sequence[str] | Keys) -> Probabilities:
        """The answers at the header's temperature, float32 [len(keys), labels]; row i answers key i.

        Keys may repeat.

        Raises:
            KeyError: a key is not answered.
        """
        return at_temperature(self.read_raw(keys), self._temperature)

    def calibrate(self, calibration: Calibration | None) -> None:
        """Read answers from now on as `calibration` says; kept in the header, the answers stay as given.

        Raises:
            StoreUnavailable: the header cannot be written.
        """
        note_calibration(self.folder / HEADER, calibration)
        self._temperature = calibration.applied if calibration else 1.0

    def read_raw(self, keys: Sequence[str] | Keys) -> Probabilities:
        """The answers as the teacher gave them, whatever the header says; otherwise as `read`."""
        packed = pack_keys(keys)
        rows = self._table.find(packed)
        if (rows < 0).any():
            first = unpack_keys(packed[rows < 0][:1])[0]
            raise KeyError(f"{int((rows < 0).sum())} of {len(packed)} keys are not answered, first {first}")
        return self._table.probabilities[rows]

    def digest(self, keys: Sequence[str] | Keys | None = None) -> str:
        """Digest of the set key → answer, of all answers or those of `keys`; order and shards do not matter.

        Raises:
            KeyError: a key is not answered.
        """
        packed = self._table.keys if keys is None else pack_keys(keys)
        packed = packed[first_of_each(packed)]
        return digest_unordered(_row_bytes(packed, self.read_raw(packed)))

    def recheck(
        self,
        teacher: Teacher,
        texts: Iterable[str],
        *,
        sample: int = 16,
        seed: int = 0,
        tolerance: float = 1e-3,
    ) -> Recheck:
        """Ask the teacher again for `sample` random answered texts and compare with what is stored.

        The choice depends on `seed` and the texts, not on their order. The tolerance default lies well above
        what another batch, thread count or processor changes in float32 (below 1e-4). A `NoisyTeacher` says
        by itself which answers cannot both be its own.

        Raises:
            StoreCorrupt: a probability differs by more than `tolerance`, or the teacher says so.
        """
        chosen = sample_texts(texts, lambda keys: self._table.find(keys) >= 0, sample=sample, seed=seed)
        if not chosen:
            return Recheck(asked=0, largest_difference=0.0)
        asked = list(chosen.values())
        said = checked(
            teacher.source,
            teacher.predict(asked),
            rows=len(asked),
            labels=self._labels,
            independent=are_independent(teacher.header),
        )
        stored = self.read_raw(list(chosen))
        if reason := _unlike(teacher, stored, said, list(chosen), tolerance):
            raise StoreCorrupt(
                str(self.folder),
                f"asked again, {reason}. The teacher {teacher.source!r} changed without a change of its "
                "fingerprint: set teacher.version or teacher.revision, or remove this folder",
            )
        return Recheck(asked=len(asked), largest_difference=float(np.abs(said - stored).max()))

    def _commit(self, keys: Keys, probabilities: Probabilities) -> None:
        self._seen.add(write_shard(self._shards, keys, probabilities).name)
        self._table.absorb(keys, probabilities)
        for merged in compact(self._shards, labels=self._labels):
            self._load(merged)

    def _load(self, path: Path) -> None:
        try:
            keys, probabilities = read_shard(path, labels=self._labels)
        except FileNotFoundError:
            return  # merged by another process; the next listing shows where its answers went
        self._table.absorb(keys, probabilities)
        self._seen.add(path.name)


def _unlike(
    teacher: Teacher, stored: Probabilities, said: Probabilities, keys: Sequence[str], tolerance: float
) -> str | None:
    """What shows that another teacher gave the stored answers; None when nothing does."""
    if isinstance(teacher, NoisyTeacher):
        return teacher.unlike(stored, said)
    difference = np.abs(said - stored).max(axis=1)
    worst = int(difference.argmax())
    if difference[worst] <= tolerance:
        return None
    return f"input {keys[worst]} differs by {difference[worst]:.4g} (at most {tolerance:g} is tolerated)"


def _row_bytes(keys: Keys, probabilities: Probabilities) -> Iterator[bytes]:
    for start in range(0, len(keys), 4096):
        part = slice(start, start + 4096)
        left = np.ascontiguousarray(keys[part]).view(np.uint8).reshape(len(keys[part]), -1)
        right = np.ascontiguousarray(probabilities[part]).view(np.uint8).reshape(len(left), -1)
        joined = np.concatenate([left, right], axis=1)
        yield from (row.tobytes() for row in joined)


def _sweep(folder: Path) -> None:
    for path in folder.glob(".*.tmp"):
        try:
            if unix_now() - path.stat().st_mtime > _LEFTOVER_S:
                path.unlink()
        except OSError:
            continue  # another process swept it first, or it will be swept another day
