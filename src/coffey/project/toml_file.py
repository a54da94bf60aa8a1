"""TOML text: read with the place of what is wrong, and written value by value."""

from __future__ import annotations

import codecs
import difflib
import re
import tomllib
from pathlib import Path
from typing import Any

from coffey.core.errors import ConfigError, Problem


def toml_value(value: object) -> str:
    """A string, number, truth value or sequence of strings as TOML.

    >>> toml_value(("7M", "2M")), toml_value(1e6), toml_value(True)
    ('["7M", "2M"]', '1_000_000', 'true')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return f"{int(value):_}" if value == int(value) and abs(value) >= 10_000 else repr(value)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(toml_value(item) for item in value)}]"
    return '"' + re.sub(r'["\\\x00-\x1f\x7f]', _escape, str(value)) + '"'


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    return f"\\{char}" if char in '"\\' else f"\\u{ord(char):04X}"


def read_toml(path: Path) -> dict[str, Any]:
    """The document in a file.

    Raises:
        ConfigError: the file cannot be read, is not UTF-8 or not TOML; with the line where there is one.
    """
    try:
        data = path.read_bytes()
    except OSError as exc:
        raise ConfigError(str(path), [_unreadable(path, exc)]) from exc
    try:
        text = data.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError as exc:
        line = data[: exc.start].count(b"\n") + 1
        found = bytes(data[exc.start : exc.start + 1])
        raise ConfigError(str(path), [Problem(f"line {line}", found, "UTF-8 text")]) from exc
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as exc:  # TOMLDecodeError, and numbers that are too long for int()
        raise ConfigError(str(path), [_syntax_problem(text, str(exc))]) from exc


def _unreadable(path: Path, exc: OSError) -> Problem:
    inside = path / "coffey.toml"
    if path.is_dir():
        near = str(inside) if inside.is_file() else None
        return Problem("file", str(path), "a file, not a folder", near)
    if isinstance(exc, FileNotFoundError):
        siblings = [str(found) for found in path.parent.glob("*.toml")] if path.parent.is_dir() else []
        near_names = difflib.get_close_matches(str(path), siblings, n=1)
        expected = "a file that exists (`coffey init` writes one)"
        return Problem("file", str(path), expected, near_names[0] if near_names else None)
    return Problem("file", str(path), f"a file that can be read ({exc.strerror})")


def _syntax_problem(text: str, message: str) -> Problem:
    place = re.search(r"\(at line (\d+), column (\d+)\)", message)
    lines = text.splitlines() or [""]
    number = min(int(place[1]), len(lines)) if place else len(lines)
    where = f"line {number}, column {place[2]}" if place else f"line {number}"
    reason = message.split(" (at ")[0]
    return Problem(where, lines[number - 1].strip(), f"valid TOML ({reason})")
