"""A student of Coffey's own fuses whole, and exports what it says."""

from __future__ import annotations

import torch

from coffey.core.settings import ExportSettings
from coffey.export.export import export_student
from coffey.students.encoder import Student
from coffey.students.shape import EncoderShape


def test_every_part_of_a_student_fuses(tokenizer, texts, tmp_path):
    """Sizes in the module are numbers, not shapes of tensors; else attention stays in ten slow pieces."""
    torch.manual_seed(0)
    shape = EncoderShape(
        layers=2, width=32, heads=4, intermediate=64, vocabulary=200, max_length=24, labels=4
    )
    variants = export_student(
        Student(shape),
        tokenizer,
        labels=tuple("abcd"),
        max_length=24,
        folder=tmp_path,
        holdout_texts=texts[:20],
        settings=ExportSettings(min_parity=0.5),
    )
    assert variants.fused == {
        "EmbedLayerNormalization": 1,
        "Attention": 2,
        "BiasGelu": 2,
        "SkipLayerNormalization": 4,
    }
    assert variants.parameters.total == shape.parameters()
    assert variants.parameters.without_embeddings == shape.parameters_without_embeddings()
