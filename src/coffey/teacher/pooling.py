"""How a sentence-embedding checkpoint makes one vector of its tokens' vectors."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from coffey.core.errors import LabelRejected, TeacherUnavailable

_KNOWN = ("Transformer", "Pooling", "Normalize")
_OLD_NAMES = {"pooling_mode_cls_token": "cls", "pooling_mode_mean_tokens": "mean"}


@dataclass(frozen=True, slots=True)
class Pooling:
    """Mean over the tokens or the first token's vector; scaled to length 1 or not."""

    mode: Literal["mean", "cls"] = "mean"
    normalize: bool = True

    @classmethod
    def of(cls, source: str, folder: Path) -> Pooling:
        """What the sentence-transformers files of a checkpoint say; mean and length 1 when there are none.

        Raises:
            LabelRejected: another pooling, or further modules than pooling and normalization.
            TeacherUnavailable: a file that is not the JSON it should be.
        """
        if not (folder / "modules.json").is_file():
            return cls(mode=_mode(source, folder / "1_Pooling"))
        modules = _read(source, folder / "modules.json")
        if not isinstance(modules, list) or not all(isinstance(module, dict) for module in modules):
            raise TeacherUnavailable(source, "its modules.json is not a list of modules")
        kinds = {
            str(module.get("type", "")).rpartition(".")[2]: str(module.get("path", "")) for module in modules
        }
        if unknown := [kind for kind in kinds if kind not in _KNOWN]:
            raise LabelRejected(source, f"only modules {', '.join(_KNOWN)}", ", ".join(unknown))
        return cls(
            mode=_mode(source, folder / kinds.get("Pooling", "1_Pooling")), normalize="Normalize" in kinds
        )

    def pool(self, vectors: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """One vector, float32 [b, width], of token vectors [b, t, width] where `mask` int64 [b, t] is 1."""
        if self.mode == "cls":
            pooled = vectors[:, 0]
        else:
            weights = mask.unsqueeze(-1).to(vectors.dtype)
            pooled = (vectors * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1e-9)
        return torch.nn.functional.normalize(pooled, dim=-1) if self.normalize else pooled


def _mode(source: str, folder: Path) -> Literal["mean", "cls"]:
    if not (folder / "config.json").is_file():
        return "mean"
    config = _read(source, folder / "config.json")
    if not isinstance(config, dict):
        raise TeacherUnavailable(source, f"its {folder.name}/config.json is not a JSON object")
    modes = [key for key, on in config.items() if key.startswith("pooling_mode_") and on is True]
    mode = config.get("pooling_mode") or [_OLD_NAMES.get(key, key) for key in modes]
    match mode:
        case "mean" | ["mean"]:
            return "mean"
        case "cls" | ["cls"]:
            return "cls"
    raise LabelRejected(source, "pooling 'mean' or 'cls'", repr(mode))


def _read(source: str, path: Path) -> object:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError) as exc:
        raise TeacherUnavailable(source, f"its {path.name} cannot be read ({exc})") from exc
