"""A page escapes what it is given, and says which extra it needs."""

from __future__ import annotations

import importlib.util
import sys

import pytest

from coffey.core.errors import MissingExtra
from coffey.dashboard import page as page_module
from coffey.dashboard.page import TEMPLATES, Facts, Note, Page, Section, Table, Tile, filled, render

BAD = '"><b onclick=x>'


def test_every_text_of_a_page_is_escaped() -> None:
    """Names, tiles, tables, facts, notes and section titles cannot bring in an element."""
    section = Section(BAD, BAD, [Table([BAD], [[BAD]], caption=BAD), Facts([(BAD, BAD)]), Note(BAD, "bad")])
    html = render(
        Page(
            kind=BAD,
            name=BAD,
            verdict=BAD,
            meta=[(BAD, BAD)],
            tiles=[Tile(BAD, BAD, BAD)],
            sections=[section] * 4,
            facts=[(BAD, BAD)],
        )
    )
    assert "<b " not in html
    assert html.count("&lt;b onclick") > 20


def test_a_column_without_a_figure_is_left_out() -> None:
    """A column in which every cell is absent says nothing; the kinds of the others stay with them."""
    table = Table(("a", "b", "c"), [("x", "–", "y"), ("z", "", "w")], text_columns=frozenset({0, 2}))
    kept = filled(table)
    assert list(kept.columns) == ["a", "c"]
    assert [list(row) for row in kept.rows] == [["x", "y"], ["z", "w"]]
    assert kept.text_columns == {0, 1}


def test_a_missing_jinja2_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra, the error says what to install."""
    page_module.templates.cache_clear()
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingExtra, match=r"coffey\[watch\]"):
        render(Page(kind="Plan", name="x", verdict=""))
    page_module.templates.cache_clear()


def test_the_templates_lie_in_the_package() -> None:
    """Templates are files of the package, so the wheel carries them."""
    spec = importlib.util.find_spec("coffey.dashboard")
    assert spec is not None
    assert TEMPLATES.parent.samefile((spec.submodule_search_locations or [""])[0])
    assert {file.name for file in TEMPLATES.iterdir()} >= {"page.html", "style.css"}
