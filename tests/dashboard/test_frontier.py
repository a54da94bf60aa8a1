"""The frontier's section shows every candidate to the eye, to the keyboard and to a screen reader."""

from __future__ import annotations

import copy
import json
import re
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest

from coffey.dashboard.candidate_words import label_of, latency, measure_of, name_of, quality_of
from coffey.dashboard.page import Drawing, Page, Table, render
from coffey.dashboard.reports import demo_report
from coffey.dashboard.sections.frontier import frontier_section

HOSTILE = "</script><script>alert('x')</script><img src=x onerror=alert(1)>"
WRONG: list[Any] = [3, "text", None, [1, "a", None], {"a": {"b": 1}}]


def candidate(name: str, p99: float, quality: float | None, **more: Any) -> dict[str, Any]:
    known = None
    if quality is not None:
        known = {"measure": "retention", "value": quality, "low": quality - 0.01, "high": quality + 0.01}
    return {
        "name": name,
        "stages": [name],
        "params": 2_000_000,
        "size_bytes": 2_200_000,
        "p50_ms": {"value": p99 / 2, "origin": "measured here", "note": "n"},
        "p99_ms": {"value": p99, "origin": "measured here", "note": "n", "low": p99 / 1.1, "high": p99 * 1.1},
        "quality": known and {**known, "confidence": 0.8},
        "usd_per_1k": p99 / 1000,
        "run_usd": 3000.0,
        "net_usd_over_horizon": 1234.5,
        "horizon_days": 365.0,
        "break_even_days": 41.0,
        "standing": "keeps",
        "efficient": True,
        "recommended": False,
        "reason": f"Because of {name}.",
        **more,
    }


@pytest.fixture
def result() -> dict[str, Any]:
    """Four candidates, one of each standing, as `coffey plan --json` prints them."""
    return {
        "frontier": {
            "answer": "keeps",
            "verdict": "2M is recommended.",
            "recommended": {"name": "2M", "stages": ["7M", "2M"]},
            "nearest_miss": None,
            "budget": {
                "latency_p99_ms": 50.0,
                "min_retention": 0.97,
                "min_agreement": 0.9,
                "max_usd": 5000.0,
            },
            "teacher": {"p50_ms": 14.0, "p99_ms": 20.0, "usd_per_1k": 0.01},
            "candidates": [
                candidate("7M", 5.0, 0.99),
                candidate("2M", 2.0, 0.985, recommended=True, stages=["7M", "2M"]),
                candidate("700K", 0.9, 0.972, standing="may"),
                candidate("200K", 0.5, None, standing="unknown"),
                candidate("100K", 0.4, 0.93, standing="misses"),
            ],
        }
    }


class Text(HTMLParser):
    """Strictly nested elements, the attributes of each kind, and the text."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def page_of(result: dict[str, Any]) -> str:
    section = frontier_section(result)
    return render(Page(kind="Plan", name="x", verdict="", sections=[section] if section else []))


def chart_of(result: dict[str, Any]) -> str:
    section = frontier_section(result)
    assert section is not None
    (drawing,) = (block for block in section.blocks if isinstance(block, Drawing))
    return drawing.html


def drawings(result: dict[str, Any]) -> list[ElementTree.Element]:
    return ElementTree.fromstring(chart_of(result)).findall("svg")


def spots(svg: ElementTree.Element) -> list[ElementTree.Element]:
    return [one for one in svg.iter("g") if one.get("class") == "spot"]


def test_every_candidate_is_in_plot_and_table(result: dict[str, Any]) -> None:
    """In both drawings, with the teacher beside them, and as a row with its reason beneath."""
    wide, narrow = drawings(result)
    for svg in (wide, narrow):
        assert [str(spot.get("aria-label")).split(":")[0] for spot in spots(svg)] == [
            "7M", "2M", "700K", "200K", "100K", "teacher",
        ]  # fmt: skip
    section = frontier_section(result)
    assert section is not None
    (table,) = (block for block in section.blocks if isinstance(block, Table))
    assert [row[0] for row in table.rows] == ["7M", "2M", "700K", "200K", "100K"]
    assert table.strong_rows == {1}
    text = "".join(Text(page_of(result)).text)
    assert all(f"Because of {name}." in text for name in ("7M", "2M", "700K", "200K", "100K"))


def test_the_keyboard_reaches_every_point_and_hears_its_figures(result: dict[str, Any]) -> None:
    """Each is a tab stop whose label says what its card shows; the drawing around them is a group."""
    for svg in drawings(result):
        assert svg.get("role") == "group"
        for spot in spots(svg):
            assert spot.get("tabindex") == "0"
            assert spot.get("role") == "img"
            card = next(part for part in spot if part.get("class") == "card")
            shown = ["".join(text.itertext()) for text in card.findall("text")]
            heard = str(spot.get("aria-label"))
            assert all(words in heard for words in shown[1:])
        label = str(spots(svg)[1].get("aria-label"))
        assert "recommended" in label
        assert "retention 0.985 (0.975–0.995)" in label
        assert "p99 2.00 ms (1.82–2.20)" in label


def test_the_page_needs_no_script_and_asks_for_nothing(result: dict[str, Any]) -> None:
    """Style sheets alone show a point's figures: no script, no handler, no address but fragments."""
    page = page_of(result)
    found = Text(page)
    assert {"script", "img", "link", "iframe"}.isdisjoint(found.tags)
    assert not [name for name, _ in found.attributes if name.startswith("on") or name in {"src", "style"}]
    ids = [value for name, value in found.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert not re.search(r"https?://|url\(|@import|javascript:", page)
    assert ".spot:is(:hover, :focus) > .card" in page


def test_on_paper_the_recommended_one_is_shown(result: dict[str, Any]) -> None:
    """Where nothing can be pointed at, the strip holds the recommendation, else the nearest miss."""
    for svg in drawings(result):
        titles = [text for text in svg.iter("tspan") if text.get("class") == "readout-title"]
        assert titles[0].text == "2M"
    result["frontier"]["recommended"] = None
    result["frontier"]["nearest_miss"] = {"name": "700K", "stages": ["700K"]}
    titles = [text for text in drawings(result)[0].iter("tspan") if text.get("class") == "readout-title"]
    assert titles[0].text == "700K"


def test_the_budget_is_drawn_on_both_axes(result: dict[str, Any]) -> None:
    """A line for the latency, one for the floor of quality."""
    (wide, _) = drawings(result)
    words = ["".join(text.itertext()) for text in wide.iter("text")]
    assert "budget: 50 ms" in words
    assert "floor: 0.970" in words


def test_an_unknown_quality_lies_hollow_on_the_axis(result: dict[str, Any]) -> None:
    """It has a place in latency and none in quality, and is not left out."""
    (wide, _) = drawings(result)
    hollow = [one for one in wide.iter() if "hollow" in str(one.get("class"))]
    assert len(hollow) == 1
    assert "quality not known" in str(spots(wide)[3].get("aria-label"))


def test_if_no_quality_is_known_the_price_is_plotted(result: dict[str, Any]) -> None:
    """And the caption says what is missing."""
    for one in result["frontier"]["candidates"]:
        one.update(quality=None, standing="unknown")
    html = chart_of(result)
    assert "Nothing is known of the quality yet" in html
    assert "USD per 1,000 requests" in html
    assert "hollow" not in html
    assert "floor" not in html


def test_beside_a_finished_run_unknown_candidates_are_left_out(result: dict[str, Any]) -> None:
    """The run's own quality is known by then; candidates come with a pilot's."""
    assert "Which student?" in demo_report({"plan": result})
    for one in result["frontier"]["candidates"]:
        one.update(quality=None, standing="unknown")
    assert "Which student?" not in demo_report({"plan": result})


def test_dearer_candidates_have_larger_marks(result: dict[str, Any]) -> None:
    """Areas are as the prices."""
    (wide, _) = drawings(result)
    dear, cheap = (
        float(str(part.get("r")))
        for spot in spots(wide)[:2]
        for part in spot
        if part.get("class") == "dot good"
    )
    assert (dear / cheap) ** 2 == pytest.approx(5.0 / 2.0, rel=0.01)


def test_without_candidates_there_is_no_section() -> None:
    """Nothing is drawn of nothing."""
    assert frontier_section({}) is None
    assert frontier_section({"frontier": {"candidates": []}}) is None


def test_one_candidate_alone_is_drawn(result: dict[str, Any]) -> None:
    """A chain of one stage has a frontier of one point."""
    result["frontier"]["candidates"] = result["frontier"]["candidates"][1:2]
    result["frontier"]["teacher"] = None
    assert [len(spots(svg)) for svg in drawings(result)] == [1, 1]


def test_hostile_text_stays_text(result: dict[str, Any]) -> None:
    """Names, reasons and notes cannot bring in an element."""

    def hurt(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: hurt(item) for key, item in value.items()}
        if isinstance(value, list):
            return [hurt(item) for item in value]
        return HOSTILE if isinstance(value, str) else value

    found = Text(page_of(hurt(result)))
    assert {"script", "img"}.isdisjoint(found.tags)


def test_missing_and_wrong_parts_leave_the_page_whole(result: dict[str, Any]) -> None:
    """A key of a candidate that is absent or of another kind is a dash, not an error."""
    result["frontier"]["candidates"] = result["frontier"]["candidates"][:2]
    first = result["frontier"]["candidates"][0]
    for key in first:
        for wrong in [*WRONG, "absent"]:
            spoiled = copy.deepcopy(result)
            one = spoiled["frontier"]["candidates"][0]
            if wrong == "absent":
                del one[key]
            else:
                one[key] = wrong
            Text(page_of(spoiled))
    for key in result["frontier"]:
        for wrong in WRONG:
            spoiled = copy.deepcopy(result)
            spoiled["frontier"][key] = wrong
            Text(page_of(spoiled))


def test_a_section_can_be_drawn_again_from_its_saved_json(result: dict[str, Any]) -> None:
    """It is a function of the JSON alone."""
    assert page_of(json.loads(json.dumps(result))) == page_of(result)


def test_figures_of_two_measures_are_not_compared() -> None:
    """The first measure that is known is plotted; another is as good as unknown beside it."""
    retained = {"quality": {"measure": "retention", "value": 0.9, "low": 0.8, "high": 1.0}}
    agreed = {"quality": {"measure": "agreement", "value": 0.9, "low": 0.8, "high": 1.0}}
    assert measure_of([{}, agreed, retained]) == "agreement"
    assert quality_of(retained, "agreement") is None
    assert quality_of({}, None) is None


def test_names_of_shapes_fit() -> None:
    """A shape is long: cut in tables, layers and width beside a mark."""
    one = {"name": "layers=3, width=192, heads=6, intermediate=768, vocabulary=8000"}
    assert label_of(one) == "3 × 192"
    assert len(name_of(one)) <= 40
    assert latency({"p99_ms": {"value": 3.0}}) == "3.00 ms"
