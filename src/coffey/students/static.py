"""The static student: a weighted mean of token vectors, and a small head; no token sees another."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from coffey.students.static_shape import StaticShape


class StaticStudent(nn.Module):
    """Tokens in, logits and features out, in the time of a few look-ups.

    A text is the mean of its tokens' vectors, weighted by one learned number a token (compare Joulin et al.
    2017, Bag of tricks for efficient text classification, whose weights are all equal).

    Args:
        shape: sizes; `shape.parameters()` equals the number of parameters of this module.
        dropout: share of the mean's numbers dropped while training.
    """

    def __init__(self, shape: StaticShape, *, dropout: float = 0.1) -> None:
        super().__init__()
        self.shape = shape
        self.tokens = nn.Embedding(shape.vocabulary, shape.width)
        self.log_weights = nn.Embedding(shape.vocabulary, 1)
        self.dropout = nn.Dropout(dropout)
        self.hidden = nn.Linear(shape.width, shape.hidden) if shape.hidden else None
        self.classifier = nn.Linear(shape.hidden or shape.width, shape.labels)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Answer a batch.

        Args:
            input_ids: int64 [b, t].
            attention_mask: int64 [b, t], 1 for tokens and 0 for padding.

        Returns:
            Logits float32 [b, labels] and features float32 [b, width]: the weighted mean of the tokens'
            vectors; zeros where there is no token.
        """
        weights = torch.exp(self.log_weights(input_ids)) * attention_mask.unsqueeze(-1).to(torch.float32)
        total = (self.tokens(input_ids) * weights).sum(dim=1)
        features = total / weights.sum(dim=1).clamp(min=torch.finfo(torch.float32).tiny)
        read = self.dropout(features)
        if self.hidden is not None:
            read = torch.relu(self.hidden(read))
        return self.classifier(read), features
