"""A teacher's sentence features on disk, in checked parts: kept when they come with answers, or asked for."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt
import safetensors.numpy

from coffey.core.clock import monotonic
from coffey.core.errors import BudgetExhausted, StoreUnavailable
from coffey.core.files import write_atomic
from coffey.core.ids import digest_bytes, input_key
from coffey.core.progress import Progress
from coffey.teacher.asking import UNPAID
from coffey.teacher.budget import Meter
from coffey.teacher.parts import in_parts
from coffey.teacher.protocol import FeatureTeacher, SentenceFeatures
from coffey.teacher.purse import Purse
from coffey.teacher.spending import Gathering, Spent

Features = npt.NDArray[np.float16]
"""float16 [n, width]: what the teacher's last linear layer reads of each text."""

PART = 1024
"""Texts a part."""

PART_SECONDS = 60.0
"""Of the teacher's time: a part that took so long is written, however few its texts. A kill costs no more."""

ASKED = 256
"""Texts asked for at once where features alone are missing; they are sorted by length within."""

_SHARE_OF_DISK = 0.1
"""Of the free bytes, at most."""

_READ_BYTES_PER_S = 100e6
"""A slow disk's, or a network's."""

_TASK = "features"


@dataclass(frozen=True, slots=True)
class Keeping:
    """Whether features are kept on disk, and why."""

    kept: bool
    reason: str


def decide_keeping(count: int, width: int, *, seconds: float, free_bytes: float) -> Keeping:
    """Keep features where reading them is faster than asking the teacher again, and the disk has room.

    Args:
        count: texts.
        width: values a text, of two bytes each.
        seconds: that the teacher takes for all of them.
        free_bytes: on the disk.

    >>> decide_keeping(10_000, 384, seconds=60, free_bytes=1e9).reason
    'kept on disk: 7.7 MB, which spares a later run 60 s of the teacher'
    """
    size = 2.0 * count * width
    megabytes = f"{size / 1e6:,.1f} MB"
    if size > _SHARE_OF_DISK * free_bytes:
        return Keeping(False, f"not kept: {megabytes} are more than a tenth of the free disk")
    if size / _READ_BYTES_PER_S >= seconds:
        return Keeping(False, f"not kept: the teacher is faster than reading {megabytes}")
    return Keeping(
        True, f"kept on disk: {megabytes}, which spares a later run {seconds:,.0f} s of the teacher"
    )


class FeatureKeeper:
    """Keeps features as they come; what is left is written when it is left, also by an error.

    Use it as a context. Whether features are kept is decided by the first part, whose pace is measured: the
    first call of a teacher alone may take long.
    """

    def __init__(self, folder: Path, count: int, progress: Progress) -> None:
        """Write parts into `folder`, of `count` texts at most; `progress` hears whether they are kept."""
        self._folder = folder
        self._count = count
        self._progress = progress
        self._keeping: Keeping | None = None
        self._keys: list[str] = []
        self._rows: list[Features] = []
        self._seconds = 0.0

    def __enter__(self) -> FeatureKeeper:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write what is held."""
        self._write()

    def add(self, keys: Sequence[str], features: SentenceFeatures, seconds: float) -> None:
        """Take the features [n, width] of some texts, for which the teacher took `seconds`.

        Raises:
            StoreUnavailable: a part cannot be written.
        """
        if self._keeping is not None and not self._keeping.kept:
            return
        self._keys += keys
        self._rows.append(features.astype(np.float16))
        self._seconds += seconds
        if len(self._keys) >= PART or self._seconds >= PART_SECONDS:
            self._write()

    def _write(self) -> None:
        if self._keys:
            features = np.concatenate(self._rows)
            self._keeping = self._keeping or self._decide(features)
            if self._keeping.kept:
                _write(self._folder, self._keys, features)
        self._keys, self._rows, self._seconds = [], [], 0.0

    def _decide(self, part: Features) -> Keeping:
        free = shutil.disk_usage(_existing(self._folder)).free
        seconds = self._seconds / len(part) * self._count
        keeping = decide_keeping(self._count, part.shape[1], seconds=seconds, free_bytes=free)
        self._progress.say(f"The teacher's features are {keeping.reason}.")
        return keeping


class FeatureReader:
    """Reads features through a folder; what is missing there is asked of the teacher, within a budget.

    What was read is held: every stage of a chain wants the same texts, also where nothing is kept on disk.
    """

    def __init__(
        self, teacher: FeatureTeacher, folder: Path, progress: Progress, *, purse: Purse = UNPAID
    ) -> None:
        """Nothing is read yet.

        Args:
            teacher: is asked for what is missing, `ASKED` texts at a time.
            folder: keeps the parts of this teacher's fingerprint.
            progress: hears how far it is, what it costs and whether they are kept.
            purse: what asking is paid from, all calls together.
        """
        self._teacher = teacher
        self._folder = folder
        self._progress = progress
        self._purse = purse
        self._meter = Meter(purse.price, teacher)
        self._held: dict[str, Features] = {}

    def __call__(self, texts: Sequence[str]) -> Features:
        """The features of `texts`; row i is of text i.

        Raises:
            BudgetExhausted: what is missing would cost more than what is allowed.
            TeacherUnavailable: the teacher failed.
            StoreUnavailable: a part is damaged (it is named), or cannot be written.
        """
        by_key = {input_key(text): text for text in texts}
        if unread := by_key.keys() - self._held.keys():
            self._held |= _known(self._folder, unread)
        if missing := {key: text for key, text in by_key.items() if key not in self._held}:
            self._ask(missing)
        return np.stack([self._held[input_key(text)] for text in texts])

    def _ask(self, missing: dict[str, str]) -> None:
        self._progress.start(_TASK, len(missing), "texts")
        with (
            FeatureKeeper(self._folder, len(missing), self._progress) as keeper,
            Gathering(self._purse.spending) as noted,
        ):
            for part, features, spent in self._asked(missing):
                noted.add(spent)
                keeper.add(part, features, spent.seconds)
                self._held |= dict(zip(part, features.astype(np.float16), strict=True))
                self._progress.advance(_TASK, len(part))
        self._progress.finish(_TASK, f"{len(missing):,} texts read by the teacher")

    def _asked(self, missing: dict[str, str]) -> Iterator[tuple[Sequence[str], SentenceFeatures, Spent]]:
        """Keys, their features and what these took, part after part within the budget."""
        limit_usd, meter = self._purse.limit_usd, self._meter
        left = len(missing)
        for part in in_parts(missing.items(), ASKED):
            texts = [text for _, text in part]
            spent_usd = meter.usd or 0.0
            if limit_usd is not None and spent_usd + meter.expected(texts) > limit_usd:
                raise BudgetExhausted(spent_usd, limit_usd, left, lacking="read for their features")
            begin = monotonic()
            _, features = self._teacher.predict_with_features(texts)
            seconds = monotonic() - begin
            meter.charge(texts, seconds)
            usd = None if meter.usd is None else meter.usd - spent_usd
            spent = Spent(texts=len(part), seconds=seconds, usd=usd)
            if left == len(missing):
                self._progress.say(_foreseen(spent.scaled(left)))
            left -= len(part)
            yield [key for key, _ in part], features, spent


def _foreseen(all_of_them: Spent) -> str:
    price = "" if all_of_them.usd is None else f" and {all_of_them.usd:.4f} USD"
    return (
        f"The features of {all_of_them.texts:,} texts did not come with their answers: the teacher reads "
        f"these again, about {all_of_them.seconds:,.0f} s{price}."
    )


def _existing(folder: Path) -> Path:
    return next(place for place in (folder, *folder.absolute().parents) if place.exists())


def _known(folder: Path, wanted: set[str]) -> dict[str, Features]:
    return {
        key: row for path in sorted(folder.glob("*.safetensors")) for key, row in _read(path) if key in wanted
    }


def _write(folder: Path, keys: Sequence[str], features: Features) -> None:
    """A part; its name is the digest of its bytes."""
    names = np.frombuffer(bytes.fromhex("".join(keys)), dtype=np.uint8).reshape(len(keys), -1)
    data = safetensors.numpy.save({"keys": names, "features": np.ascontiguousarray(features)})
    write_atomic(folder / f"{digest_bytes(data)}.safetensors", data)


def _read(path: Path) -> Iterator[tuple[str, Features]]:
    try:
        data = path.read_bytes()
    except OSError as exc:
        raise StoreUnavailable(str(path), exc.strerror or str(exc)) from exc
    if digest_bytes(data) != path.stem:
        raise StoreUnavailable(str(path), "damaged features (the checksum is wrong); remove the file")
    part = safetensors.numpy.load(data)
    yield from zip((row.tobytes().hex() for row in part["keys"]), part["features"], strict=True)
