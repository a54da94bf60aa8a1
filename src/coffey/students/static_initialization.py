"""A static student's first weights: from an encoder, from another static student, or from chance."""

from __future__ import annotations

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from coffey.students.encoder import Student
from coffey.students.static import StaticStudent

SIZE = 0.1
"""Standard deviation of the first vectors, whatever they come from."""

_BATCH = 512


def initialize_static_from_scratch(student: StaticStudent, *, seed: int) -> None:
    """Normal vectors, equal weights, and a head that is uniform as in Glorot and Bengio 2010; by the seed."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        student.tokens.weight.normal_(0.0, SIZE, generator=generator)
        student.log_weights.weight.zero_()
        for linear in (student.hidden, student.classifier):
            if linear is not None:
                nn.init.xavier_uniform_(linear.weight, generator=generator)
                linear.bias.zero_()


def initialize_static(
    student: StaticStudent,
    source: Student | StaticStudent,
    *,
    old_ids: np.ndarray | None,
    tokenizer: Tokenizer,
    seed: int,
) -> None:
    """Fill `student` with what `source` knows about single tokens.

    Each token is read by the source alone, between the special tokens; the vectors are centred and reduced to
    the student's width by their principal components (model2vec's recipe; Tulkens and van Dongen 2024).
    Weights start equal, or as the static source has them. The recipe's own, a / (a + frequency) (Arora, Liang
    and Ma 2017), were worse here, where weights are learned and frequent words may decide: retention at 227K
    parameters was 0.909 against 0.925 on CLINC150, 0.911 against 0.953 on TREC. The head comes from chance.

    Args:
        student: the module to fill.
        source: an encoder, or a static student.
        old_ids: int64 [student vocabulary], the source's token for each of the student's; None when the
            vocabularies have nothing in common (then all comes from chance).
        tokenizer: the source's.
        seed: of what comes from chance.
    """
    initialize_static_from_scratch(student, seed=seed)
    if old_ids is None:
        return
    alone = read_alone(source, torch.from_numpy(old_ids), tokenizer)
    components = principal(alone, student.shape.width)
    with torch.no_grad():
        student.tokens.weight[:, : components.shape[1]] = components * (SIZE / components.std())
        if isinstance(source, StaticStudent):
            student.log_weights.weight.copy_(source.log_weights.weight[torch.from_numpy(old_ids)])


def read_alone(source: Student | StaticStudent, ids: Tensor, tokenizer: Tokenizer) -> Tensor:
    """The source's features of each token alone, float32 [ids, width]."""
    if isinstance(source, StaticStudent):
        return source.tokens.weight.detach()[ids]
    special = torch.tensor(tokenizer.encode("").ids, dtype=torch.int64)
    before, after = special[: len(special) // 2], special[len(special) // 2 :]
    source.eval()
    found = []
    with torch.inference_mode():
        for start in range(0, len(ids), _BATCH):
            batch = ids[start : start + _BATCH]
            around = [part.expand(len(batch), -1) for part in (before, after)]
            rows = torch.cat([around[0], batch[:, None], around[1]], dim=1)
            found.append(source(rows, torch.ones_like(rows))[1])
    return torch.cat(found)


def principal(vectors: Tensor, width: int) -> Tensor:
    """Centred `vectors` [n, old] by their first components [n, min(width, old)], the largest first."""
    centred = vectors.double() - vectors.double().mean(0)
    _, directions = torch.linalg.eigh(centred.T @ centred)
    components: Tensor = centred @ directions.flip(1)[:, :width]
    return components.float()
