"""The loop stays awake only where the next request has come soon, several times, and never for long."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coffey.serve.vigil import LONGEST_SECONDS, ROW, Vigil


class Turns:
    """A clock and a loop that calls one function a turn, each of which takes a while."""

    def __init__(self, turn_s: float) -> None:
        self.now = 0.0
        self.turn_s = turn_s
        self.due: list = []
        self.looks = 0

    def clock(self) -> float:
        return self.now

    def call_soon(self, function, *arguments) -> None:
        self.due.append((function, arguments))

    def wait(self, seconds: float) -> None:
        """Let the time pass; the loop sleeps where nothing is due."""
        until = self.now + seconds
        while self.due and self.now < until:
            self.now += self.turn_s
            function, arguments = self.due.pop()
            self.looks += 1
            function(*arguments)
        self.now = max(self.now, until)


def serve(gaps: list[float]) -> list[int]:
    """How often the loop looked in each gap between an answer and the next request."""
    turns = Turns(LONGEST_SECONDS / 50)
    vigil, looks = Vigil(turns.clock), []
    for gap in gaps:
        vigil.rest(turns)
        before = turns.looks
        turns.wait(gap)
        looks.append(turns.looks - before)
        vigil.came(turns.now)
    return looks


SOON, LATE = LONGEST_SECONDS / 2, LONGEST_SECONDS * 20


def test_it_looks_after_a_row_of_requests_that_came_soon() -> None:
    """Not before; then in every gap."""
    looks = serve([SOON] * (ROW + 5))
    assert looks[:ROW] == [0] * ROW
    assert all(found > 10 for found in looks[ROW:])


def test_one_that_comes_late_ends_the_row() -> None:
    """The vigil ends by itself, and the next one needs a whole row again."""
    looks = serve([SOON] * ROW + [LATE] + [SOON] * ROW + [SOON])
    assert 0 < looks[ROW] <= 51
    assert looks[ROW + 1 : -1] == [0] * ROW
    assert looks[-1] > 10


@given(st.lists(st.floats(LONGEST_SECONDS * 1.01, 1.0), max_size=40))
def test_requests_far_apart_cost_nothing(gaps: list[float]) -> None:
    """Whatever their times: no look where each comes later than a vigil lasts."""
    assert sum(serve(gaps)) == 0


@given(st.lists(st.floats(0.0, 1.0), max_size=60))
def test_no_vigil_outlasts_its_time(gaps: list[float]) -> None:
    """However requests come, a gap has no more looks than fit into the longest vigil."""
    assert all(found <= 51 for found in serve(gaps))
