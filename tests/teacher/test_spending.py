"""What asking cost is known to the last whole line, over all runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from coffey.core.errors import StoreUnavailable
from coffey.teacher.spending import Gathering, SpendingLog, Spent, read_spending, spending_folder


def test_runs_add_up_by_purpose(tmp_path: Path) -> None:
    """Two runs of one purpose, one of another; a purpose that was never noted is not there."""
    for purpose, texts in (("transfer", 32), ("transfer", 8), ("holdout", 4)):
        log = SpendingLog(tmp_path, purpose)
        log.add(texts, texts / 10, texts / 1000)
        log.add(2, 0.2, 0.002)
    found = read_spending(tmp_path)
    assert set(found) == {"transfer", "holdout"}
    assert found["transfer"].texts == 44
    assert found["transfer"].seconds == pytest.approx(4.4)
    assert found["transfer"].usd == pytest.approx(0.044)
    assert read_spending(tmp_path / "elsewhere") == {}


def test_a_torn_line_is_not_counted(tmp_path: Path) -> None:
    """A process that is killed while it writes leaves half a line."""
    log = SpendingLog(tmp_path, "transfer")
    log.add(32, 1.0, None)
    (path,) = tmp_path.iterdir()
    with path.open("a") as file:
        file.write('{"texts": 32, "sec')
    assert read_spending(tmp_path)["transfer"] == Spent(texts=32, seconds=1.0)


def test_answers_without_a_price_cost_nothing_beside_those_with_one() -> None:
    """And together they are scaled to another number of answers."""
    both = Spent(texts=10, seconds=1.0) + Spent(texts=10, seconds=3.0, usd=2.0)
    assert both == Spent(texts=20, seconds=4.0, usd=2.0)
    assert both.scaled(5) == Spent(texts=5, seconds=1.0, usd=0.5)
    assert Spent(texts=2, seconds=1.0).scaled(4).usd is None


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """By its path."""
    (tmp_path / "labels").write_text("a file")
    with pytest.raises(StoreUnavailable, match="labels"):
        SpendingLog(spending_folder(tmp_path, "abc"), "transfer").add(1, 1.0, None)


def test_answers_that_come_singly_share_a_line_a_second(tmp_path: Path) -> None:
    """The first is written at once; what is held is written at the end, also when an error ends it."""
    now = 0.0

    def answer_and_fail() -> None:
        nonlocal now
        with Gathering(SpendingLog(tmp_path, "transfer"), clock=lambda: now) as log:
            for step in range(10):
                now = step / 4
                log.add(Spent(texts=1, seconds=0.25, usd=0.5))
            (path,) = tmp_path.iterdir()
            assert len(path.read_text().splitlines()) == 3
            assert read_spending(tmp_path)["transfer"].texts == 9
            raise RuntimeError

    with pytest.raises(RuntimeError):
        answer_and_fail()
    assert read_spending(tmp_path)["transfer"] == Spent(texts=10, seconds=2.5, usd=5.0)


def test_without_a_log_nothing_is_written(tmp_path: Path) -> None:
    """Nor is a file made when nothing was spent."""
    with Gathering(None) as log:
        log.add(Spent(texts=1, usd=1.0))
    with Gathering(SpendingLog(tmp_path, "transfer")):
        pass
    assert list(tmp_path.iterdir()) == []
