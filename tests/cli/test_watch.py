"""`coffey watch` ticks again and again: lines of JSON for programs, a view that grows for people."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from coffey.cli.app import app
from coffey.cli.output import guarded
from coffey.cli.watch_view import BLOCKS, WIDTH, WatchView, line
from coffey.control.lease import Lease


def shown(view):
    console = Console(file=io.StringIO(), width=160)
    console.print(view)
    return console.file.getvalue()


def test_json_is_one_object_a_line(live, capsys):
    """With its time; a tick that fails outside is an object with `error`, and the watch goes on."""
    live.serve(live.known(20, seed=91))
    arguments = ["watch", "--json", "--times", "2", "--every", "1", "-c", str(live.config)]
    assert guarded(lambda: app(arguments), debug=False) == 0
    first, second = [json.loads(row) for row in capsys.readouterr().out.splitlines()]
    assert (first["audited"], second["audited"]) == (10, 0)
    assert first["time"] < second["time"]
    assert first["decision"]["kind"] == "healthy"
    with Lease(live.store / "control" / "tick.lease", who="another tick"):
        assert guarded(lambda: app([*arguments[:3], "1", *arguments[4:]]), debug=False) == 0
    (failed,) = [json.loads(row) for row in capsys.readouterr().out.splitlines()]
    assert set(failed) == {"time", "error"}
    assert "another tick" in failed["error"]


def test_the_view_shows_the_evidence_as_it_grows(live):
    """More audits that disagree, more blocks, higher ones; the last tick stays while the next is at work."""
    view = WatchView()
    assert "first tick" in shown(view)
    live.serve(live.known(100, seed=93))
    calm = live.load().tick()
    view.show(calm)
    before = shown(view)
    live.serve(live.new(40, seed=94))
    grown = live.load().tick()
    assert grown.agreement.log_evidence > calm.agreement.log_evidence
    view.show(grown)
    assert "evidence of a drop" in shown(view)
    assert shown(view) != before
    view.start("label", 10, "inputs")
    view.advance("label", 4)
    assert "label" in shown(view)
    view.finish("label")
    view.fail("the teacher is down")
    view.wait(30)
    assert "next tick in 30 s" in shown(view)
    assert "will try again: the teacher is down" in shown(view)


@pytest.mark.parametrize("count", [1, 59, 60, 61, 240, 1000])
def test_a_line_fits_and_ends_with_the_last_value(count):
    """However many points there are."""
    drawn = line([0.0] * (count - 1) + [1.0], 0.0, 1.0)
    assert 0 < len(drawn) <= WIDTH
    assert drawn[-1] == BLOCKS[-1]
    assert line([0.5] * count, 0.5, 0.5)[-1] == BLOCKS[0]
