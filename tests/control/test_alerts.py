"""Each decision is told once to each channel, whatever is killed or down meanwhile."""

from __future__ import annotations

import json

import pytest

from coffey.control.alerts import ALERTED, MAX_AGE_S, NotDelivered, announce, news
from coffey.control.journal import FINISHED, ControlJournal
from coffey.control.redistill import FAILED
from coffey.core.progress import Silent
from coffey.core.records import Decision, DecisionKind

ON = ("investigate", "redistill", "promote", "keep", "failed")


class Recorder:
    """A channel that remembers, and that can be down."""

    def __init__(self, name="recorder"):
        self.name, self.down, self.got = name, False, []

    def send(self, alert):
        if self.down:
            raise NotDelivered(self.name, "it is down")
        self.got.append(alert)


@pytest.fixture
def journal(tmp_path):
    return ControlJournal(tmp_path / "events", now=lambda: 1000.0)


def decide(journal, kind, key):
    return journal.record_decision(Decision(DecisionKind(kind), f"It is {kind}.", {"audits": 7}), key=key)


def tell(journal, *channels, now=1000.0, on=ON):
    return announce(journal, channels, on=on, project="p", now_unix_s=now, progress=Silent())


def kinds(journal):
    return [alert.kind for alert in news(journal.entries(), ON, "p")]


def test_what_the_look_before_said_is_no_news(journal):
    """Ten ticks that investigate are one alert; getting well and falling again are two."""
    for number, kind in enumerate(["healthy", *["investigate"] * 3, "healthy", "investigate", "redistill"]):
        decide(journal, kind, f"one/0/{number}/{kind}")
    assert kinds(journal) == ["investigate", "investigate", "redistill"]


def test_every_judged_and_failed_run_is_news(journal):
    """And a verdict does not count as what a look said."""
    decide(journal, "redistill", "one/0/1/redistill")
    decide(journal, "keep", "run-1/judged")
    decide(journal, "keep", "run-2/judged")
    decide(journal, "redistill", "one/0/2/redistill")
    journal.record(
        FINISHED, {"version": None, "kind": FAILED, "reason": "It diverged."}, key="run-3/finished"
    )
    journal.record(FINISHED, {"version": "two", "kind": "promote"}, key="run-4/finished")
    assert kinds(journal) == ["redistill", "keep", "keep", "failed"]


def test_a_channel_hears_each_alert_once(journal):
    """A second tick sends nothing, a second channel is told on its own."""
    decide(journal, "investigate", "a")
    one, two = Recorder("one"), Recorder("two")
    assert tell(journal, one) == 1
    assert tell(journal, one, two) == 1
    assert tell(ControlJournal(journal._log.folder), one, two) == 0
    assert [len(one.got), len(two.got)] == [1, 1]
    assert one.got == two.got
    body = json.loads(one.got[0].body())
    assert (body["kind"], body["reason"], body["numbers"]) == (
        "investigate",
        "It is investigate.",
        {"audits": 7},
    )


def test_what_failed_is_sent_by_the_next_tick(journal):
    """The other channel is not kept waiting."""
    decide(journal, "investigate", "a")
    down, up = Recorder("down"), Recorder("up")
    down.down = True
    assert tell(journal, down, up) == 1
    down.down = False
    assert tell(journal, down, up) == 1
    assert (len(down.got), len(up.got)) == (1, 1)


def test_a_kill_after_sending_sends_the_same_id_again(journal, monkeypatch):
    """The receiver knows it by its id."""
    decide(journal, "investigate", "a")
    channel = Recorder()
    with monkeypatch.context() as patch:
        patch.setattr(journal, "record", lambda *a, **k: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            tell(journal, channel)
    tell(journal, channel)
    assert [alert.id for alert in channel.got] == [channel.got[0].id] * 2
    assert len(journal.entries(ALERTED)) == 1


def test_old_news_is_told_to_nobody(journal):
    """A channel that is added later does not get the history."""
    decide(journal, "investigate", "a")
    assert tell(journal, Recorder(), now=1001.0 + MAX_AGE_S) == 0
    assert tell(journal, Recorder(), on=("healthy",)) == 0
