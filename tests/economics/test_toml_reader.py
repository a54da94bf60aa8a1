"""A file is read with every problem of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from coffey.core.errors import ConfigError
from coffey.economics.toml_reader import Bounded, TomlReader


def reader(tmp_path: Path, text: str) -> TomlReader:
    path = tmp_path / "some.toml"
    path.write_text(text)
    return TomlReader.of_file(path)


def test_ranges_have_their_geometric_mean_as_value(tmp_path: Path) -> None:
    """A range says low and high; its middle is the median of a log-uniform draw. A number is exact."""
    root = reader(tmp_path, 'a = "4..9"\nb = 7\nc = "1_000..4_000"')
    assert root.amount("a") == Bounded(6.0, 4.0, 9.0)
    assert root.amount("b") == Bounded(7, 7, 7)
    assert root.amount("c").value == pytest.approx(2000)
    assert [root.amount(key).ranged for key in "abc"] == [True, False, True]


def test_amounts_are_written_as_in_a_project(tmp_path: Path) -> None:
    """With the letters of sizes; a sign of dollars is refused, with what to write instead."""
    root = reader(tmp_path, 'a = "8M..12M"\nb = "$5"')
    assert (root.amount("a").low, root.amount("a").high) == (8e6, 12e6)
    root.amount("b")
    with pytest.raises(ConfigError, match="written without a sign: write 5"):
        root.finish("some.toml")


@pytest.mark.parametrize("text", ['"9..4"', '"-2..4"', '"2..x"', '"5"', '"2..3..4"', "true", "nan", "[1]"])
def test_what_is_no_amount_is_refused(tmp_path: Path, text: str) -> None:
    """Backwards, negative, unreadable or of another type: named with what was expected."""
    root = reader(tmp_path, f"a = {text}")
    root.amount("a")
    with pytest.raises(ConfigError, match=r"a = .*expected a number of at least 0, or a range"):
        root.finish("some.toml")


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    """Missing, wrong, out of bounds and unknown keys of nested tables, each with its full name."""
    root = reader(tmp_path, '[one]\ncount = 0\nmode = "fsat"\ncuont = 3\n[[rows]]\nflag = 1')
    one = root.table("one")
    one.whole("count")
    one.number("missing", above=0)
    one.text("mode", choices=("fast", "slow"))
    one.close()
    for row in root.tables("rows"):
        row.flag("flag", default=True)
    root.table("gone")
    root.tables("none")
    root.close()
    with pytest.raises(ConfigError) as caught:
        root.finish("some.toml")
    assert [problem.key for problem in caught.value.problems] == [
        "one.count", "one.missing", "one.mode", "one.cuont", "rows[0].flag", "gone", "none",
    ]  # fmt: skip
    nearest = {problem.key: problem.nearest for problem in caught.value.problems}
    assert nearest["one.mode"] == "fast"
    assert nearest["one.cuont"] == "count"


@pytest.mark.parametrize("content", [b"a = ", b"a = '\xff'", None])
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, content: bytes | None) -> None:
    """Broken TOML, bytes that are no UTF-8, no file at all."""
    path = tmp_path / "some.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"some\.toml"):
        TomlReader.of_file(path)
