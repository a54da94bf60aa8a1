"""The teacher's sentence features on disk: read once, kept in checked parts, gone on with after a crash."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import safetensors.numpy

from coffey.core.clock import Clock, monotonic
from coffey.core.errors import StoreUnavailable
from coffey.core.files import write_atomic
from coffey.core.ids import digest_bytes, input_key
from coffey.core.progress import Progress
from coffey.teacher.protocol import FeatureTeacher

Features = npt.NDArray[np.float16]
"""float16 [n, width]: what the teacher's last linear layer reads of each text."""

PART = 1024
"""Texts a part; what a crash can cost."""

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


def read_features(
    teacher: FeatureTeacher,
    texts: Sequence[str],
    *,
    folder: Path,
    progress: Progress,
    clock: Clock = monotonic,
) -> Features:
    """The features of `texts`, from `folder` where they are there, else from the teacher.

    Args:
        teacher: is asked for what is missing, `PART` texts at a time.
        texts: row i answers text i.
        folder: keeps the parts of this teacher's fingerprint.
        progress: hears how far it is and whether they are kept.
        clock: measures the teacher.

    Raises:
        TeacherUnavailable: the teacher failed.
        StoreUnavailable: a part is damaged (it is named), or cannot be written.
    """
    keys = [input_key(text) for text in texts]
    known = _known(folder, set(keys))
    missing = list({key: text for key, text in zip(keys, texts, strict=True) if key not in known}.items())
    if missing:
        progress.start(_TASK, len(missing), "texts")
        known |= _ask(teacher, missing, folder, progress, clock)
        progress.finish(_TASK, f"{len(missing):,} texts read by the teacher")
    return np.stack([known[key] for key in keys])


def _ask(
    teacher: FeatureTeacher,
    missing: Sequence[tuple[str, str]],
    folder: Path,
    progress: Progress,
    clock: Clock,
) -> dict[str, Features]:
    found: dict[str, Features] = {}
    keeping: Keeping | None = None
    for start in range(0, len(missing), PART):
        part = missing[start : start + PART]
        begin = clock()
        features = teacher.features([text for _, text in part]).astype(np.float16)
        if keeping is None:
            seconds = (clock() - begin) / len(part) * len(missing)
            free = shutil.disk_usage(_existing(folder)).free
            keeping = decide_keeping(len(missing), features.shape[1], seconds=seconds, free_bytes=free)
            progress.say(f"The teacher's features are {keeping.reason}.")
        if keeping.kept:
            _write(folder, [key for key, _ in part], features)
        found |= dict(zip((key for key, _ in part), features, strict=True))
        progress.advance(_TASK, len(part))
    return found


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
