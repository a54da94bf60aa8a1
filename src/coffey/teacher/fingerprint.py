"""What decides a teacher's answers, and the digest of it.

A header holds meaning, not circumstance: no paths, dates or library versions. So a folder may be moved and
libraries upgraded without asking the teacher again; `LabelStore.recheck` notices when that was wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from coffey.core.errors import StoreUnavailable
from coffey.core.ids import digest_file, digest_json

FINGERPRINT_CHARS = 32
"""128 bits of the SHA-256: enough to tell teachers apart, short enough for a folder's name."""

_MEANING = (
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "*.model",
    "modules.json",
    "*_Pooling/config.json",
)


def fingerprint(header: Mapping[str, object]) -> str:
    """The fingerprint of a teacher whose answers are decided by `header` (JSON values), in hex.

    >>> fingerprint({"kind": "python", "version": "1"}) == fingerprint({"version": "1", "kind": "python"})
    True
    """
    return digest_json(dict(header))[:FINGERPRINT_CHARS]


def weight_files(folder: Path) -> tuple[Path, ...]:
    """The files that hold a checkpoint's weights: safetensors, or PyTorch files where there are none."""
    return tuple(sorted(folder.glob("*.safetensors")) or sorted(folder.glob("pytorch_model*.bin")))


def digest_checkpoint(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of a checkpoint that decides answers, by its path inside `folder`.

    Covers weights, configuration, tokenizer and pooling; not readme files, licences or training leftovers.

    Raises:
        StoreUnavailable: a file cannot be read.
    """
    found = {path for pattern in _MEANING for path in folder.glob(pattern)}
    try:
        return {
            path.relative_to(folder).as_posix(): digest_file(path)
            for path in sorted(found | set(weight_files(folder)))
        }
    except OSError as exc:
        raise StoreUnavailable(str(folder), exc.strerror or str(exc)) from exc
