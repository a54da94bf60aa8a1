"""A student of Coffey's own fuses whole, and exports what it says."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from coffey.core.settings import ExportSettings
from coffey.export.export import Variants, export_student
from coffey.export.fuse import count_operators
from coffey.students.encoder import Student
from coffey.students.shape import EncoderShape

SHAPE = EncoderShape(layers=2, width=32, heads=4, intermediate=64, vocabulary=200, max_length=24, labels=4)


@pytest.fixture
def exported(tokenizer, texts, tmp_path):
    def export(shape: EncoderShape) -> Variants:
        torch.manual_seed(0)
        return export_student(
            Student(shape),
            tokenizer,
            labels=tuple("abcd"),
            max_length=24,
            folder=tmp_path,
            holdout_texts=texts[:20],
            settings=ExportSettings(min_parity=0.5),
        )

    return export


def test_every_part_of_a_student_fuses(exported):
    """Sizes in the module are numbers, not shapes of tensors; else attention stays in ten slow pieces."""
    variants = exported(SHAPE)
    assert variants.fused == {
        "EmbedLayerNormalization": 1,
        "Attention": 2,
        "BiasGelu": 2,
        "SkipLayerNormalization": 4,
    }
    assert variants.parameters.total == SHAPE.parameters()
    assert variants.parameters.without_embeddings == SHAPE.parameters_without_embeddings()


def test_a_factorised_table_ships_in_int8(exported):
    """The projection is a product of its own: layers fuse as ever, and every variant can be run."""
    shape = replace(SHAPE, embedding=24)
    variants = exported(shape)
    assert variants.fused == {
        "Attention": 2,
        "BiasGelu": 2,
        "LayerNormalization": 1,
        "SkipLayerNormalization": 4,
    }
    assert count_operators(variants.named("int8").path)["MatMulInteger"] > 0
    assert variants.parameters.total == shape.parameters()
    assert variants.parameters.without_embeddings == shape.parameters_without_embeddings()
