"""`coffey.toml`: read, checked as a whole, and returned as the frozen values of `core/settings.py`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, cast

from coffey.core.errors import ConfigError, Problem
from coffey.core.ranges import read_range
from coffey.core.settings import Settings
from coffey.project.fields import field_problems, valid_values
from coffey.project.paths import absolute, resolve_paths
from coffey.project.rules import broken_rules, label_problem, read_labels
from coffey.project.schema import (
    bounds_of,
    expected_words,
    hints_of,
    holds_numbers,
    is_required,
    may_be_range,
    walk,
    word_of,
)
from coffey.project.toml_file import read_toml, toml_value


class SettingReference(NamedTuple):
    """One key of `coffey.toml`, for the generated reference."""

    section: str
    key: str
    type: str
    default: str
    """As TOML; `required` or `absent` where there is none."""
    meaning: str


def load_settings(path: Path) -> Settings:
    """Read and check a `coffey.toml`; relative paths in it are relative to its folder.

    Raises:
        ConfigError: every problem of the file at once; or the one that keeps it from being read.
    """
    return parse_settings(read_toml(path), str(path), folder=path.resolve().parent)


def parse_settings(document: Mapping[str, Any], source: str, *, folder: Path | None = None) -> Settings:
    """Check a document and return its settings with resolved paths.

    `data.transfer` and `data.holdout` come back as tuples, `task.labels` as a tuple or None.

    Args:
        document: what a TOML reader returns.
        source: name of the document in messages; a path.
        folder: what relative paths are relative to; the folder of `source` when absent.

    Raises:
        ConfigError: every problem at once.
    """
    base = (folder or Path(source).parent).resolve()
    problems = field_problems(document)
    values = valid_values(document, [problem.key for problem in problems])
    problems += broken_rules(values, document)
    labels = _labels(values.get("task.labels"), base, problems)
    if problems:
        raise ConfigError(source, problems)
    settings = cast(Settings, _build(Settings, document))
    return replace(resolve_paths(settings, base), task=replace(settings.task, labels=labels))


def settings_reference() -> list[SettingReference]:
    """Every key with its section, type in words, default and meaning, in the order of `core/settings.py`."""
    return [
        SettingReference(
            section,
            one.name,
            expected_words(kind, bounds_of(one)),
            _default_words(one),
            one.metadata["meaning"],
        )
        for section, one, kind in walk()
    ]


def _default_words(one: Any) -> str:
    if is_required(one):
        return "required"
    return "absent" if one.default is None else toml_value(one.default)


def _labels(value: object, base: Path, problems: list[Problem]) -> tuple[str, ...] | None:
    """The label names; a file of them is read here, and its problems are added."""
    if not isinstance(value, str):
        return tuple(value) if isinstance(value, (list, tuple)) else None
    names = read_labels(Path(absolute(value, base)))
    problem = names if isinstance(names, Problem) else label_problem(names)
    if problem:
        problems.append(problem)
    return None if isinstance(names, Problem) else names


def _build(section: type, table: Mapping[str, Any]) -> object:
    hints = hints_of(section)
    return section(**dict(_arguments(hints, table)))


def _arguments(hints: Mapping[str, Any], table: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    for name, value in table.items():
        if is_dataclass(hints[name]):
            yield name, _build(cast(type, hints[name]), value)
        elif may_be_range(hints[name]) and isinstance(value, str):
            yield name, read_range(value)
        elif isinstance(value, list):
            yield name, tuple(value)
        elif isinstance(value, str) and word_of(hints[name]):
            yield name, (value,)
        else:
            wide = holds_numbers(hints[name]) and isinstance(value, int)
            yield name, float(value) if wide else value
