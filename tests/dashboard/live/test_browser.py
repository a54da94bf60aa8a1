"""The dashboard in a real browser over a real store: clicked, keyed, looked at by axe, on desk and phone."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from coffey.dashboard.live.desk import TABS
from coffey.registry.protocol import CHAMPION

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe_core = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")]

VIEWS = [(width, scheme) for width in (1440, 390) for scheme in ("light", "dark")]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def filled(distilled, tmp_path_factory):
    """A project with a plan, served and ticked, and a version more for each test that promotes one.

    What was the champion before is offered to roll back to, not to promote.
    """
    project = distilled.copy(tmp_path_factory.mktemp("browser") / "project")
    loaded = project.load()
    loaded.plan()
    project.serve(project.known(150, seed=5))
    loaded.tick()
    registry = loaded.workspace.registry
    for name, digit in (("other", "f"), ("another", "e")):
        registry.add(replace(registry.resolve(CHAMPION), name=name, digest=digit * 64), who="test")
    return project


@pytest.fixture(scope="module")
def dashboard(filled) -> Iterator[SimpleNamespace]:
    """A running `coffey dash --write` over it."""
    with running(filled) as found:
        yield found


class running:  # noqa: N801 - read as a sentence
    """`coffey dash` in a process of its own."""

    def __init__(self, project: Any) -> None:
        command = [sys.executable, "-m", "coffey", "dash", "--port", "0", "--write", "--json"]
        self._process = subprocess.Popen(command, cwd=project.folder, stdout=subprocess.PIPE)

    def __enter__(self) -> SimpleNamespace:
        assert self._process.stdout is not None
        said = json.loads(self._process.stdout.readline())
        return SimpleNamespace(url=said["url"], key=said["write_key"])

    def __exit__(self, *_: object) -> None:
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process.terminate()
        assert self._process.wait(30) == 0


@pytest.fixture
def visit(chromium, dashboard):
    """`visit(page, width, scheme, key)`: an open page, whose console must stay empty."""
    contexts, complaints = [], []

    def start(page: str, width: int = 1440, scheme: str = "light", key: str = "", url: str = "") -> Any:
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        opened = context.new_page()
        opened.on(
            "console",
            lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None,
        )
        opened.on("pageerror", lambda problem: complaints.append(str(problem)))
        if key:
            opened.goto(f"{dashboard.url}sign-in")
            opened.get_by_label("Key").fill(key)
            opened.locator("main").get_by_role("button").click()
        opened.goto(f"{url or dashboard.url}{page}")
        if opened.locator("[data-part]").count():
            opened.locator("#pulse:not(:empty)").wait_for()
            opened.locator("[data-loading]").wait_for(state="detached")
        return opened

    yield start
    for context in contexts:
        context.close()
    assert complaints == []


def look(page: Any, width: int) -> None:
    """Nothing is cut, and axe finds nothing."""
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = axe_core.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize(("width", "scheme"), VIEWS)
@pytest.mark.parametrize("page", TABS)
def test_every_page_is_whole_and_accessible(visit, dashboard, page, width, scheme):
    """On a desk and a phone, light and dark, to those who may write (who see most)."""
    look(visit(page, width, scheme, dashboard.key), width)


@pytest.mark.parametrize("width", [1440, 390])
def test_an_empty_store_is_whole_and_accessible(visit, untouched, width):
    """Before anything was done the pages say what to do."""
    with running(untouched) as empty:
        for page in TABS:
            opened = visit(page, width, url=empty.url)
            look(opened, width)
            opened.context.close()


def test_promote_and_roll_back_by_clicking(visit, dashboard, filled):
    """Two clicks and a reason each; the registry says who, and why."""
    registry = filled.load().workspace.registry
    first = registry.alias(CHAMPION)
    page = visit("models", key=dashboard.key)
    page.get_by_role("link", name="Promote other").click()
    look(page, 1440)
    page.get_by_label("Reason").fill("it was asked for")
    page.get_by_role("button", name="Promote other").click()
    page.get_by_text("other is the champion.").wait_for()
    assert registry.alias(CHAMPION) == "other"
    page.get_by_role("link", name=f"Roll back to {first}").click()
    page.get_by_role("button", name=f"Roll back to {first}").click()
    page.get_by_text(f"{first} is the champion.").wait_for()
    assert registry.alias(CHAMPION) == first
    *_, promoted, back = registry.events()
    assert (promoted.kind, promoted.evidence["reason"]) == ("promote", "it was asked for")
    assert promoted.who == back.who
    assert promoted.who.startswith("coffey dash, key ")


def test_a_page_follows_without_being_loaded_again(visit, filled):
    """What happens elsewhere is on the page within seconds; what a reader opened stays open."""
    page = visit("models")
    page.evaluate("window.loadedOnce = true")
    registry = filled.load().workspace.registry
    first = registry.alias(CHAMPION)
    registry.promote("another", evidence={}, who="test")
    page.get_by_text("another is the champion.").wait_for()
    registry.promote(first, evidence={}, who="test")
    page.get_by_text(f"{first} is the champion.").wait_for()
    assert page.evaluate("window.loadedOnce")


def test_figures_are_a_table_and_a_file(visit):
    """Under a chart: its table, and a CSV with the same columns and a row for each point."""
    page = visit("money")
    chart = page.locator("figure.chart").first
    chart.locator("summary").click()
    heads = chart.locator("details th").all_text_contents()
    with page.expect_download() as begun:
        chart.get_by_role("link", name="Download as CSV").click()
    lines = begun.value.path().read_text().splitlines()
    assert begun.value.suggested_filename == "net-savings-over-time.csv"
    assert lines[0].split(",") == heads
    assert len(lines) > 10


def test_the_keyboard_is_enough(visit):
    """The first Tab is a way past the pages; a table that scrolls can be reached."""
    page = visit("contract")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the figures"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_a_text_is_answered_in_place(visit):
    """The student's label and microseconds stand under the text, which stays."""
    page = visit("playground")
    page.get_by_label("Text").fill("the parcel and the courier")
    page.get_by_role("button", name="Ask the student").click()
    page.get_by_text("µs, in process").wait_for()
    assert page.locator(".answer .label").text_content() == "delivery"
    assert page.get_by_label("Text").input_value() == "the parcel and the courier"
