"""A student as a `transformers` checkpoint: written, held against the student, and read again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from tokenizers import Tokenizer
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from coffey.artifact.encoding import TextEncoder, pad_id
from coffey.core.errors import ArtifactError, StoreUnavailable
from coffey.export.modeling_coffey import (
    CoffeyEncoderConfig,
    CoffeyEncoderForSequenceClassification,
    CoffeyStaticConfig,
    CoffeyStaticForSequenceClassification,
)
from coffey.students.checkpoint import SavedStudent
from coffey.students.encoder import NORM_EPSILON, Student
from coffey.students.family import AnyStudent
from coffey.students.shape import EncoderShape
from coffey.students.static import StaticStudent
from coffey.students.static_shape import StaticShape
from coffey.students.teacher_body import BERT, read_teacher
from coffey.teacher.quiet import quietly

TOLERANCE = 1e-3
"""Largest difference of a logit between a student and its checkpoint: room for another attention kernel."""
PARITY_TEXTS = 256
"""Texts that are compared, at most: one that differs would mean another model, so a few show it."""

WEIGHTS = "model.safetensors"
"""The name that `transformers` gives the file."""

_BATCH = 32
_SPECIALS = {"unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}
_CLASSES: dict[str, type[PreTrainedModel]] = {
    CoffeyEncoderConfig.model_type: CoffeyEncoderForSequenceClassification,
    CoffeyStaticConfig.model_type: CoffeyStaticForSequenceClassification,
}


@dataclass(frozen=True, slots=True)
class LogitParity:
    """A checkpoint beside the student it was written from."""

    texts: int
    largest_difference: float
    """Largest absolute difference of a logit."""


def write_checkpoint(
    folder: Path, saved: SavedStudent, *, texts: Sequence[str], many_labels: bool = False
) -> LogitParity:
    """Write `config.json`, `model.safetensors`, tokenizer and model code, and compare what they answer.

    Args:
        folder: made when absent; files in it are replaced.
        saved: the student.
        texts: what both are asked; of more than `PARITY_TEXTS`, the first ones.
        many_labels: whether a text may have many labels.

    Raises:
        ArtifactError: the student's family has no such form, or the checkpoint answers differently.
        StoreUnavailable: the folder cannot be written.
    """
    model = _model(saved, many_labels=many_labels)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with quietly():
            model.save_pretrained(folder)
            _fast_tokenizer(saved.tokenizer, saved.student.shape.max_length).save_pretrained(folder)
    except OSError as exc:
        raise StoreUnavailable(str(folder), exc.strerror or str(exc)) from exc
    return _compare(folder, saved, texts[:PARITY_TEXTS])


def read_checkpoint(folder: Path) -> SavedStudent:
    """The student of a checkpoint that `write_checkpoint` wrote; code in the folder is not run.

    Raises:
        ArtifactError: Coffey did not write it.
        StoreUnavailable: a file is missing or damaged.
    """
    model = _load(folder)
    try:
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as exc:  # tokenizers raises nothing more exact
        raise StoreUnavailable(str(folder), str(exc)) from exc
    config: Any = model.config
    labels = tuple(config.id2label[index] for index in range(config.num_labels))
    return SavedStudent(_student(model), tokenizer, labels)


def _load(folder: Path) -> PreTrainedModel:
    try:
        config = json.loads((folder / "config.json").read_bytes())
        kind = config["model_type"]
        if kind not in _CLASSES:
            raise ArtifactError(
                f"{str(folder)!r} holds no student that Coffey wrote: its config.json says model_type "
                f"{kind!r}, expected one of {', '.join(map(repr, _CLASSES))}."
            )
        with quietly():
            model = _CLASSES[kind].from_pretrained(folder, use_safetensors=True)
    except (OSError, SafetensorError, RuntimeError, ValueError, LookupError, TypeError) as exc:
        raise StoreUnavailable(str(folder), str(exc)) from exc
    model.eval()
    return model


def _model(saved: SavedStudent, *, many_labels: bool) -> PreTrainedModel:
    named: dict[str, Any] = {
        "id2label": dict(enumerate(saved.labels)),
        "label2id": {label: index for index, label in enumerate(saved.labels)},
        "problem_type": "multi_label_classification" if many_labels else "single_label_classification",
        "pad_token_id": pad_id(saved.tokenizer),
    }
    student = saved.student
    if isinstance(student, Student):
        made: PreTrainedModel = CoffeyEncoderForSequenceClassification(_encoder_config(student.shape, named))
        weights = _as_bert(_whole(student))
    elif isinstance(student, StaticStudent):
        made = CoffeyStaticForSequenceClassification(_static_config(student.shape, named))
        weights = dict(student.state_dict())
    else:
        raise ArtifactError(
            f"Student {student.shape} is a module of your own: transformers has no class for it. "
            "Its artifact and its safetensors hold all of it."
        )
    made.load_state_dict(weights)
    type(made).register_for_auto_class("AutoModelForSequenceClassification")
    type(made.config).register_for_auto_class("AutoConfig")
    made.eval()
    return made


def _encoder_config(shape: EncoderShape, named: Mapping[str, Any]) -> CoffeyEncoderConfig:
    return CoffeyEncoderConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.width,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.intermediate,
        max_position_embeddings=shape.max_length,
        type_vocab_size=1,
        layer_norm_eps=NORM_EPSILON,
        **named,
    )


def _static_config(shape: StaticShape, named: Mapping[str, Any]) -> CoffeyStaticConfig:
    return CoffeyStaticConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.width,
        head_size=shape.hidden,
        max_position_embeddings=shape.max_length,
        **named,
    )


def _whole(student: Student) -> dict[str, Tensor]:
    """An encoder's weights, with a factorised token table multiplied out: BERT has no projection."""
    rest = {name: weight for name, weight in student.state_dict().items() if not name.startswith("widen.")}
    return rest | {"tokens.weight": student.table().detach()}


def _as_bert(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """An encoder's weights under BERT's names; there is one token type, and it adds nothing."""
    embeddings = {"tokens": "word_embeddings", "positions": "position_embeddings", "norm": "LayerNorm"}
    renamed: dict[str, Tensor] = {}
    for name, weight in weights.items():
        first, _, rest = name.partition(".")
        if first in embeddings:
            renamed[f"bert.embeddings.{embeddings[first]}.{rest}"] = weight
        elif first == "layers":
            layer, _, part = rest.partition(".")
            ours, _, kind = part.rpartition(".")
            renamed[f"bert.encoder.layer.{layer}.{BERT[ours]}.{kind}"] = weight
        else:
            renamed[name] = weight
    width = weights["tokens.weight"].shape[1]
    return {**renamed, "bert.embeddings.token_type_embeddings.weight": torch.zeros(1, width)}


def _student(model: PreTrainedModel) -> AnyStudent:
    """The student whose weights a model of this module's classes holds."""
    config: Any = model.config
    weights = model.state_dict()
    if isinstance(model, CoffeyEncoderForSequenceClassification):
        student = read_teacher(
            model.bert, max_length=config.max_position_embeddings, labels=config.num_labels
        )
        assert student is not None, "the body is BERT's"
        with torch.no_grad():
            student.classifier.weight.copy_(weights["classifier.weight"])
            student.classifier.bias.copy_(weights["classifier.bias"])
        return student
    shape = StaticShape(
        width=config.hidden_size,
        hidden=config.head_size,
        vocabulary=config.vocab_size,
        max_length=config.max_position_embeddings,
        labels=config.num_labels,
    )
    static = StaticStudent(shape)
    static.load_state_dict(weights)
    return static.eval()


def _fast_tokenizer(tokenizer: Tokenizer, max_length: int) -> PreTrainedTokenizerFast:
    specials = {name: token for name, token in _SPECIALS.items() if tokenizer.token_to_id(token) is not None}
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(tokenizer.to_str()),
        model_max_length=max_length,
        model_input_names=["input_ids", "attention_mask"],
        pad_token=tokenizer.id_to_token(pad_id(tokenizer)),
        **specials,
    )


def _compare(folder: Path, saved: SavedStudent, texts: Sequence[str]) -> LogitParity:
    """Ask the folder, as `transformers` reads it, and the student the same."""
    written = _load(folder)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    encoder = TextEncoder(saved.tokenizer.to_str().encode(), saved.student.shape.max_length)
    worst = 0.0
    with torch.inference_mode():
        for start in range(0, len(texts), _BATCH):
            batch = list(texts[start : start + _BATCH])
            ours = encoder.encode(batch)
            wanted, _ = saved.student(torch.from_numpy(ours.input_ids), torch.from_numpy(ours.attention_mask))
            found = written(**tokenizer(batch, padding=True, truncation=True, return_tensors="pt")).logits
            worst = max(worst, float((wanted - found).abs().max()))
    if not worst <= TOLERANCE:
        raise ArtifactError(
            f"The checkpoint in {str(folder)!r} answers differently than its student: a logit is off by "
            f"{worst:.4f} (at most {TOLERANCE:g} is allowed). Look at the version of transformers."
        )
    return LogitParity(len(texts), worst)
