"""Kind `python`: a function of the user's, `package.module:function`, batch of texts in, array out.

Covers scikit-learn, ONNX, remote services, anything. The function takes `list[str]` and returns
`[batch, labels]` as lists, numpy or torch: probabilities or logits, told apart by the rule of `answers`
unless the function says so itself. Optional attributes of the function:

- `labels`: the names of its columns, in their order; then `task.labels` need not be set;
- `params`: how many parameters the model behind it has;
- `returns`: `"probabilities"` or `"logits"`.
"""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType

import numpy as np

from coffey.core.errors import ConfigError, LabelRejected, Problem, TeacherUnavailable
from coffey.core.ids import digest_file
from coffey.teacher.answers import INDEPENDENT, Meaning, are_independent, as_answer, meaning_of, normalized
from coffey.teacher.fingerprint import fingerprint
from coffey.teacher.protocol import Probabilities


class FunctionTeacher:
    """A teacher that is a function. Use `load`.

    The fingerprint covers the bytes of the function's module, `version` and the labels; it cannot see a model
    file or a service behind the function, so raise `teacher.version` when that changes.
    """

    def __init__(
        self,
        source: str,
        function: Callable[[list[str]], object],
        *,
        labels: Sequence[str],
        header: Mapping[str, object],
    ) -> None:
        self.source = source
        self.labels = tuple(labels)
        self.params = _params(source, function)
        self.header = header
        self.fingerprint = fingerprint(header)
        self._function = function
        self._independent = are_independent(header)
        self._stated = _stated_meaning(source, function)
        self._first: Meaning | None = None

    @classmethod
    def load(
        cls,
        source: str,
        *,
        folder: Path,
        labels: Sequence[str] | None = None,
        version: str | None = None,
        independent: bool = False,
    ) -> FunctionTeacher:
        """The function `package.module:function`, imported with `folder` first on the import path.

        The folder stays on the path, because the function may import later. `independent`: every label has a
        probability of its own (a multi-label task).

        Raises:
            ConfigError: the source has another form, or labels are missing, or are not the function's own.
            TeacherUnavailable: the module cannot be imported or has no such function.
        """
        module_name, name = _parse(source)
        module = _import(source, module_name, folder)
        function = getattr(module, name, None)
        if not callable(function):
            raise TeacherUnavailable(source, f"module {module_name!r} has no function {name!r}")
        names = _names(source, function, labels or ())
        header: dict[str, object] = {
            "kind": "python",
            "function": source,
            "module": digest_file(Path(module.__file__)) if module.__file__ else None,
            "version": version,
            "labels": list(names),
        }
        if independent:
            header["probabilities"] = INDEPENDENT
        return cls(source, function, labels=names, header=header)

    def predict(self, texts: Sequence[str]) -> Probabilities:
        """Float32 [len(texts), len(labels)].

        Raises:
            TeacherUnavailable: the function raised.
            LabelRejected: NaN, another shape, or a change between probabilities and logits.
        """
        if not texts:
            return np.empty((0, len(self.labels)), dtype=np.float32)
        try:
            said = self._function(list(texts))
        except Exception as exc:
            raise TeacherUnavailable(self.source, _last_line(exc)) from exc
        answer = as_answer(self.source, said, rows=len(texts), labels=len(self.labels))
        meaning = self._settle(meaning_of(answer, independent=self._independent))
        return normalized(answer, meaning, independent=self._independent)

    def close(self) -> None:
        """Nothing to give back: the function belongs to the user."""

    def _settle(self, found: Meaning) -> Meaning:
        """One meaning for all answers: the one the function states, or that of its first answer."""
        if self._stated is Meaning.LOGITS or (self._independent and self._first is Meaning.LOGITS):
            return Meaning.LOGITS  # those of independent labels may all lie in [0, 1] by chance
        expected = self._stated or self._first or found
        if found is not expected:
            raise LabelRejected(
                self.source,
                f"{expected.value} in every answer (set `function.returns` to 'probabilities' or 'logits')",
                f"what reads as {found.value}",
            )
        self._first = expected
        return expected


def _parse(source: str) -> tuple[str, str]:
    module, colon, name = source.partition(":")
    if not colon or not name.isidentifier() or not all(part.isidentifier() for part in module.split(".")):
        raise ConfigError(source, [Problem("teacher.source", source, "'package.module:function'")])
    return module, name


def _import(source: str, name: str, folder: Path) -> ModuleType:
    place = str(folder.resolve())
    if sys.path[:1] != [place]:
        sys.path[:] = [place, *(other for other in sys.path if other != place)]
    _forget_namesake(name.partition(".")[0], place)
    try:
        return importlib.import_module(name)
    except Exception as exc:
        raise TeacherUnavailable(source, f"import failed: {_last_line(exc)}") from exc


def _forget_namesake(root: str, place: str) -> None:
    """Drop a module of the same name that came from another folder, so that this folder's is imported."""
    importlib.invalidate_caches()
    here = PathFinder.find_spec(root, [place])
    loaded = getattr(sys.modules.get(root), "__spec__", None)
    if here is not None and loaded is not None and here.origin != loaded.origin:
        for name in [name for name in sys.modules if name == root or name.startswith(f"{root}.")]:
            del sys.modules[name]


def _names(source: str, function: object, labels: Sequence[str]) -> Sequence[str]:
    """The labels of the configuration, or the function's own; where both are given they are the same."""
    stated = getattr(function, "labels", None)
    own = () if stated is None else tuple(map(str, stated))
    if stated is not None and not 2 <= len(own) == len(set(own)):
        raise ConfigError(
            source, [Problem("function.labels", list(own), "at least two labels, all different")]
        )
    if not labels and not own:
        expected = "names in the order of the function's columns, here or as `function.labels`"
        raise ConfigError(source, [Problem("task.labels", None, expected)])
    if labels and own and tuple(labels) != own:
        expected = f"the function's own, in their order ({', '.join(map(repr, own))}), or none"
        raise ConfigError(source, [Problem("task.labels", list(labels), expected)])
    return labels or own


def _params(source: str, function: object) -> int | None:
    params = getattr(function, "params", None)
    if params is None or (isinstance(params, int) and params >= 0):
        return params
    raise ConfigError(source, [Problem("function.params", params, "a count of parameters")])


def _stated_meaning(source: str, function: object) -> Meaning | None:
    returns = getattr(function, "returns", None)
    try:
        return None if returns is None else Meaning(returns)
    except ValueError as exc:
        raise ConfigError(
            source, [Problem("function.returns", returns, "'probabilities' or 'logits'")]
        ) from exc


def _last_line(exc: Exception) -> str:
    frames = traceback.extract_tb(exc.__traceback__)
    where = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{traceback.format_exception_only(exc)[-1].strip()}{where}"
