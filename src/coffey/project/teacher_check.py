"""Whether the teacher can be reached from here, and answers as one."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from coffey.core.errors import CoffeyError, ConfigError
from coffey.core.records import Example
from coffey.core.settings import Settings
from coffey.project.finding import Finding
from coffey.project.surroundings import Surroundings
from coffey.teacher.budget import Price
from coffey.teacher.protocol import MeteredTeacher

_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
_TOKENIZERS = ("tokenizer.json", "vocab.txt", "vocab.json", "spiece.model", "sentencepiece.bpe.model")
_ADVICE = {
    "python": "teacher.source or the function",
    "openai": "teacher.source, teacher.endpoint or teacher.asking",
}
_SAMPLES = ("a short text", "another text, which is longer than the first")


class AnsweringTeacher(Protocol):
    """The part of a teacher that is tried here; `coffey.teacher.protocol.Teacher` has it."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the columns of its answers."""

    def predict(self, texts: Sequence[str]) -> Any:
        """Probabilities, [len(texts), len(labels)]."""

    def close(self) -> None:
        """It is not asked again."""


def examine_teacher(
    settings: Settings,
    examples: Sequence[Example],
    build_teacher: Callable[[Settings], AnsweringTeacher],
    here: Surroundings,
) -> Finding:
    """Look for a checkpoint's files, or ask a teacher of another kind.

    A `python` one is asked two texts (those of `examples`, if two), an `openai` one, which costs money, the
    first of them, in one request that is not sent again.
    """
    if settings.teacher.kind != "transformers":
        texts = [example.text for example in examples] if len(examples) == 2 else list(_SAMPLES)
        if settings.teacher.kind == "openai":
            return _ask(_briefly(settings), texts[:1], build_teacher)
        return _ask(settings, texts, build_teacher)
    missing = [module for module in ("torch", "transformers") if not here.installed(module)]
    if missing:
        detail = f"a transformers teacher needs {' and '.join(missing)}, not installed here"
        return Finding("teacher", False, detail, "pip install 'coffey[distill]'")
    head = settings.teacher.head
    if head is not None and not Path(head).is_file():
        return Finding("teacher", False, f"teacher.head {head!r} is not there", "mend teacher.head")
    source = settings.teacher.source
    if Path(source).is_absolute():
        return _folder(Path(source), head)
    return _hub(source, settings.teacher.revision, here)


def _briefly(settings: Settings) -> Settings:
    """The same teacher, asked once: no retries, one sample, and a malformed answer is shown, not skipped."""
    teacher = settings.teacher
    endpoint = replace(teacher.endpoint, retries=0)
    asking = replace(teacher.asking, samples=1, malformed="refuse")
    return replace(settings, teacher=replace(teacher, endpoint=endpoint, asking=asking))


def _ask(
    settings: Settings, texts: Sequence[str], build_teacher: Callable[[Settings], AnsweringTeacher]
) -> Finding:
    source = settings.teacher.source
    try:
        teacher = build_teacher(settings)
        try:
            answers = np.asarray(teacher.predict(texts))
            labels = teacher.labels
            price = _price(settings, teacher)
        finally:
            teacher.close()
    except ConfigError as exc:
        return Finding("teacher", False, str(exc), f"set {', '.join(each.key for each in exc.problems)}")
    except CoffeyError as exc:
        return Finding("teacher", False, str(exc), f"mend {_ADVICE[settings.teacher.kind]}")
    except Exception as exc:  # noqa: BLE001 - the user's code is diagnosed here; it may raise anything
        detail = f"{source!r} raised {type(exc).__name__}: {exc}"
        return Finding("teacher", False, detail, "run the function by itself and mend it")
    problem = _answer_problem(answers, len(texts), len(labels), independent=settings.task.many_labels)
    if problem:
        mend = "return one probability a label for every text"
        return Finding("teacher", False, f"{source!r} gave {problem}", mend)
    return Finding("teacher", True, f"{source!r} answers: {len(labels)} labels{price}")


def _price(settings: Settings, teacher: AnsweringTeacher) -> str:
    """What asking used, and what that cost, of a teacher that says so."""
    if not isinstance(teacher, MeteredTeacher):
        return ""
    used, price = teacher.usage, Price.from_settings(settings.teacher.cost)
    tokens = f"{used.input_tokens:,} tokens in and {used.output_tokens:,} out"
    asked = f"; this check took {used.requests} request(s), {tokens}"
    if price is None:
        return f"{asked}; no price is configured (teacher.cost)"
    return f"{asked}, {price.of(used, seconds=0.0):.2g} USD"


def _answer_problem(
    answers: np.ndarray[Any, Any], texts: int, labels: int, *, independent: bool
) -> str | None:
    if answers.shape != (texts, labels):
        return f"the shape {list(answers.shape)} where [{texts}, {labels}] was expected"
    if not np.issubdtype(answers.dtype, np.number) or not np.isfinite(answers).all():
        return "values that are not finite numbers"
    if independent:
        outside = (answers < 0).any() or (answers > 1).any()
        return "values that are not probabilities (from 0 to 1)" if outside else None
    if (answers < 0).any() or (abs(answers.sum(axis=1) - 1) > 1e-3).any():
        return "rows that are not probabilities (not negative, summing to 1)"
    return None


def _folder(folder: Path, head: str | None) -> Finding:
    if not folder.is_dir():
        return Finding("teacher", False, f"{folder} is not a folder", "mend teacher.source")
    lacking = [
        what
        for what, patterns in (
            ("config.json", ("config.json",)),
            ("weights", _WEIGHTS),
            ("a tokenizer", _TOKENIZERS),
        )
        if not any(any(folder.glob(pattern)) for pattern in patterns)
    ]
    if lacking:
        mend = "save model and tokenizer there with save_pretrained"
        return Finding("teacher", False, f"{folder} lacks {', '.join(lacking)}", mend)
    if head is None and not _classifies(folder / "config.json"):
        mend = "name a classification head in teacher.head, or give a fine-tuned checkpoint"
        return Finding("teacher", False, f"{folder} has no classification head", mend)
    return Finding("teacher", True, f"{folder} has configuration, weights and tokenizer")


def _classifies(config: Path) -> bool:
    """Whether a checkpoint says that it is a sequence classifier (or does not say what it is)."""
    try:
        architectures = json.loads(config.read_text(encoding="utf-8")).get("architectures")
    except (OSError, ValueError, AttributeError):
        return False
    return not architectures or any("SequenceClassification" in str(name) for name in architectures)


def _hub(source: str, revision: str | None, here: Surroundings) -> Finding:
    cached = _cache(here) / f"models--{source.replace('/', '--')}" / "snapshots"
    if cached.is_dir() and any(cached.iterdir()):
        pinned = "" if revision else "; teacher.revision is not pinned"
        return Finding("teacher", True, f"{source!r} is in the hub's cache{pinned}")
    offline = [name for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE") if _is_on(here, name)]
    if offline:
        mend = f"unset {offline[0]}, or give a folder that exists"
        return Finding(
            "teacher", False, f"{source!r} is no folder, not in the hub's cache, and the hub is off", mend
        )
    return Finding("teacher", None, f"{source!r} is no folder; it will be taken from the hub on first use")


def _cache(here: Surroundings) -> Path:
    """Where the hub's client keeps downloads (`HF_HUB_CACHE`, `HF_HOME`, or its default)."""
    environment = here.environment
    if "HF_HUB_CACHE" in environment:
        return Path(environment["HF_HUB_CACHE"])
    home = environment.get("HF_HOME")
    return (Path(home) if home else here.home / ".cache" / "huggingface") / "hub"


def _is_on(here: Surroundings, name: str) -> bool:
    return here.environment.get(name, "").upper() in ("1", "ON", "YES", "TRUE")
