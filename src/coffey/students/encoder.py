"""The student: a BERT-like encoder with masked mean pooling and a linear classifier."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from coffey.students.shape import EncoderShape

MASKED = -10000.0
"""Added to the scores of padding; the value that ONNX Runtime's fused Attention assumes."""

NORM_EPSILON = 1e-12
"""As in BERT, so that a teacher's weights mean the same here."""


class Attention(nn.Module):
    """Multi-head self-attention, spelled the way that ONNX Runtime recognizes and fuses."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.head_width = width // heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.output = nn.Linear(width, width)

    def forward(self, hidden: Tensor, bias: Tensor) -> Tensor:
        """Mix tokens: hidden [b, t, width], bias [b, 1, 1, t] added to the scores."""
        mixed: Tensor = self.output(self.mix(hidden, bias))
        return mixed

    def mix(self, hidden: Tensor, bias: Tensor) -> Tensor:
        """The heads' outputs side by side, [b, t, width], before the output map."""
        query, key, value = (self._split(part(hidden)) for part in (self.query, self.key, self.value))
        scores = torch.matmul(query, key.transpose(-1, -2)) / math.sqrt(self.head_width)
        weights = torch.softmax(scores + bias, dim=-1)
        mixed = torch.matmul(weights, value).permute(0, 2, 1, 3).contiguous()
        return mixed.view(hidden.shape[0], hidden.shape[1], self.heads * self.head_width)

    def _split(self, part: Tensor) -> Tensor:
        return part.view(part.shape[0], part.shape[1], self.heads, self.head_width).permute(0, 2, 1, 3)


class Layer(nn.Module):
    """One post-norm transformer layer."""

    def __init__(self, shape: EncoderShape, dropout: float) -> None:
        super().__init__()
        self.attention = Attention(shape.width, shape.heads)
        self.attention_norm = nn.LayerNorm(shape.width, eps=NORM_EPSILON)
        self.up = nn.Linear(shape.width, shape.intermediate)
        self.down = nn.Linear(shape.intermediate, shape.width)
        self.output_norm = nn.LayerNorm(shape.width, eps=NORM_EPSILON)
        self.dropout = nn.Dropout(dropout)

    def forward(self, hidden: Tensor, bias: Tensor) -> Tensor:
        """The next hidden states, [b, t, width]."""
        hidden = self.attention_norm(self.dropout(self.attention(hidden, bias)) + hidden)
        fed = self.down(nn.functional.gelu(self.up(hidden)))
        output: Tensor = self.output_norm(self.dropout(fed) + hidden)
        return output


class Student(nn.Module):
    """Tokens in, logits and pooled features out.

    Args:
        shape: sizes; `shape.parameters()` equals the number of parameters of this module.
        dropout: share of hidden values dropped while training.
    """

    def __init__(self, shape: EncoderShape, *, dropout: float = 0.1) -> None:
        super().__init__()
        self.shape = shape
        self.tokens = nn.Embedding(shape.vocabulary, shape.embedding or shape.width)
        self.widen = nn.Linear(shape.embedding, shape.width, bias=False) if shape.embedding else None
        self.positions = nn.Embedding(shape.max_length, shape.width)
        self.norm = nn.LayerNorm(shape.width, eps=NORM_EPSILON)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(Layer(shape, dropout) for _ in range(shape.layers))
        self.classifier = nn.Linear(shape.width, shape.labels)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Answer a batch.

        Args:
            input_ids: int64 [b, t], t at most `shape.max_length`.
            attention_mask: int64 [b, t], 1 for tokens and 0 for padding.

        Returns:
            Logits float32 [b, labels] and features float32 [b, width]: the mean of the last hidden states
            over the tokens, before the classifier.
        """
        bias = padding_bias(attention_mask)
        hidden = self.embed(input_ids)
        for layer in self.layers:
            hidden = layer(hidden, bias)
        features = pool(hidden, attention_mask)
        return self.classifier(self.dropout(features)), features

    def embed(self, input_ids: Tensor) -> Tensor:
        """What the first layer reads, [b, t, width]."""
        positions = torch.arange(input_ids.shape[1], device=input_ids.device).unsqueeze(0)
        tokens = self.tokens(input_ids)
        if self.widen is not None:
            tokens = self.widen(tokens)
        embedded: Tensor = self.dropout(self.norm(tokens + self.positions(positions)))
        return embedded

    def table(self) -> Tensor:
        """Every token's vector as it is added to the positions, [vocabulary, width]."""
        rows: Tensor = self.tokens.weight
        return rows if self.widen is None else self.widen(rows)


def padding_bias(attention_mask: Tensor) -> Tensor:
    """[b, 1, 1, t]: zero for tokens, `MASKED` for padding."""
    return (1.0 - attention_mask.unsqueeze(1).unsqueeze(2).to(torch.float32)) * MASKED


def pool(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    """The mean of [b, t, width] over the tokens that are not padding; zeros where there are none."""
    weights = attention_mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1.0)


def probabilities_of(logits: Tensor) -> Tensor:
    """float32 [b, labels], rows sum to 1."""
    return torch.softmax(logits.float(), dim=-1)
