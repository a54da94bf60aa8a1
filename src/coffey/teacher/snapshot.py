"""Where a checkpoint is: a local folder, or a commit of a repository on the hub."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HFValidationError

from coffey.core.errors import ConfigError, Problem, TeacherUnavailable
from coffey.teacher.fingerprint import digest_checkpoint, weight_files
from coffey.teacher.quiet import quietly

_HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?", re.ASCII)
_NEEDED = ["*.json", "*.txt", "*.model", "*.safetensors", "*_Pooling/*.json"]
_PYTORCH = ["pytorch_model*.bin"]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A checkpoint's files on this machine, and what names them."""

    folder: Path
    identity: dict[str, object]
    """What a fingerprint covers: the digests of a local folder, or the repository and its commit."""


def locate(source: str, *, revision: str | None) -> Snapshot:
    """The files of a local folder or a hub id; a hub repository is downloaded unless it is cached.

    Raises:
        ConfigError: a revision of a local folder, which has none.
        TeacherUnavailable: no such folder; no such repository or revision; offline and not cached.
    """
    folder = Path(source).expanduser()
    if folder.is_dir():
        if revision is not None:
            raise ConfigError(source, [Problem("teacher.revision", revision, "nothing for a local folder")])
        _demand_weights(source, folder)
        return Snapshot(folder, {"files": digest_checkpoint(folder)})
    if not _HUB_ID.fullmatch(source):
        raise TeacherUnavailable(source, "there is no such folder, and it is not the form of a hub id")
    cached = _download(source, revision)
    return Snapshot(cached, {"hub": source, "commit": cached.name})


def _download(source: str, revision: str | None) -> Path:
    try:
        with quietly():
            folder = Path(snapshot_download(source, revision=revision, allow_patterns=_NEEDED))
            if not weight_files(folder):
                snapshot_download(source, revision=revision, allow_patterns=_PYTORCH)
    except (OSError, HFValidationError) as exc:
        at = f" at revision {revision!r}" if revision else ""
        raise TeacherUnavailable(
            source,
            f"no folder has this name here, and the hub repository{at} is neither cached nor reachable "
            f"({type(exc).__name__}). Download it where there is a network (`hf download {source}`), set "
            "teacher.source to a local folder, or unset HF_HUB_OFFLINE",
        ) from exc
    _demand_weights(source, folder)
    return folder


def _demand_weights(source: str, folder: Path) -> None:
    if not (folder / "config.json").is_file() or not weight_files(folder):
        raise TeacherUnavailable(
            source, f"{str(folder)!r} has no config.json with *.safetensors (or pytorch_model*.bin) beside it"
        )
