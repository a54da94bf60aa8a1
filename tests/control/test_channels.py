"""Alerts arrive at a real server and a real program, or it is said why they did not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from coffey.control.alerts import Alert, NotDelivered
from coffey.control.channels import FIRST_WAIT_S, Command, Webhook

ALERT = Alert("the-id", 3, "p", "investigate", "It fell.", {"drop": 0.03}, "2026-01-01T00:00:00.000Z")
SECRET = b"a secret"


class Receiver(HTTPServer):
    """Answers each post with the next of `answers`, and keeps what was posted."""

    def __init__(self, answers):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.posts = list(answers), []


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.posts.append((dict(self.headers), body))
        self.send_response(self.server.answers.pop(0))
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def receiver():
    """Starts receivers that answer as told."""
    made = []

    def start(*answers):
        server = Receiver(answers)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        made.append(server)
        return server

    yield start
    for server in made:
        server.shutdown()
        server.server_close()


def webhook(server, waits, **options):
    url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    return Webhook(url, SECRET, sleep=waits.append, now=lambda: 1234.5, **options)


def test_a_post_is_signed_over_its_id_time_and_body(receiver):
    """As Standard Webhooks say, so that any of its libraries verifies it."""
    server = receiver(204)
    webhook(server, []).send(ALERT)
    ((headers, body),) = server.posts
    content = b"the-id.1234." + body
    expected = base64.b64encode(hmac.new(SECRET, content, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("the-id", "1234")
    assert json.loads(body)["numbers"] == {"drop": 0.03}


def test_what_may_pass_is_tried_again_with_growing_waits(receiver):
    """The same id each time; the waits are random and bounded."""
    server, waits = receiver(500, 429, 503, 200), []
    webhook(server, waits).send(ALERT)
    assert {headers["webhook-id"] for headers, _ in server.posts} == {"the-id"}
    assert len(waits) == 3
    assert all(0 <= wait <= FIRST_WAIT_S * 2**number for number, wait in enumerate(waits, 1))


def test_it_gives_up_and_says_why(receiver):
    """After the last try; at once where trying again is useless; where nobody listens."""
    server = receiver(500, 500)
    with pytest.raises(NotDelivered, match="answered 500"):
        webhook(server, [], attempts=2).send(ALERT)
    server, waits = receiver(401), []
    with pytest.raises(NotDelivered, match="answered 401"):
        webhook(server, waits).send(ALERT)
    assert waits == []
    closed = Webhook("http://127.0.0.1:9/", SECRET, attempts=2, sleep=waits.append)
    with pytest.raises(NotDelivered, match="ConnectError"):
        closed.send(ALERT)
    assert len(waits) == 1


def test_a_command_gets_the_alert_as_json(tmp_path):
    """On its standard input; nothing of it passes a shell."""
    out = tmp_path / "out.json"
    code = "import sys, pathlib; pathlib.Path(sys.argv[1]).write_bytes(sys.stdin.buffer.read())"
    Command([sys.executable, "-c", code, str(out)]).send(ALERT)
    assert json.loads(out.read_text())["id"] == "the-id"


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import sys; sys.exit('no network')", "exit code 1 no network"),
        ("import time; time.sleep(60)", "did not end within"),
    ],
)
def test_a_command_that_fails_is_told(code, why):
    """With its last words."""
    with pytest.raises(NotDelivered, match=why):
        Command([sys.executable, "-c", code], timeout_s=2.0).send(ALERT)


def test_a_command_that_is_not_there_is_told():
    """By its name."""
    with pytest.raises(NotDelivered, match="no-such-program"):
        Command(["no-such-program"]).send(ALERT)
