"""The user's own torch module as a student: imported by name, held to the contract of every student."""

from __future__ import annotations

import functools
import importlib
import inspect
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from coffey.core.errors import ConfigError
from coffey.core.ids import digest_bytes
from coffey.students.shape import read_sizes, refused

PREFIX = "module="
"""How the text of such a stage begins."""

_TEXT = re.compile(r"module=(?P<function>[\w.]+:\w+)(,(?P<sizes>.*))?")
_EXPECTED = "'module=package.module:function', after which vocabulary=… may follow"
_CONTRACT = (
    "a function(vocabulary=…, labels=…, max_length=…) that returns an nn.Module whose forward(input_ids, "
    "attention_mask) returns (logits [batch, labels], features [batch, any width])"
)
_TRIED = ((2, 5), (1, 1))
"""Batch and length of what a new module is asked."""


@dataclass(frozen=True, slots=True)
class ModuleShape:
    """Everything that decides what a user's function makes."""

    function: str
    """`package.module:function`."""
    code: str
    """Digest of the file that the function is in: other code is another student."""
    vocabulary: int
    max_length: int
    labels: int

    def parameters(self) -> int:
        """All parameters of the module that the function makes."""
        return _count(self)[0]

    def parameters_without_embeddings(self) -> int:
        """Those outside its `nn.Embedding` tables."""
        return _count(self)[1]

    def __str__(self) -> str:
        """The shape as `coffey.toml` writes it, without what the task decides."""
        return f"{PREFIX}{self.function},vocabulary={self.vocabulary}"

    def as_json(self) -> dict[str, int | str]:
        """The fields by name, and the family."""
        return {"family": "module", **asdict(self)}


class ModuleStudent(nn.Module):
    """What a user's function makes, as a student.

    Args:
        shape: names the function, and what it is called with.
        seed: of torch's random numbers while the function runs.

    Raises:
        ConfigError: the function cannot be imported, is not what it was, or breaks the contract.
    """

    def __init__(self, shape: ModuleShape, *, seed: int = 0) -> None:
        super().__init__()
        self.shape = shape
        self.module = _make(shape, seed)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Logits [b, labels] and features [b, width] of int64 [b, t] ids and mask."""
        logits, features = self.module(input_ids, attention_mask)
        return logits, features


def parse_module(stage: str, *, labels: int, vocabulary: int, max_length: int) -> ModuleShape:
    """The shape that a stage's text asks for: `module=package.module:function,vocabulary=4000`.

    Args:
        stage: the text.
        labels: number of labels.
        vocabulary: tokens that are worth having; the text may ask for fewer.
        max_length: tokens that are read of a text.

    Raises:
        ConfigError: the text cannot be read, or the function cannot be imported.
    """
    match = _TEXT.fullmatch(stage.strip())
    if match is None:
        raise refused(stage, _EXPECTED)
    sizes = read_sizes(stage, match["sizes"], ("vocabulary",), _EXPECTED) if match["sizes"] else {}
    tokens = min(sizes.get("vocabulary", vocabulary), vocabulary)
    code = _code(import_function(match["function"]))
    return ModuleShape(match["function"], code, tokens, max_length, labels)


def stage_code(stage: str) -> str | None:
    """Digest of the code behind a stage's text; None where that names no module of the user's.

    Raises:
        ConfigError: the function cannot be imported.
    """
    match = _TEXT.fullmatch(stage.strip())
    return _code(import_function(match["function"])) if match else None


def import_function(name: str) -> Callable[..., Any]:
    """The function `package.module:function`.

    Raises:
        ConfigError: there is no such module on the import path, it fails, or it has no such function.
    """
    module_name, _, function_name = name.partition(":")
    try:
        module = importlib.import_module(module_name)
    except Exception as exc:  # whatever the user's module raises
        raise _broken(name, f"an importable module, but {type(exc).__name__}: {exc}") from exc
    function: Callable[..., Any] | None = getattr(module, function_name, None)
    if not callable(function):
        raise _broken(name, f"a function {function_name!r} in module {module_name!r}, which has none")
    return function


def _make(shape: ModuleShape, seed: int) -> nn.Module:
    function = import_function(shape.function)
    if _code(function) != shape.code:
        raise _broken(
            shape.function, "the code that this student was made with; restore it, or train the stage anew"
        )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        try:
            made = function(vocabulary=shape.vocabulary, labels=shape.labels, max_length=shape.max_length)
        except Exception as exc:  # whatever the user's function raises
            raise _broken(shape.function, f"{_CONTRACT}; it raised {type(exc).__name__}: {exc}") from exc
        if not isinstance(made, nn.Module):
            raise _broken(shape.function, f"{_CONTRACT}; it returned {type(made).__name__}")
        for rows, tokens in _TRIED:
            _try(made, shape, rows, min(tokens, shape.max_length))
    return made


def _try(module: nn.Module, shape: ModuleShape, rows: int, tokens: int) -> None:
    """Ask a question of `rows` texts and hold the answer to the contract."""
    ids = torch.zeros((rows, tokens), dtype=torch.int64)
    training = module.training
    module.eval()
    try:
        with torch.inference_mode():
            said = module(ids, torch.ones_like(ids))
    except Exception as exc:  # whatever the user's module raises
        raise _broken(shape.function, f"{_CONTRACT}; forward raised {type(exc).__name__}: {exc}") from exc
    finally:
        module.train(training)
    if not (isinstance(said, tuple) and len(said) == 2 and all(isinstance(part, Tensor) for part in said)):
        raise _broken(shape.function, f"{_CONTRACT}; forward returned {type(said).__name__}")
    logits, features = said
    if logits.shape != (rows, shape.labels) or features.ndim != 2 or len(features) != rows:
        found = f"logits {list(logits.shape)} and features {list(features.shape)}"
        raise _broken(
            shape.function, f"{_CONTRACT}; for {rows} texts and {shape.labels} labels it returned {found}"
        )
    if not (logits.is_floating_point() and bool(logits.isfinite().all())):
        raise _broken(shape.function, f"{_CONTRACT}; its logits are not finite floating-point numbers")


@functools.lru_cache(maxsize=16)
def _count(shape: ModuleShape) -> tuple[int, int]:
    """All parameters, and those outside `nn.Embedding`; a shared one counts once."""
    made = ModuleStudent(shape)
    tables = {
        id(weight)
        for part in made.modules()
        if isinstance(part, nn.Embedding)
        for weight in part.parameters(recurse=False)
    }
    total = sum(weight.numel() for weight in made.parameters())
    return total, sum(weight.numel() for weight in made.parameters() if id(weight) not in tables)


def _code(function: Callable[..., Any]) -> str:
    """Digest of the file that `function` is written in; of nothing where there is no file."""
    try:
        path = inspect.getsourcefile(function)
    except TypeError:
        path = None
    return digest_bytes(Path(path).read_bytes() if path else b"")


def _broken(function: str, expected: str) -> ConfigError:
    return refused(PREFIX + function, expected)
