"""A teacher's body becomes a student that computes the same."""

from __future__ import annotations

import torch
from transformers import BertConfig, BertModel, DistilBertConfig, DistilBertModel, RobertaConfig, RobertaModel

from coffey.students.encoder import padding_bias
from coffey.students.teacher_body import read_teacher

IDS = torch.tensor([[2, 17, 30, 41, 3], [2, 9, 3, 0, 0]])
MASK = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])


def hidden_states(student, ids, mask):
    hidden = student.embed(ids)
    for layer in student.layers:
        hidden = layer(hidden, padding_bias(mask))
    return hidden


def check_same(model, ids=IDS):
    student = read_teacher(model, max_length=32, labels=3)
    with torch.inference_mode():
        theirs = model(input_ids=ids, attention_mask=MASK).last_hidden_state[MASK.bool()]
        ours = hidden_states(student, ids, MASK)[MASK.bool()]
    torch.testing.assert_close(ours, theirs, atol=2e-4, rtol=0)


def test_bert_is_read_exactly(bert):
    """The hidden states of every real token are the teacher's."""
    check_same(bert)


def test_roberta_and_distilbert_are_read_exactly():
    """So are those of encoders with other names and other first positions."""
    torch.manual_seed(0)
    sizes = {"vocab_size": 50, "max_position_embeddings": 40}
    roberta = RobertaConfig(
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=96,
        pad_token_id=1,
        **sizes,
    )
    check_same(RobertaModel(roberta, add_pooling_layer=False).eval(), IDS.where(MASK.bool(), 1))
    distilbert = DistilBertConfig(dim=64, n_layers=2, n_heads=2, hidden_dim=96, **sizes)
    check_same(DistilBertModel(distilbert).eval())


def test_what_is_not_bert_like_is_left_alone():
    """Another activation or another architecture gives None, so the caller starts from scratch."""
    config = BertConfig(
        vocab_size=20,
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=32,
        hidden_act="relu",
    )
    assert read_teacher(BertModel(config), max_length=8, labels=2) is None
    assert read_teacher(torch.nn.Linear(2, 2), max_length=8, labels=2) is None
