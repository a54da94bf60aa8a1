"""Kind `transformers`: a sequence-classification checkpoint, or a sentence-embedding one with a head.

Local folder or hub id + revision. Code that comes with a checkpoint is never run.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tokenizers
import torch
from transformers import AutoConfig

from coffey.core.errors import ConfigError, LabelRejected, Problem, TeacherUnavailable
from coffey.core.ids import digest_file
from coffey.teacher.answers import INDEPENDENT, are_independent
from coffey.teacher.fingerprint import fingerprint
from coffey.teacher.head import load_head
from coffey.teacher.inference import Forward, best_device, on_torch, run_texts
from coffey.teacher.networks import (
    HeadedEmbedder,
    Network,
    bert_like,
    body_of,
    load_classifier,
    load_embedder,
    longest,
)
from coffey.teacher.protocol import Probabilities
from coffey.teacher.quiet import quietly
from coffey.teacher.snapshot import locate
from coffey.teacher.tokens import Tokens

_NO_HEAD: dict[str, object] = {"head": None, "pooling": None, "normalize": None}


Quicken = Callable[["CheckpointTeacher", Forward], Forward]
"""Given a teacher and its network in torch, that or a quicker way to the same logits and features."""


class CheckpointTeacher:
    """A teacher that is a checkpoint of transformers, run here in float32. Use `load`."""

    def __init__(
        self,
        source: str,
        network: Network,
        tokens: Tokens,
        *,
        labels: Sequence[str],
        header: Mapping[str, object],
        batch_size: int,
        threads: int | None,
        device: torch.device,
    ) -> None:
        self.source = source
        self.labels = tuple(labels)
        self.params: int | None = sum(part.numel() for part in network.parameters())
        self.header = header
        self.fingerprint = fingerprint(header)
        self.max_length = tokens.max_length
        self._network: Network | None = network.to(device)
        self._tokens = tokens
        self._batch_size = batch_size
        self._threads = threads
        self._device = device
        self._quicken: Quicken | None = None
        self._forward: Forward | None = None

    @classmethod
    def load(  # noqa: PLR0913 - a parameter a setting
        cls,
        source: str,
        *,
        revision: str | None = None,
        head: Path | str | None = None,
        labels: Sequence[str] | None = None,
        batch_size: int = 32,
        max_length: int = 128,
        threads: int | None = None,
        device: str = "auto",
        independent: bool = False,
    ) -> CheckpointTeacher:
        """Load a checkpoint; see `coffey.core.settings.TeacherSettings` for the meaning of the arguments.

        Args:
            source: folder or hub id.
            revision: commit, tag or branch of a hub id.
            head: file written by `teacher.head.save_head`, for a sentence-embedding checkpoint.
            labels: names of the labels in the checkpoint's order; needed when it has none of its own.
            batch_size: texts a forward pass.
            max_length: tokens read of a text.
            threads: CPU threads while it predicts; all when None.
            device: `auto`, `cpu`, `cuda`, …
            independent: every label has a probability of its own (a multi-label task).

        Raises:
            ConfigError: a head or labels are missing or do not fit.
            TeacherUnavailable: it cannot be found or loaded; the message says what to do.
            LabelRejected: its outputs are not what is asked for: one distribution over the labels, or
                independent labels.
        """
        snapshot = locate(source, revision=revision)
        config = _config(source, snapshot.folder)
        if head is None:
            own = _own_labels(source, config, independent=independent)
            network: Network = load_classifier(source, snapshot.folder)
            parts = _NO_HEAD
        else:
            network, own, parts = _headed(source, snapshot.folder, Path(head), independent=independent)
        tokens = Tokens.load(
            source,
            snapshot.folder,
            pad_id=config.pad_token_id,
            max_length=longest(body_of(network), max_length),
        )
        names = _settle_labels(source, own, labels)
        header = {
            "kind": "transformers",
            "checkpoint": snapshot.identity,
            **parts,
            "labels": list(names),
            "max_length": tokens.max_length,
            "truncation": tokens.side,
            "preprocessing": "none",
            "precision": "float32",
            "probabilities": INDEPENDENT if independent else "softmax",
        }
        return cls(
            source,
            network,
            tokens,
            labels=names,
            header=header,
            batch_size=batch_size,
            threads=threads,
            device=best_device(device),
        )

    def quicken_with(self, quicken: Quicken) -> None:
        """Ask `quicken`, when the first text comes, what to answer with. On a GPU torch stays."""
        if self._device.type == "cpu":
            self._quicken = quicken

    def predict(self, texts: Sequence[str]) -> Probabilities:
        """Float32 [len(texts), len(labels)]; sorted by length and padded to each batch inside.

        Raises:
            TeacherUnavailable: the network failed, or was closed.
        """
        self._open_forward()
        if not texts:
            return np.empty((0, len(self.labels)), dtype=np.float32)
        return self.predict_with_features(texts)[0]

    def predict_with_features(self, texts: Sequence[str]) -> tuple[Probabilities, npt.NDArray[np.float32]]:
        """See `FeatureTeacher`; the network runs once."""
        logits, features = run_texts(
            self.source, self._open_forward(), texts, tokens=self._tokens, batch_size=self._batch_size
        )
        said: Probabilities = self._probabilities(torch.from_numpy(logits)).numpy()
        return said, features

    def lengths(self, texts: Sequence[str]) -> Sequence[int]:
        """See `SizingTeacher`; a text that is measured and then asked is tokenized once."""
        return self._tokens.lengths(texts)

    def close(self) -> None:
        """Free the network."""
        self._network = self._forward = None

    def module(self) -> torch.nn.Module:
        """See `ExportableTeacher`; shared with this teacher when it runs on the CPU: do not train it."""
        network = self._open_network()
        return network if self._device.type == "cpu" else copy.deepcopy(network).to("cpu")

    def tokenizer(self) -> tokenizers.Tokenizer:
        """See `ExportableTeacher`."""
        return self._tokens.copy()

    def encoder(self) -> torch.nn.Module | None:
        """See `ExportableTeacher`; shared in the same way as `module`."""
        network = self._open_network()
        body = bert_like(body_of(network))
        return body if body is None or self._device.type == "cpu" else copy.deepcopy(body).to("cpu")

    def _probabilities(self, logits: torch.Tensor) -> torch.Tensor:
        return logits.sigmoid() if are_independent(self.header) else logits.softmax(dim=-1)

    def _open_forward(self) -> Forward:
        network = self._open_network()
        if self._forward is None:
            own = on_torch(network, threads=self._threads, device=self._device)
            self._forward = self._quicken(self, own) if self._quicken else own
        return self._forward

    def _open_network(self) -> Network:
        if self._network is None:
            raise TeacherUnavailable(self.source, "it was closed")
        return self._network


def _headed(
    source: str, folder: Path, path: Path, *, independent: bool
) -> tuple[HeadedEmbedder, tuple[str, ...], dict[str, object]]:
    """The network, the labels and the header's part of an embedding checkpoint with the head at `path`."""
    head = load_head(path)
    if head.independent != independent:
        fits = ("one label a text", "many labels a text")
        raise LabelRejected(
            source, _wanted(independent), f"a head that was fitted for {fits[head.independent]}"
        )
    embedder = load_embedder(source, folder)
    width, expected = head.weight.shape[1], embedder.body.config.hidden_size
    if width != expected:
        problem = Problem("teacher.head", f"{width} features", f"{expected}, as the checkpoint gives")
        raise ConfigError(source, [problem])
    parts: dict[str, object] = {
        "head": digest_file(path),
        "pooling": embedder.pooling.mode,
        "normalize": embedder.pooling.normalize,
    }
    return HeadedEmbedder(embedder, head.linear()).eval(), head.labels, parts


def _config(source: str, folder: Path) -> Any:
    try:
        with quietly():
            return AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError) as exc:
        raise TeacherUnavailable(source, f"its config.json cannot be used ({exc})") from exc


def _wanted(independent: bool) -> str:
    if independent:
        return "independent labels, as task.kind is 'multi-label-classification'"
    return "one label a text, out of two or more"


def _own_labels(source: str, config: Any, *, independent: bool) -> tuple[str, ...]:
    """The labels a sequence-classification checkpoint states, after checking that it is one."""
    kind = str((config.architectures or ["an unnamed model"])[0])
    if not kind.endswith("ForSequenceClassification"):
        expected = f"a head file, because {kind} gives embeddings (coffey.teacher.head fits and saves one)"
        raise ConfigError(source, [Problem("teacher.head", None, expected)])
    if independent and config.problem_type != "multi_label_classification":
        found = f"problem_type {config.problem_type!r} in its config.json, which is a checkpoint of one label"
        raise LabelRejected(source, _wanted(independent), found)
    if not independent and config.problem_type in ("multi_label_classification", "regression"):
        raise LabelRejected(source, _wanted(independent), f"a checkpoint for {config.problem_type}")
    if config.num_labels < 2:
        raise LabelRejected(source, _wanted(independent), f"a checkpoint for {config.num_labels} output")
    return tuple(str(config.id2label[position]) for position in range(config.num_labels))


def _settle_labels(source: str, own: Sequence[str], asked: Sequence[str] | None) -> tuple[str, ...]:
    unnamed = all(name == f"LABEL_{position}" for position, name in enumerate(own))
    if asked is None and not unnamed:
        return tuple(own)
    if asked is not None and len(asked) == len(own) and (unnamed or tuple(asked) == tuple(own)):
        return tuple(asked)
    expected = f"{len(own)} names: the checkpoint states none" if unnamed else f"{list(own)}, as it states"
    raise ConfigError(source, [Problem("task.labels", asked, expected)])
