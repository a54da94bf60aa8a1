"""Reports hold what the result holds, invent nothing, escape everything and ask nobody."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from html.parser import HTMLParser
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from coffey.core.ranges import Range
from coffey.dashboard.reports import demo_report, plan_report
from coffey.economics.calculator import calculate
from coffey.economics.plan_json import plan_json

Report = Callable[[Mapping[str, object]], str]
WRONG: list[Any] = [3, "text", [], {}, None, math.nan, [1, "a", None], {"a": {"b": 1}}, True, -1e300]
VOID = {"meta", "br", "hr", "img", "link", "input"}


class Checked(HTMLParser):
    """Parses a page strictly: elements nest, ids are unique, and every address is noted."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.handlers: list[str] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in {"src", "href", "data", "action", "srcset", "xlink:href", "poster"}:
                self.addresses.append(value or "")
            if name.startswith("on"):
                self.handlers.append(name)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture
def result(sample: ModuleType, kind: str) -> dict[str, Any]:
    made: dict[str, Any] = getattr(sample, kind)()
    return made


def test_a_page_parses_and_asks_for_nothing(report: Report, result: dict[str, Any]) -> None:
    """A page is one well-nested document without script, request, handler or doubled id."""
    page = report(result)
    checked = Checked(page)
    assert "script" not in checked.tags
    assert "img" not in checked.tags
    assert "link" not in checked.tags
    assert checked.handlers == []
    addresses = [one for one in checked.addresses if not one.startswith("data:text/csv;")]
    assert all(address.startswith("#") for address in addresses)
    assert {address[1:] for address in addresses} <= set(checked.ids)
    assert len(checked.ids) == len(set(checked.ids))
    assert not re.search(r"https?://|url\(|@import|javascript:", page)


def test_every_chart_of_a_page_has_title_description_and_table(
    report: Report, result: dict[str, Any]
) -> None:
    """What a chart shows can be read without seeing it."""
    figures = re.findall(r"<figure.*?</figure>", report(result), re.DOTALL)
    assert figures
    for figure in figures:
        assert figure.count("<svg") == figure.count("<title") == figure.count("<desc") == 2
        assert "<table>" in figure


def test_a_report_can_be_drawn_again_from_its_saved_json(report: Report, result: dict[str, Any]) -> None:
    """The page is a function of the JSON alone."""
    assert report(json.loads(json.dumps(result))) == report(result)


def test_hostile_text_stays_text(report: Report, result: dict[str, Any], sample: ModuleType) -> None:
    """Markup in any string of the result is shown, not obeyed."""
    for hurt in _each_text_replaced(result, sample.HOSTILE):
        checked = Checked(report(hurt))
        assert "script" not in checked.tags
        assert "img" not in checked.tags
        assert checked.handlers == []


def test_hostile_text_is_still_visible(sample: ModuleType) -> None:
    """The escaped text of an example reaches the reader."""
    assert "<script>alert" in "".join(Checked(demo_report(sample.demo())).text)


def test_a_missing_part_leaves_the_page_whole(report: Report, result: dict[str, Any]) -> None:
    """Without any one key of the result, and without a fifth of all keys at any depth, the rest is drawn."""
    short = _short(result)
    for key in short:
        Checked(report({name: value for name, value in short.items() if name != key}))
    rng = np.random.default_rng(5)
    for _ in range(20):
        Checked(report(_thinned(short, rng)))


def test_a_part_of_the_wrong_kind_leaves_the_page_whole(report: Report, result: dict[str, Any]) -> None:
    """A number where an object was expected (or the reverse), at any depth, is treated as absent."""
    short = _short(result)
    for wrong in WRONG:
        Checked(report(dict.fromkeys(short, wrong)))
    rng = np.random.default_rng(6)
    for _ in range(20):
        spoiled = _spoiled(short, rng)
        Checked(report(spoiled if isinstance(spoiled, dict) else {}))


def test_nothing_is_invented(report: Report) -> None:
    """An empty result gives a page without tiles, sections, charts or a verdict."""
    checked = Checked(report({}))
    assert "section" not in checked.tags
    assert "svg" not in checked.tags
    assert "strong" not in checked.tags
    assert not re.search(r"\d", "".join(checked.text[checked.text.index("Coffey") :]))


@pytest.mark.parametrize(
    ("key", "title"),
    [
        ("stages", "The chain"),
        ("controls", "Paired differences on the same examples"),
        ("proof", "Do the stages pay?"),
        ("notes", "The teacher is right about 99.4% of the transfer set's labels"),
        ("plan", "Does it pay?"),
        ("forecast_vs_actual", "Forecast and actual"),
        ("table", "Teacher and students"),
        ("gate", "Passed:"),
        ("data", "Some of what leaked"),
        ("data", "corrected with temperature 2.31"),
        ("data", "The teacher contradicts 41 of 9,800 labels"),
    ],
)
def test_a_section_stands_for_its_key(sample: ModuleType, key: str, title: str) -> None:
    """A section is there with its key and gone without it."""
    whole = sample.demo()
    assert title in "".join(Checked(demo_report(whole)).text)
    del whole[key]
    assert title not in "".join(Checked(demo_report(whole)).text)


def test_long_examples_are_shortened(sample: ModuleType) -> None:
    """A long text of the user's data is never shown whole."""
    whole = sample.demo()
    long = "secret " * 400
    whole["data"]["pairs"] = [[long, long]]
    assert long.strip() not in demo_report(whole)
    assert "secret secret" in demo_report(whole)


def test_a_plan_that_does_not_pay_says_so(sample: ModuleType) -> None:
    """The verdict of a plan that never breaks even is plain, and its colour is that of a no."""
    plan = {**sample.plan(), "pays": False, "break_even_days": None, "verdict": ""}
    page = plan_report(plan)
    assert "It does not pay" in page
    assert 'class="verdict bad"' in page
    assert "never" in page


def test_a_plan_is_drawn_from_what_the_command_prints() -> None:
    """Both charts of what it depends on and every figure are on the page of a plan's JSON as it is."""
    page = plan_report(plan_json(calculate(5000, Range(0.005, 0.02), 10_000_000)))
    assert "What the net value depends on" in page
    assert "What the break-even day depends on" in page
    assert "Where every figure comes from" in page
    assert "--saves-usd-per-1k" in page


def test_alarm_before_drift_is_told_as_a_failure(sample: ModuleType) -> None:
    """A false alarm, or a missed one, is not drawn in the colour of success."""
    whole = sample.demo()
    whole["alarm"] = {"before_drift": True, "after_drift": True}
    assert "A false alarm was raised before the traffic drifted" in demo_report(whole)
    whole["alarm"] = {"before_drift": False, "after_drift": False}
    assert "no alarm was raised after it drifted" in demo_report(whole)


def _short(value: Any) -> Any:
    """The same result with at most five items in every list, so that it is drawn quickly."""
    if isinstance(value, dict):
        return {key: _short(item) for key, item in value.items()}
    return [_short(item) for item in value[:5]] if isinstance(value, list) else value


def _thinned(value: Any, rng: np.random.Generator) -> Any:
    """The result without about a fifth of its keys."""
    if isinstance(value, dict):
        return {key: _thinned(item, rng) for key, item in value.items() if rng.random() > 0.2}
    return [_thinned(item, rng) for item in value] if isinstance(value, list) else value


def _spoiled(value: Any, rng: np.random.Generator) -> Any:
    """The result with about a tenth of its values, at any depth, of another kind."""
    if rng.random() < 0.1:
        return WRONG[rng.integers(len(WRONG))]
    if isinstance(value, dict):
        return {key: _spoiled(item, rng) for key, item in value.items()}
    return [_spoiled(item, rng) for item in value] if isinstance(value, list) else value


def _each_text_replaced(value: dict[str, Any], text: str) -> Iterator[dict[str, Any]]:
    """The result with every string replaced at once, and with every key of `versions` and `origins` hurt."""

    def replaced(item: Any) -> Any:
        if isinstance(item, dict):
            return {key: replaced(inner) for key, inner in item.items()}
        if isinstance(item, list):
            return [replaced(inner) for inner in item]
        return text if isinstance(item, str) else item

    yield replaced(value)
    yield {**value, "versions": {text: text}, "figures": {text: {"value": 1.0, "unit": text}}}
