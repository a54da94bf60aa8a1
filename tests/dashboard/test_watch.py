"""The watch says what was promised when, and why it was decided so."""

from __future__ import annotations

from types import ModuleType

from coffey.dashboard.reports import demo_report


def _with_watch(sample: ModuleType, **changes: object) -> str:
    whole = sample.demo()
    return demo_report({**whole, "watch": {**whole["watch"], **changes}})


def test_a_promise_that_changed_is_drawn_as_steps(sample: ModuleType) -> None:
    """After a promotion the old contract's line would be wrong: both promises stand in the chart's data."""
    promises = [{"index": 0, "agreement": 0.9125}, {"index": 400, "agreement": 0.8875}]
    changed = _with_watch(sample, promises=promises)
    assert "contract: agreement promised" in changed
    assert changed.count("0.912") >= 2
    assert "investigate below" not in changed
    same = _with_watch(sample, promises=[promises[0], {"index": 400, "agreement": 0.9125}])
    assert "contract: agreement promised" not in same
    assert "investigate below" in same


def test_a_reason_is_told_to_its_end(sample: ModuleType) -> None:
    """The numbers of a long reason come last; without times there is no column of times."""
    reason = "Agreement fell. " * 40 + "Re-distill now."
    page = _with_watch(sample, decisions=[{"kind": "redistill", "reason": reason}])
    assert "Re-distill now." in page
    decisions = page[page.index("Decisions") :]
    assert ">time<" not in decisions[: decisions.index("</table>")]
