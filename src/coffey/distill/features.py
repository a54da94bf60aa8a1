"""What a student takes from its teacher's sentence features, beside the answers."""

from __future__ import annotations

import numpy as np
from torch import Tensor, nn
from torch.nn.functional import normalize


def normalized(features: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Features [n, width] less their mean over `rows`, whose mean squared length then is 1: float32.

    Sentence features share a large common part, which makes every two texts look alike. The length makes a
    hint's weight mean the same for every teacher.
    """
    moved = features.astype(np.float32)
    moved -= moved[rows].mean(axis=0)
    length = np.sqrt(np.square(moved[rows]).sum(axis=1).mean())
    scaled: np.ndarray = moved / max(float(length), 1e-12)
    return scaled


def make_projection(width: int, wanted: int) -> nn.Linear:
    """The map from student features to the teacher's that a hint trains; it is no part of what ships.

    It begins at 0, where the loss is 1. A map drawn at random begins with errors of many times the features'
    size, whose gradients destroy first weights that come from the teacher.
    """
    projection = nn.Linear(width, wanted)
    nn.init.zeros_(projection.weight)
    nn.init.zeros_(projection.bias)
    return projection


def hint_loss(projected: Tensor, wanted: Tensor) -> Tensor:
    """Mean squared distance of projected student features from the teacher's, both [b, teacher width].

    A hint (Romero et al. 2015, FitNets, equation 3) at the last layer. Features are one vector a text on both
    sides, so that nothing has to be aligned: the student's tokenizer may be any.
    """
    return (projected.float() - wanted).square().sum(dim=1).mean()


def relation_loss(features: Tensor, wanted: Tensor) -> Tensor:
    """How differently student and teacher see the texts of a batch: mean squared difference of cosines.

    Similarity-preserving distillation (Tung and Mori 2019, equations 2 to 4), with features of length 1
    instead of rows of length 1, so that an entry does not depend on who else is in the batch. It needs
    neither a projection nor equal widths.

    Args:
        features: the student's, [b, width].
        wanted: the teacher's, [b, teacher width], less their mean.
    """
    said, known = normalize(features.float(), dim=1), normalize(wanted, dim=1)
    return (said @ said.T - known @ known.T).square().mean()
