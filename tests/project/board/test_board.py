"""The dashboard's pages over a real store: every figure is what its room says."""

from __future__ import annotations

import pytest

from coffey.core.errors import AliasMoved, UnknownVersion
from coffey.dashboard.live.pages.chain import chain_page
from coffey.dashboard.live.pages.contract import contract_page
from coffey.dashboard.live.pages.latency import latency_page
from coffey.dashboard.live.pages.models import models_page
from coffey.dashboard.live.pages.money import money_page
from coffey.dashboard.live.status import status_of
from coffey.dashboard.page import render
from coffey.project.board.board import ProjectBoard
from coffey.traffic.volume import served_volume

DRAW = {
    "money": money_page,
    "chain": chain_page,
    "latency": latency_page,
    "contract": contract_page,
    "models": models_page,
}


@pytest.fixture(scope="module")
def served(distilled, tmp_path_factory):
    """A project with a plan, whose champion served requests that a tick has looked at. Look, do not touch."""
    project = distilled.copy(tmp_path_factory.mktemp("board") / "project")
    project.load().plan()
    project.serve(project.known(150, seed=5))
    project.load().tick()
    return project


@pytest.fixture(scope="module")
def board(served):
    return ProjectBoard(served.load().workspace)


def read(board, page):
    source = board.sources[page]
    source.token()
    return source.read()


@pytest.mark.parametrize("page", DRAW)
def test_an_empty_store_gives_a_page_that_names_the_next_step(untouched, page):
    """Before anything was done every page says which command is next."""
    empty = ProjectBoard(untouched.load().workspace)
    drawn = DRAW[page](read(empty, page))
    assert "coffey " in render(drawn)
    assert not drawn.tiles
    assert status_of(read(empty, "status")).word == "No champion"
    assert read(empty, "drift") == {"drift": None}


@pytest.mark.parametrize("page", DRAW)
def test_a_full_store_gives_a_page(board, page):
    """Every page draws what the store holds."""
    drawn = DRAW[page](read(board, page))
    assert render(drawn)
    assert drawn.sections


def test_agreement_is_what_the_tick_said(board, served):
    """The page's figures are those of the journal's decision, number for number."""
    found = read(board, "contract")
    (entry,) = (one for one in found["watch"]["decisions"])
    assert found["agreement"]["overall"]["value"] == entry["numbers"]["agreement"]
    assert found["agreement"]["log_evidence"] == entry["numbers"]["log_evidence"]
    assert found["audits"] == entry["numbers"]["audits"] == 75
    assert found["decision"]["reason"] == entry["reason"]
    assert found["spent"]["texts"] == 75


def test_money_counts_the_requests_of_the_log(board, served):
    """Savings rest on what was served, at the plan's prices and the run's price."""
    found = read(board, "money")
    volume = served_volume(served.store)
    assert volume is not None
    assert found["saved"]["requests"] == volume.requests == 150
    assert found["saved"]["run_usd"] == found["plan"]["run_usd"]


def test_drift_is_measured_against_the_reference(board):
    """Requests like the holdout have not drifted, and the report says between how many."""
    drift = read(board, "drift")["drift"]
    assert drift["recent"] == 150
    assert len(drift["measures"]) == 5
    assert not drift["drifted"]


def test_models_are_the_registry(board, served):
    """Versions, where the aliases point, what artifacts say, and the log, the latest first."""
    found = read(board, "models")
    registry = served.load().workspace.registry
    assert found["aliases"] == registry.aliases()
    assert [one["name"] for one in found["versions"]] == [one.name for one in registry.versions()]
    assert all(one["params"] > 0 and "problem" not in one for one in found["versions"])
    assert [one["kind"] for one in found["events"]] == [one.kind for one in registry.events()][::-1]


def test_a_damaged_artifact_is_named_and_the_page_goes_on(live):
    """What cannot be verified is said beside the version."""
    space = live.load().workspace
    (version,) = space.registry.versions()
    (space.store / version.artifact / "manifest.json").write_bytes(b"{}")
    (shown,) = read(ProjectBoard(space), "models")["versions"]
    assert shown["problem"]
    assert shown["name"] == version.name


def test_tokens_move_with_what_happens(two_versions):
    """A page changes when somebody is promoted, and stays what it was while nothing happens."""
    project, champion, other = two_versions
    board = ProjectBoard(project.load().workspace)
    pages = ("models", "contract", "status", "money", "drift")
    before = {page: board.sources[page].token() for page in pages}
    assert before == {page: board.sources[page].token() for page in pages}
    board.promote(other.name, instead_of=champion.name, who="test", reason="to see")
    assert all(board.sources[page].token() != before[page] for page in pages)


def test_what_was_seen_is_what_is_replaced(two_versions):
    """A champion that changed meanwhile is neither replaced nor rolled back from."""
    project, champion, other = two_versions
    board = ProjectBoard(project.load().workspace)
    with pytest.raises(AliasMoved):
        board.promote(other.name, instead_of="somebody", who="test", reason="")
    with pytest.raises(UnknownVersion):
        board.promote("nobody", instead_of=champion.name, who="test", reason="")
    board.promote(other.name, instead_of=champion.name, who="dash", reason="better")
    with pytest.raises(AliasMoved):
        board.rollback(instead_of=champion.name, who="dash", reason="worse")
    board.rollback(instead_of=other.name, who="dash", reason="worse")
    assert board.aliases() == {"champion": champion.name, "previous": other.name}


def test_student_and_teacher_answer_one_text(live):
    """The student is timed; the teacher is asked once, and its answer comes from the store afterwards."""
    board = ProjectBoard(live.load().workspace)
    text = "the parcel was with the courier this morning and nobody asked"
    said = board.student(text)
    assert said.labels == (said.scores[0][0],)
    assert said.microseconds is not None
    assert sum(score for _, score in said.scores) == pytest.approx(1.0, abs=1e-3)
    first, again = board.teacher(text), board.teacher(text)
    assert first.labels == again.labels == ("delivery",)
    assert (first.note, again.note) == ("asked just now, and kept", "answered before, from the label store")
    assert live.asked().count(text) == 1
