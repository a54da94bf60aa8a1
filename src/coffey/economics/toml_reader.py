"""A TOML file read key by key; what is wrong is collected, so that all of it is reported at once."""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, cast

from coffey.core.errors import ConfigError, Problem
from coffey.core.ranges import Range, how_to_write, read_range

T = TypeVar("T")
Table = dict[str, object]

NO_NUMBER = 1.0
"""Stands for a number that is missing or wrong, until the problems are raised."""

_REQUIRED = object()


@dataclass(frozen=True, slots=True)
class Bounded:
    """A number that may be known only within bounds."""

    value: float
    low: float
    high: float

    @property
    def ranged(self) -> bool:
        """Whether it is known only within bounds."""
        return self.low < self.high


@dataclass(slots=True)
class TomlReader:
    """One table; its problems are those of the whole file."""

    values: Table
    place: str = ""
    """How the table is reached: `serving.teacher`."""
    problems: list[Problem] = field(default_factory=list)
    _asked: set[str] = field(default_factory=set)

    @classmethod
    def of_file(cls, path: Path) -> TomlReader:
        """The root table of a file.

        Raises:
            ConfigError: the file cannot be read, or is not TOML.
        """
        try:
            return cls(tomllib.loads(path.read_text(encoding="utf-8")))
        except OSError as exc:
            problem = Problem("file", str(path), f"a file that can be read ({exc.strerror})")
        except ValueError as exc:  # TOMLDecodeError and UnicodeDecodeError
            problem = Problem("file", str(path), f"valid TOML in UTF-8 ({exc})")
        raise ConfigError(str(path), [problem])

    def finish(self, source: str) -> None:
        """Raise what was found wrong.

        Raises:
            ConfigError: with every problem.
        """
        if self.problems:
            raise ConfigError(source, self.problems)

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        return key in self.values

    def number(
        self, key: str, *, default: float | None = None, at_least: float = 0.0, above: float | None = None
    ) -> float:
        """A finite number within its bounds; without a default the key is required."""

        def fits(value: object) -> bool:
            return _is_number(value) and at_least <= cast("float", value) and _above(value, above)

        expected = f"a number {f'above {above:g}' if above is not None else f'of at least {at_least:g}'}"
        return float(self._read(key, default, fits, expected, NO_NUMBER))

    def whole(self, key: str, *, default: int | None = None, at_least: int = 1) -> int:
        """A whole number."""

        def fits(value: object) -> bool:
            return isinstance(value, int) and not isinstance(value, bool) and value >= at_least

        return int(self._read(key, default, fits, f"a whole number of at least {at_least}", at_least))

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false."""
        return self._read(key, default, lambda value: isinstance(value, bool), "true or false", default)

    def text(self, key: str, *, default: str | None = None, choices: Sequence[str] = ()) -> str:
        """A text, one of `choices` where there are any."""

        def fits(value: object) -> bool:
            return isinstance(value, str) and value != "" and (not choices or value in choices)

        expected = " | ".join(choices) or "a text"
        return self._read(key, default, fits, expected, choices[0] if choices else "", choices)

    def amount(self, key: str, *, default: float | None = None, above: float | None = None) -> Bounded:
        """A number of at least 0, or a range as `core.ranges` reads it, with its middle as the value."""

        def fits(value: object) -> bool:
            found = _amount(value)
            return found is not None and found.low >= 0 and _above(found.low, above)

        least = f"above {above:g}" if above is not None else "of at least 0"
        advice = how_to_write(text) if isinstance(text := self.values.get(key), str) else ""
        expected = f"a number {least}, or a range of such as '2..5'{f'; {advice}' if advice else ''}"
        found = cast("Range", _amount(self._read(key, default, fits, expected, NO_NUMBER)))
        return Bounded(float(found), found.low, found.high)

    def table(self, key: str, *, required: bool = True) -> TomlReader:
        """The table under a key; an empty one where it is missing, which is a problem if it is required."""
        default: object = _REQUIRED if required else {}
        none: Table = {}
        found = self._read(key, default, lambda value: isinstance(value, dict), "a table", none)
        return TomlReader(found, self._full(key), self.problems)

    def tables(self, key: str) -> tuple[TomlReader, ...]:
        """The tables of a list of at least one, `[[key]]` in the file."""

        def fits(value: object) -> bool:
            return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)

        none: list[Table] = []
        rows = self._read(key, _REQUIRED, fits, f"at least one [[{self._full(key)}]]", none)
        return tuple(
            TomlReader(row, f"{self._full(key)}[{number}]", self.problems) for number, row in enumerate(rows)
        )

    def refuse(self, key: str, value: object, expected: str, nearest: str | None = None) -> None:
        """Note a problem that only the caller can see."""
        self.problems.append(Problem(self._full(key), value, expected, nearest))

    def close(self) -> None:
        """Note the keys that nobody asked for: most are misspelled."""
        for key in self.values.keys() - self._asked:
            near = difflib.get_close_matches(key, sorted(self._asked), n=1)
            self.refuse(key, self.values[key], "a key that is known here", near[0] if near else None)

    def _read(
        self,
        key: str,
        default: object,
        fits: Callable[[object], bool],
        expected: str,
        instead: T,
        choices: Sequence[str] = (),
    ) -> T:
        self._asked.add(key)
        optional = default is not None and default is not _REQUIRED
        if key not in self.values and optional:
            return cast("T", default)
        value = self.values.get(key)
        if fits(value):
            return cast("T", value)
        near = difflib.get_close_matches(str(value), choices, n=1)
        self.refuse(key, value, expected, near[0] if near else None)
        return instead

    def _full(self, key: str) -> str:
        return f"{self.place}.{key}" if self.place else key


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _above(value: object, bound: float | None) -> bool:
    return bound is None or cast("float", value) > bound


def _amount(value: object) -> Range | None:
    """The range that a value stands for: of one point for a number; None when it is no amount."""
    if _is_number(value):
        return Range(cast("float", value), cast("float", value))
    try:
        return read_range(value) if isinstance(value, str) else None
    except ValueError:
        return None
