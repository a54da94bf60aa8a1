"""Lets torchvision be imported beside a torch without CUDA, whose operators are not in PyPI's wheel.

torchdistill imports torchvision; a text is never given to one of these operators. Import this first.
"""

from __future__ import annotations

import torch

_BOXES = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"

if torch.version.cuda is None:
    _DECLARED = torch.library.Library("torchvision", "DEF")
    for _name in ("nms", "qnms"):
        _DECLARED.define(f"{_name}{_BOXES}")
