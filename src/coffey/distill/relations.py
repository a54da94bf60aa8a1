"""What a student takes from its teacher's sentence features: how alike it finds two texts."""

from __future__ import annotations

import numpy as np
from torch import Tensor
from torch.nn.functional import normalize


def centred(features: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Features [n, width] less their mean over `rows`, float32.

    Sentence features share a large common part, which makes every two texts look alike.
    """
    wide = features.astype(np.float32)
    moved: np.ndarray = wide - wide[rows].mean(axis=0)
    return moved


def relation_loss(features: Tensor, wanted: Tensor) -> Tensor:
    """How differently student and teacher see the texts of a batch: mean squared difference of cosines.

    Similarity-preserving distillation (Tung and Mori 2019, equations 2 to 4), with features of length 1
    instead of rows of length 1, so that an entry does not depend on who else is in the batch. It needs no
    projection, no equal widths and no alignment of tokens: the student's tokenizer may be any.

    Args:
        features: the student's, [b, width].
        wanted: the teacher's, [b, teacher width], centred.
    """
    said, known = normalize(features.float(), dim=1), normalize(wanted, dim=1)
    return (said @ said.T - known @ known.T).square().mean()
