"""Results are kept, pages are drawn from them, and a damaged result says so."""

from __future__ import annotations

import json

import pytest

from coffey.core.errors import CoffeyError
from coffey.project.reporting import keep_result, kept_result, whole_report, write_page


def test_a_result_is_kept_as_it_was(untouched):
    """Plain values come back; NaN is null; another kind is another result."""
    space = untouched.load().workspace
    assert kept_result(space, "plan") is None
    keep_result(space, "plan", {"usd": 1.5, "days": float("nan"), "names": ("a", "b")})
    assert kept_result(space, "plan") == {"usd": 1.5, "days": None, "names": ["a", "b"]}
    assert kept_result(space, "bench") is None


@pytest.mark.parametrize("content", ["{", "[]", "\xff"])
def test_a_damaged_result_is_named(untouched, content):
    """The error says which file, and which command makes it again."""
    space = untouched.load().workspace
    keep_result(space, "distill", {})
    path = untouched.store / "results" / "distill.json"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(CoffeyError, match=r"distill\.json' is damaged.*coffey distill") as caught:
        kept_result(space, "distill")
    assert "Traceback" not in str(caught.value)


def test_distilling_keeps_a_result_and_a_page(distilled):
    """The page is one file without links to elsewhere; it says what the result says."""
    kept = kept_result(distilled.load().workspace, "distill")
    assert kept["report"] == str(distilled.store / "reports" / "distill.html")
    page = (distilled.store / "reports" / "distill.html").read_text()
    assert "small" in page
    assert "budget.min_retention" in page
    assert 'src="http' not in page
    assert "<svg" in page


def test_a_report_of_all_that_was_done(live):
    """Before anything was done there is nothing to draw; afterwards one page holds plan and distillation."""
    live.load().plan()
    path = whole_report(live.load().workspace)
    assert path == live.store / "reports" / "report.html"
    page = path.read_text()
    assert live.load().workspace.registry.resolve("champion").digest[:8] in page
    assert "break" in page.lower()


def test_nothing_to_report_says_what_to_run(untouched):
    """The error names the commands."""
    with pytest.raises(CoffeyError, match="coffey plan"):
        untouched.load().report()


def test_a_page_is_given_up_without_its_extra(untouched):
    """Without jinja2 the command goes on; progress says what to install."""
    from coffey.core.errors import MissingExtra

    said = []
    space = untouched.load().workspace
    space.progress.say = said.append

    def draw(view):
        raise MissingExtra("The report", "watch", "jinja2")

    assert write_page(space, "plan", draw, {}) is None
    assert "pip install 'coffey[watch]'" in said[0]


def test_a_result_is_readable_json(distilled):
    """Anything can read it: strict JSON, an object."""
    text = (distilled.store / "results" / "distill.json").read_text()
    assert isinstance(json.loads(text, parse_constant=lambda name: pytest.fail(name)), dict)
