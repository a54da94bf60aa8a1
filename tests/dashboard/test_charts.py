"""Every chart is a figure with title, description and data, and survives odd data."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest

from coffey.dashboard.charts.bars import Bar, bar_chart
from coffey.dashboard.charts.figure import thin
from coffey.dashboard.charts.frame import event_rows, label_extent
from coffey.dashboard.charts.line import LinePoint, LineSeries, line_chart
from coffey.dashboard.charts.markup import Html
from coffey.dashboard.charts.plot import Axis, Caption, Mark, Plot, Span
from coffey.dashboard.charts.scales import Scale
from coffey.dashboard.charts.scatter import Group, Point, scatter_chart
from coffey.dashboard.charts.steps import StepSeries, ecdf, step_chart

CAPTION = Caption(title="A <b>title</b> & more", description='What it "says"')
X, Y = Axis(label="x <i>"), Axis(label="y")
PLOT = Plot(
    x=X,
    y=Y,
    thresholds=(Mark(0.5, "floor <u>", "bad"), Mark(0.52, "contract", "good")),
    events=(Mark(2.0, "alarm <s>", "bad"), Mark(2.1, "promoted")),
    spans=(Span(0.0, 2.0, "calm"), Span(2.0, 4.0, "drift <p>")),
)


def line(values: list[float | None]) -> Html:
    points = [LinePoint(float(i), y, y and y - 0.1, y and y + 0.1) for i, y in enumerate(values)]
    return line_chart(CAPTION, PLOT, [LineSeries("one <a>", points), LineSeries("two", points)])


def scatter(values: list[float | None]) -> Html:
    points = [Point(f"p{i} <a>", 1.0 + i, y, y - 0.1, y + 0.1) for i, y in enumerate(values) if y is not None]
    return scatter_chart(CAPTION, PLOT, [Group("g", points, joined=True), Group("h", points[:1])])


def steps(values: list[float | None]) -> Html:
    sample = [value for value in values if value is not None]
    return step_chart(CAPTION, PLOT, [StepSeries("s <a>", ecdf(sample)), StepSeries("t", ecdf(sample))])


def bars(values: list[float | None]) -> Html:
    rows = [Bar(f"b{i} <a>", 0.0, value, "note <b>", 0.2) for i, value in enumerate(values)]
    return bar_chart(CAPTION, X, rows, events=PLOT.events)


CHARTS = [line, scatter, steps, bars]
Chart = Callable[[list[float | None]], Html]


@pytest.mark.parametrize("chart", CHARTS)
def test_a_chart_is_well_formed_and_has_title_description_and_data(chart: Chart) -> None:
    """Each drawing is named and described for those who do not see it, and its figures are in a table."""
    figure = ElementTree.fromstring(chart([0.4, 0.5, 0.9]))
    drawings = figure.findall("svg")
    assert len(drawings) == 2
    for drawing in drawings:
        title, desc = drawing.find("title"), drawing.find("desc")
        assert title is not None
        assert desc is not None
        assert (title.text, desc.text) == (CAPTION.title, CAPTION.description)
        assert drawing.get("aria-labelledby") == f"{title.get('id')} {desc.get('id')}"
        assert drawing.get("viewBox")
        assert drawing.get("width") is None
    assert len(figure.findall(".//details//tbody/tr")) >= 3


@pytest.mark.parametrize("chart", CHARTS)
def test_texts_are_escaped_everywhere(chart: Chart) -> None:
    """No label, caption or name can bring in an element of its own."""
    found = list(ElementTree.fromstring(chart([0.4, 0.5, 0.9])).iter())
    names = {element.tag for element in found if element.get("class") != "csv"}
    assert "svg" in names
    assert not names & {"b", "u", "a", "s", "p", "script"}


@pytest.mark.parametrize("chart", CHARTS)
def test_the_figures_can_be_taken_away_in_full(chart: Chart) -> None:
    """The link under the table holds every row as CSV, numbers unrounded, and names a file."""
    figure = ElementTree.fromstring(chart([0.4, 1 / 3, 0.9]))
    (link,) = figure.findall(".//details/a")
    address, _, body = str(link.get("href")).partition(",")
    assert address == "data:text/csv;charset=utf-8"
    rows = list(csv.reader(unquote(body).splitlines()))
    assert rows[0] == [cell.text for cell in figure.findall(".//details//th")]
    assert len(rows) - 1 == len(figure.findall(".//details//tbody/tr"))
    assert any(str(1 / 3) in row for row in rows)
    assert str(link.get("download")).endswith(".csv")


@pytest.mark.parametrize("chart", CHARTS)
@pytest.mark.parametrize(
    "values",
    [[], [0.5], [0.5, 0.5], [None, 0.5, None, 0.6], [math.nan, 0.5, math.inf], [-1e12, 1e12]],
)
def test_odd_data_is_drawn_without_an_invalid_position(chart: Chart, values: list[float | None]) -> None:
    """Nothing, one point, equal points, gaps and NaN give a valid drawing whose positions are numbers."""
    drawn = chart(values)
    ElementTree.fromstring(drawn)
    positions = re.findall(r' (?:x|y|x1|x2|y1|y2|cx|cy|r|d|width|height)="([^"]*)"', drawn)
    assert not [place for place in positions if re.search("nan|inf|None", place)]


@pytest.mark.parametrize("chart", CHARTS)
def test_everything_stays_within_the_drawing(chart: Chart) -> None:
    """No mark lies outside the view box, so nothing is cut."""
    for drawing in ElementTree.fromstring(chart([0.4, 0.5, 0.9, 0.1])).findall("svg"):
        _, _, width, height = (float(part) for part in drawing.get("viewBox", "").split())
        for element in drawing.iter():
            for name, most in (("x", width), ("x1", width), ("x2", width), ("y", height), ("y1", height)):
                assert -0.5 <= float(element.get(name, "0")) <= most + 0.5


def test_a_line_breaks_where_a_value_is_missing() -> None:
    """A gap in the data is a gap in the line, not a bridge over it."""
    points = [LinePoint(float(i), y) for i, y in enumerate([1.0, 2.0, None, 3.0, 4.0])]
    figure = ElementTree.fromstring(line_chart(CAPTION, Plot(x=X, y=Y), [LineSeries("s", points)]))
    drawing = figure.find("svg")
    assert drawing is not None
    assert len([p for p in drawing.iter("path") if "line" in p.get("class", "")]) == 2


def test_event_labels_take_rows_in_which_they_do_not_meet() -> None:
    """Labels of events that are close stand above each other."""
    events = (Mark(1.0, "a long label"), Mark(1.1, "another one"), Mark(9.0, "far"))
    scale = Scale(0, 10, 0, 400)
    rows = event_rows(events, scale)
    assert rows == (0, 1, 0)
    assert all(0 <= begin < end <= 400 for begin, end in (label_extent(event, scale) for event in events))


def test_an_ecdf_ends_at_one_and_never_falls() -> None:
    """The share at or below a value rises to one; NaN is left out."""
    steps = ecdf([3.0, 1.0, math.nan, 2.0, 2.0])
    assert [x for x, _ in steps] == [1.0, 2.0, 2.0, 3.0]
    assert [y for _, y in steps] == [0.25, 0.5, 0.75, 1.0]


def test_long_data_is_thinned_in_the_table_and_says_so() -> None:
    """A table of thousands of rows is cut to a readable number, and tells how many there are."""
    figure = ElementTree.fromstring(line([float(i % 7) for i in range(3000)]))
    summary = figure.find(".//summary")
    assert summary is not None
    assert "of 6000 rows" in (summary.text or "")
    assert thin(6000, 60)[-1] == 5999
