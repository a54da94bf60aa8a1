"""Rules of `coffey.toml` that one field alone cannot break."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from coffey.core.errors import Problem
from coffey.teacher.prompt import is_template, template_problem
from coffey.teacher.request_fields import extra_problem

Values = Mapping[str, object]
"""Every valid value by its dotted key, defaults included; absent is a key with a problem of its own.

Lists are here even if an item of theirs has a problem.
"""

_TARGET = re.compile(r"(\d+(?:\.\d+)?)\s*([KMB]?)", re.IGNORECASE)
_UNITS = {"": 1.0, "K": 1e3, "M": 1e6, "B": 1e9}
_SHAPE_KEYS = ("layers", "width", "heads", "intermediate", "vocabulary", "embedding")
_STATIC_KEYS = ("width", "vocabulary", "hidden")
_COUNT = re.compile(r"[1-9][0-9]{0,8}")
_FUNCTION = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")
_PRICES = ("usd_per_hour", "usd_per_1k_requests", "usd_per_1m_tokens")
_OUTPUT_PRICE = "usd_per_1m_output_tokens"
_BASE_URL = re.compile(r"https?://[^/@\s]+(/[^@\s?#]*)?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_STAGE = (
    "a stage such as '2M', '700K', 'layers=3,width=192,heads=6,vocabulary=8000', 'static:300K' or "
    "'module=package.module:function'"
)
_STATIC, _MODULE = "static:", "module="


def broken_rules(values: Values, given: Mapping[str, object]) -> list[Problem]:
    """The problems between fields; a rule whose fields are not all valid is passed over.

    `given` is the file's own document, for rules on what was written rather than defaulted.
    """
    rules: tuple[Callable[[Values], Iterator[Problem]], ...] = (
        _drops,
        _function,
        _endpoint,
        _many_labels,
        _asking,
        _stages,
        _overlap,
        _labels,
    )
    found = [problem for rule in rules for problem in rule(values)]
    return found + list(_one_price(values, given))


def read_labels(path: Path) -> tuple[str, ...] | Problem:
    """The names in a JSON file of labels, or what is wrong with it."""
    expected = "a JSON file that holds a list of strings"
    try:
        names = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as exc:
        return Problem("task.labels", str(path), f"{expected} ({exc})")
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        return Problem("task.labels", str(path), f"{expected}; it holds something else")
    return tuple(names)


def label_problem(names: tuple[str, ...]) -> Problem | None:
    """Whether names can be labels: at least two, all different."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        return Problem("task.labels", twice[0], "every label once")
    return Problem("task.labels", list(names), "at least two labels") if len(names) < 2 else None


def stage_problem(stage: str) -> str | None:
    """What is expected of a stage's text that cannot be read; None when it can."""
    if stage.strip().startswith(_MODULE):
        function, comma, sizes = stage.strip().removeprefix(_MODULE).partition(",")
        right = _FUNCTION.fullmatch(function) and (not comma or _sizes(sizes, ("vocabulary",)))
        return None if right else "'module=package.module:function', after which vocabulary=… may follow"
    if _size(stage) is not None:
        return None if _size(stage) else "a target above 0"
    if stage.strip().startswith(_STATIC):
        values = _sizes(stage.strip().removeprefix(_STATIC), _STATIC_KEYS)
        return None if values and "width" in values else "'static:300K', or 'static:' and at least width=…"
    values = _sizes(stage, _SHAPE_KEYS)
    if values is None:
        return _STAGE
    if "layers" not in values or "width" not in values:
        return "a shape with at least layers=… and width=…"
    return "heads that divide the width" if values["width"] % values.get("heads", 1) else None


def _sizes(text: str, names: tuple[str, ...]) -> dict[str, int] | None:
    """The numbers of `name=number,…`; None where the text is anything else."""
    values: dict[str, int] = {}
    for part in text.split(","):
        name, _, number = (piece.strip() for piece in part.partition("="))
        if name not in names or not _COUNT.fullmatch(number):
            return None
        values[name] = int(number)
    return values


def _size(stage: object) -> float | None:
    """The parameters that a target asks for, of an encoder or of a static student."""
    match = _TARGET.fullmatch(stage.strip().removeprefix(_STATIC)) if isinstance(stage, str) else None
    return float(match[1]) * _UNITS[match[2].upper()] if match else None


def _stages(values: Values) -> Iterator[Problem]:
    stages = values.get("chain.stages")
    if not isinstance(stages, (list, tuple)):
        return
    for place, stage in enumerate(stages):
        if isinstance(stage, str) and (expected := stage_problem(stage)):
            yield Problem(f"chain.stages[{place}]", stage, expected, _nearest_shape_key(stage))
    if any(isinstance(stage, str) and _size(stage) is None for stage in stages):
        return
    sizes = [_size(stage) for stage in stages]
    for place, (before, now) in enumerate(zip(sizes, sizes[1:], strict=False), start=1):
        if before is not None and now is not None and now >= before:
            yield Problem(
                f"chain.stages[{place}]", stages[place], f"less than the stage before ({stages[place - 1]!r})"
            )


def _nearest_shape_key(stage: str) -> str | None:
    names = [part.partition("=")[0].strip() for part in stage.split(",") if "=" in part]
    unknown = [name for name in names if name not in _SHAPE_KEYS]
    near = difflib.get_close_matches(unknown[0], _SHAPE_KEYS, n=1) if unknown else []
    return near[0] if near else None


def _drops(values: Values) -> Iterator[Problem]:
    least, value = values.get("monitor.max_drop"), values.get("monitor.redistill_drop")
    if isinstance(least, (int, float)) and isinstance(value, (int, float)) and value < least:
        yield Problem("monitor.redistill_drop", value, f"at least monitor.max_drop ({least:g})")


def _function(values: Values) -> Iterator[Problem]:
    source = values.get("teacher.source")
    python = values.get("teacher.kind") == "python"
    if python and isinstance(source, str) and not _FUNCTION.fullmatch(source):
        yield Problem(
            "teacher.source", source, "the form 'package.module:function', as teacher.kind is 'python'"
        )


class _Hidden:
    """Stands in a message for a value that may be a secret."""

    def __repr__(self) -> str:
        return "(not shown)"


def _endpoint(values: Values) -> Iterator[Problem]:
    if values.get("teacher.kind") != "openai":
        return
    url = values.get("teacher.endpoint.url")
    if not isinstance(url, str) or not _BASE_URL.fullmatch(url):
        shown = _Hidden() if isinstance(url, str) and "@" in url else url
        expected = "'http://…' or 'https://…' with no name or key in it, as teacher.kind is 'openai'"
        yield Problem("teacher.endpoint.url", shown, expected)
    name = values.get("teacher.endpoint.api_key_env")
    if isinstance(name, str) and not _VARIABLE.fullmatch(name):
        yield Problem(
            "teacher.endpoint.api_key_env",
            _Hidden(),
            "the name of an environment variable, not the key itself",
        )
    if values.get("task.labels", _Hidden) is None:
        expected = "the names that the model chooses from, as teacher.kind is 'openai'"
        yield Problem("task.labels", None, expected)


def _many_labels(values: Values) -> Iterator[Problem]:
    kind, threshold = values.get("task.kind"), values.get("task.threshold")
    if kind == "text-classification" and threshold is not None:
        expected = "none: with one label a text the most probable one is the answer"
        yield Problem("task.threshold", threshold, expected)
    if kind != "multi-label-classification":
        return
    if values.get("teacher.kind") == "openai":
        expected = "'text-classification': a model behind an endpoint gives one distribution over the labels"
        yield Problem("task.kind", "multi-label-classification", expected)
    if values.get("task.separator") == "":
        yield Problem("task.separator", "", "at least one character")


def _asking(values: Values) -> Iterator[Problem]:
    prompt = values.get("teacher.asking.prompt")
    if isinstance(prompt, str) and is_template(prompt) and (expected := template_problem(prompt)):
        yield Problem("teacher.asking.prompt", prompt, expected)
    extra = values.get("teacher.asking.extra")
    if isinstance(extra, str) and (expected := extra_problem(extra)):
        yield Problem("teacher.asking.extra", extra, expected)


def _overlap(values: Values) -> Iterator[Problem]:
    transfer, holdout = (_as_list(values.get(f"data.{name}")) for name in ("transfer", "holdout"))
    for url in holdout:
        if url in transfer:
            yield Problem("data.holdout", url, "files that data.transfer does not name")


def _as_list(value: object) -> list[object]:
    return list(value) if isinstance(value, (list, tuple)) else [] if value is None else [value]


def _labels(values: Values) -> Iterator[Problem]:
    names = values.get("task.labels")
    if isinstance(names, (list, tuple)) and (problem := label_problem(tuple(map(str, names)))):
        yield problem


def _one_price(values: Values, given: Mapping[str, object]) -> Iterator[Problem]:
    teacher = given.get("teacher")
    cost = teacher.get("cost") if isinstance(teacher, Mapping) else None
    if not isinstance(cost, Mapping):
        return
    named = [name for name in _PRICES if name in cost]
    known = all(name in (*_PRICES, _OUTPUT_PRICE) for name in cost)
    if len(named) != 1 and known and "teacher.cost.usd_per_hour" in values:
        yield Problem("teacher.cost", dict(cost), f"exactly one of {', '.join(_PRICES)}")
    elif _OUTPUT_PRICE in cost and "usd_per_1m_tokens" not in cost:
        yield Problem(f"teacher.cost.{_OUTPUT_PRICE}", cost[_OUTPUT_PRICE], "usd_per_1m_tokens beside it")
