"""A chart shows itself in a notebook, and is kept as a picture or a page that needs nothing else."""

from __future__ import annotations

import re
from types import ModuleType
from xml.etree import ElementTree

import pytest

from coffey.dashboard.chart import Chart
from coffey.dashboard.glance import as_html, as_text, charts_of
from coffey.dashboard.reports import bench_page, distill_page, plan_page

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def charts(sample: ModuleType) -> dict[str, Chart]:
    pages = (plan_page(sample.plan()), distill_page(sample.distill()), bench_page(sample.bench()))
    return {title: chart for page in pages for title, chart in charts_of(page).items()}


def test_every_chart_of_a_report_is_an_object(charts: dict[str, Chart]) -> None:
    """By its title, and each is drawn."""
    assert {"Net savings over time", "Quality against size", "Latency under load"} <= set(charts)
    assert all(chart.title == title for title, chart in charts.items())


def test_a_picture_stands_alone(charts: dict[str, Chart]) -> None:
    """Well-formed SVG with a size, colours written out, title and every name of the legend."""
    for chart in charts.values():
        picture = ElementTree.fromstring(chart.svg())
        assert picture.tag == f"{SVG}svg"
        assert float(picture.attrib["width"]) > 400
        assert "var(" not in chart.svg()
        assert "href" not in chart.svg()
        texts = [element.text for element in picture.iter(f"{SVG}text")]
        assert chart.title in texts
        legend = re.findall(r'<i class="key [^>]*></i>([^<]+)<', chart.figure)
        assert set(legend) <= set(texts)


def test_it_is_saved_by_its_ending(charts: dict[str, Chart], tmp_path) -> None:
    """A picture, a page with the figures, nothing else."""
    chart = charts["Net savings over time"]
    assert chart.save(tmp_path / "a.svg").read_text().startswith("<svg")
    page = chart.save(tmp_path / "a.html").read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert chart.figure in page
    with pytest.raises(ValueError, match=r"'.*a\.png' ends in neither \.svg nor \.html"):
        chart.save(tmp_path / "a.png")


def test_a_style_reaches_nothing_outside(charts: dict[str, Chart]) -> None:
    """In a notebook every rule is nested within the class, and there is no script and no request."""
    shown = charts["Net savings over time"]._repr_html_()
    style = shown[shown.index("<style>") + 7 : shown.index("</style>")]
    assert style.startswith(".coffey {")
    assert not re.search(r"(?m)^\s*(:root|body|html)\b", style)
    assert style.count("{") == style.count("}")
    assert "<script" not in shown
    assert "http" not in shown


def test_a_glance_is_the_head_of_the_report(sample: ModuleType) -> None:
    """Verdict and figures as on the page; the first chart in a notebook; escaped."""
    page = plan_page({**sample.plan(), "verdict": "<b>It pays.</b>"})
    shown = as_html(page)
    assert "&lt;b&gt;It pays.&lt;/b&gt;" in shown
    assert all(tile.value in shown.replace("&#39;", "'") for tile in page.tiles)
    assert shown.count("<figure") == 1
    assert as_text(page) is not None
