"""Students as `transformers` models. This file goes with every checkpoint: it imports nothing of Coffey."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput


class CoffeyEncoderConfig(BertConfig):
    """Sizes of an encoder student, under the names that BERT gives them."""

    model_type = "coffey-encoder"


class CoffeyStaticConfig(PretrainedConfig):
    """Sizes of a static student."""

    model_type = "coffey-static"

    def __init__(self, vocab_size: int = 1, hidden_size: int = 1, head_size: int = 0, **others: Any) -> None:
        """`hidden_size` is the width of the token vectors, `head_size` that of the hidden layer (0: none)."""
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        self.head_size = head_size
        super().__init__(**others)


class CoffeyEncoderForSequenceClassification(PreTrainedModel):
    """A BERT body, the mean over its tokens, and a linear classifier."""

    config_class = CoffeyEncoderConfig
    base_model_prefix = "bert"
    _supports_sdpa = True

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.bert = BertModel(config, add_pooling_layer=False)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)
        self.post_init()

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        **others: Any,
    ) -> SequenceClassifierOutput:
        """Logits [batch, labels] of int64 [batch, tokens]; a loss where there are labels."""
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        hidden = self.bert(input_ids, attention_mask=mask).last_hidden_state
        logits = self.classifier(self.dropout(_mean(hidden, mask.unsqueeze(-1).to(hidden.dtype))))
        return _answer(self, logits, labels)


class CoffeyStaticForSequenceClassification(PreTrainedModel):
    """The weighted mean of the tokens' vectors, and a small head."""

    config_class = CoffeyStaticConfig

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.log_weights = nn.Embedding(config.vocab_size, 1)
        self.hidden = nn.Linear(config.hidden_size, config.head_size) if config.head_size else None
        self.classifier = nn.Linear(config.head_size or config.hidden_size, config.num_labels)
        self.post_init()

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        **others: Any,
    ) -> SequenceClassifierOutput:
        """Logits [batch, labels] of int64 [batch, tokens]; a loss where there are labels."""
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        weights = torch.exp(self.log_weights(input_ids)) * mask.unsqueeze(-1)
        read = _mean(self.tokens(input_ids), weights)
        if self.hidden is not None:
            read = torch.relu(self.hidden(read))
        return _answer(self, self.classifier(read), labels)


def _mean(vectors: Tensor, weights: Tensor) -> Tensor:
    """The weighted mean of [batch, tokens, width] over the tokens, by weights [batch, tokens, 1]."""
    least = torch.finfo(weights.dtype).tiny
    return (vectors * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=least)


def _answer(model: PreTrainedModel, logits: Tensor, labels: Tensor | None) -> SequenceClassifierOutput:
    loss = None
    if labels is not None:
        loss = model.loss_function(labels=labels, pooled_logits=logits, config=model.config)
    return SequenceClassifierOutput(loss=loss, logits=logits)
