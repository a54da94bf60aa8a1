"""The shape of a transformer, encoder or decoder: how many parameters it has, and which of them work."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformerShape:
    """Everything that decides parameters and operations. The defaults describe a BERT-like encoder.

    A Llama-like decoder has `gated`, `key_value_heads`, `norm_parts=1`, no `bias`, no `positions`, and
    `outputs` equal to `vocabulary`.
    """

    layers: int
    width: int
    heads: int
    intermediate: int
    """Neurons between the maps of a feed-forward block."""
    vocabulary: int
    outputs: int
    """Labels of a classifier; the vocabulary of a language model."""
    positions: int = 0
    """Rows of a learned position table; 0 for rotary or other computed positions."""
    segments: int = 0
    """Rows of a token-type table."""
    key_value_heads: int | None = None
    """Fewer than `heads` with grouped queries; None: as many."""
    gated: bool = False
    """Whether feed-forward blocks have a third, gating map (SwiGLU)."""
    bias: bool = True
    """Whether linear maps have biases."""
    norm_parts: int = 2
    """Vectors of a norm: 2 for LayerNorm (scale and shift), 1 for RMSNorm."""
    embedding_norm: bool = True
    """Whether embeddings are normed; in a decoder it is the norm before the outputs."""
    tied: bool = False
    """Whether the output map is the token table."""
    per_token: bool = False
    """Whether every token gets an output (language models), or the input as a whole one (classifiers)."""

    def parameters(self) -> int:
        """All parameters, lookup tables included."""
        tables = (self.vocabulary + self.positions + self.segments) * self.width
        norms = (2 * self.layers + int(self.embedding_norm)) * self.norm_parts * self.width
        return tables + norms + self.layers * (self.layer_weights() + self._layer_biases()) + self._head()

    def layer_weights(self) -> int:
        """Weights of a layer's linear maps: what each token is multiplied with."""
        attention = 2 * self.width * self.width + 2 * self.width * self.key_value_width
        return attention + (3 if self.gated else 2) * self.width * self.intermediate

    @property
    def key_value_width(self) -> int:
        """Width of a token's keys, and of its values."""
        return self.width * (self.key_value_heads or self.heads) // self.heads

    def _layer_biases(self) -> int:
        if not self.bias:
            return 0
        attention = 2 * self.width + 2 * self.key_value_width
        return attention + (2 if self.gated else 1) * self.intermediate + self.width

    def _head(self) -> int:
        if self.tied:
            return 0
        return self.width * self.outputs + (self.outputs if self.bias else 0)
