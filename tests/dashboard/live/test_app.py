"""The dashboard answers its pages to those who may look, and changes something for those who may write."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient

from coffey.core.errors import StoreUnavailable
from coffey.dashboard.live.desk import TABS
from coffey.dashboard.live.shown import PAGES


def token_of(page: str) -> str:
    found = re.search(r'name="token" value="(\w+)"', page)
    assert found
    return found[1]


def signed_in(client: TestClient, key: str) -> TestClient:
    answer = client.post("/sign-in", data={"key": key, "next": "models"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/models")
    return client


@pytest.mark.parametrize("page", TABS)
def test_every_page_answers_and_escapes(visit, page):
    """A page is whole, marks where it is, escapes the project's name, and asks no other server."""
    answer = visit().get(f"/{page}")
    assert answer.status_code == 200
    assert f'<a href="/{page}" aria-current="page">' in answer.text
    assert "desk &lt;b&gt;" in answer.text
    assert "<b>" not in answer.text
    assert not re.search(r'(?:src|href|action)="(?:https?:)?//', answer.text)
    assert 'style="' not in answer.text
    assert not re.search(r"\son\w+=", answer.text)


def test_the_head_of_every_answer_is_strict(visit):
    """Pages, refusals and files carry the policy: own scripts and styles alone, no frame, no guessing."""
    client = visit()
    for path in ("/money", "/money/part", "/nowhere", "/static/live.js", "/models/promote?name=x"):
        head = client.get(path).headers
        assert "default-src 'none'" in head["content-security-policy"]
        assert "unsafe" not in head["content-security-policy"]
        assert head["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("page", PAGES)
def test_the_part_that_changes_is_sent_only_when_it_did(visit, board, page):
    """An unchanged part is 304; a changed one comes whole, and differs."""
    client = visit()
    first = client.get(f"/{page}/part")
    again = client.get(f"/{page}/part", headers={"if-none-match": first.headers["etag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")


def test_a_store_that_is_away_is_said(visit, board):
    """A page without figures says what is wrong; its JSON is a 503."""
    board.sources["contract"].put(StoreUnavailable("/store", "it is away"))
    client = visit()
    assert "it is away" in client.get("/contract").text
    refused = client.get("/contract.json")
    assert refused.status_code == 503
    assert "it is away" in refused.json()["error"]


def test_figures_are_there_as_json(visit, board):
    """What a page is drawn from can be read by programs."""
    board.sources["latency"].put({"bench": None})
    assert visit().get("/latency.json").json() == {"bench": None}


def test_a_stranger_is_asked_for_a_key(visit, known):
    """With read keys nothing is shown without one: pages lead to the sign-in, data is refused."""
    client = visit(read=(known.read,))
    assert client.get("/money").headers["location"] == "/sign-in?next=money"
    assert client.get("/money/part").status_code == 401
    assert client.get("/money.json").status_code == 401
    assert "Playground" not in client.get("/sign-in").text
    assert client.post("/playground", data={"text": "a"}).status_code == 403
    assert client.post("/sign-in", data={"key": "guess"}).status_code == 403
    assert client.get("/money.json", headers={"x-api-key": known.read}).status_code == 200
    signed_in(client, known.read)
    page = client.get("/money")
    assert page.status_code == 200
    client.post("/sign-out", data={"token": token_of(page.text)})
    assert client.get("/money").status_code == 303


def test_the_session_is_not_for_scripts_or_other_sites(visit, known):
    """The cookie is HttpOnly and of SameSite=Strict."""
    answer = visit(write=(known.write,)).post("/sign-in", data={"key": known.write})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


def test_signing_in_leads_nowhere_else(visit, known):
    """An address of another site is not followed after signing in."""
    answer = visit(write=(known.write,)).post("/sign-in", data={"key": known.write, "next": "//evil.example"})
    assert answer.headers["location"] == "/money"


def test_reading_is_not_writing(visit, board, known):
    """Without a write key no page offers an action, and none is done."""
    for client in (visit(), signed_in(visit(read=(known.read,), write=(known.write,)), known.read)):
        page = client.get("/models").text
        assert "/models/promote" not in page
        assert client.get("/models/promote?name=desk-3").status_code == 403
        for path in ("/models/promote", "/models/rollback"):
            assert client.post(path, data={"name": "desk-3", "instead_of": "desk-2"}).status_code == 403
    assert board.moves == []


def test_a_promotion_is_asked_for_again_and_done_once(visit, board, known):
    """The page names both versions; sent twice, the second finds another champion and changes nothing."""
    client = signed_in(visit(write=(known.write,)), known.write)
    assert "/models/promote?name=desk-3" in client.get("/models").text
    page = client.get("/models/promote?name=desk-3").text
    assert "desk-3 becomes the champion in the place of desk-2" in page
    form = {"name": "desk-3", "instead_of": "desk-2", "token": token_of(page)}
    assert client.post("/models/promote", data=form).status_code == 303
    again = client.post("/models/promote", data=form)
    assert again.status_code == 409
    assert "desk-3" in again.text
    assert [name for name, _ in board.moves] == ["desk-3"]
    assert board.moves[0][1].startswith("coffey dash, key ")


def test_a_rollback_by_a_program_needs_no_form(visit, board, known):
    """A key in the head is proof enough: no browser adds it by itself."""
    client = visit(write=(known.write,))
    page = client.get("/models/rollback", headers={"x-api-key": known.write}).text
    assert "desk-1 becomes the champion again" in page
    done = client.post(
        "/models/rollback", data={"instead_of": "desk-2"}, headers={"authorization": f"Bearer {known.write}"}
    )
    assert done.status_code == 303
    assert board.names["champion"] == "desk-1"


@pytest.mark.parametrize(
    "head",
    [{"origin": "http://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}, {}],
    ids=["origin", "null origin", "fetch metadata", "no token"],
)
def test_a_form_of_another_site_is_refused(visit, board, known, head):
    """Neither another origin nor a form without this session's token moves anything."""
    client = signed_in(visit(write=(known.write,)), known.write)
    form = {"name": "desk-3", "instead_of": "desk-2"}
    if head:
        form["token"] = token_of(client.get("/models/promote?name=desk-3").text)
    assert client.post("/models/promote", data=form, headers=head).status_code == 403
    assert board.moves == []


def test_another_name_for_this_address_is_refused(visit):
    """Without keys a page of another site cannot bend its name here and read (DNS rebinding)."""
    client = visit(hosts={"localhost"})
    assert client.get("/money").status_code == 200
    assert client.get("/money", headers={"host": "evil.example"}).status_code == 403


def test_the_playground_answers_in_place_and_as_a_page(visit):
    """The student's label, score and microseconds, escaped; the text comes back in the whole page."""
    client = visit()
    whole = client.post("/playground", data={"text": "a <u>", "who": "student"}).text
    assert "a &lt;u&gt;</textarea>" in whole
    assert "&lt;i&gt;" in whole
    assert "120 µs" in whole
    part = client.post("/playground", data={"text": "a"}, headers={"x-coffey-part": "answer"}).text
    assert "<html" not in part
    assert "120 µs" in part


def test_opening_the_playground_loads_the_student(visit, board, known):
    """So that the first text does not wait for it; who may not look starts nothing."""
    client = visit(read=(known.read,))
    client.get("/playground")
    assert board.prepared == 0
    signed_in(client, known.read)
    client.get("/playground")
    assert board.prepared == 1


def test_the_teacher_is_asked_only_with_a_write_key(visit, known):
    """Its answers cost money. One that cannot be asked leaves the student's answer on the page."""
    client = visit(write=(known.write,))
    assert "Ask the teacher" not in client.get("/playground").text
    assert client.post("/playground", data={"text": "a", "who": "both"}).status_code == 403
    signed_in(client, known.write)
    page = client.get("/playground").text
    asked = {"who": "both", "token": token_of(page)}
    assert "They disagree" in client.post("/playground", data={"text": "a", **asked}).text
    down = client.post("/playground", data={"text": "down", **asked}).text
    assert "it sleeps" in down
    assert "120 µs" in down


@pytest.mark.parametrize("text", ["", "   ", "x" * 201])
def test_no_text_and_too_long_a_text_are_refused(visit, text):
    """The bounds are the server's."""
    assert "1 to 200 characters" in visit().post("/playground", data={"text": text}).text


def test_a_form_that_is_too_large_is_refused(visit):
    """Nothing is read without bound."""
    assert visit().post("/playground", content=b"text=" + b"a" * 1_000_001).status_code == 403


def test_what_is_not_there_is_said(visit):
    """A wrong address is a page with a way back."""
    answer = visit().get("/nowhere")
    assert answer.status_code == 404
    assert "/nowhere" in answer.text


def test_drift_that_cannot_be_measured_is_said(visit, board):
    """The contract's page goes on, and says why."""
    board.sources["contract"].put({"champion": "desk-2"})
    board.sources["drift"].put(StoreUnavailable("/store", "the reference is away"))
    page = visit().get("/contract").text
    assert "the reference is away" in page
    assert "desk-2" in page
