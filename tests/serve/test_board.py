from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coffey.serve.board import PLACE_BYTES, Board, merge
from coffey.serve.metrics import restarts_text

TEXT = b"""# HELP coffey_answered_total Texts answered.
# TYPE coffey_answered_total counter
coffey_answered_total 3.0
# HELP coffey_run_seconds A run.
# TYPE coffey_run_seconds histogram
coffey_run_seconds_bucket{le="0.1"} 1.0
coffey_run_seconds_bucket{le="+Inf"} 2.0
coffey_run_seconds_count 2.0
coffey_run_seconds_sum 0.5
"""


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.binary(max_size=500)), max_size=10))
def test_a_place_shows_what_was_last_written_on_it(writes) -> None:
    """Whatever was written before, there and elsewhere."""
    board = Board(3)
    last = {0: b"", 1: b"", 2: b""}
    for place, text in writes:
        board.write(place, text)
        last[place] = text
    assert {place: board.read(place) for place in last} == last


def test_a_text_that_is_half_written_is_not_shown() -> None:
    """The checksum tells; the place is readable again after the next writing."""
    board = Board(2)
    board.write(1, TEXT)
    board._memory[PLACE_BYTES + 20] ^= 1
    assert board.read(1) == b""
    board.write(1, b"x" * PLACE_BYTES)  # does not fit: nothing is written
    assert board.read(1) == b""
    board.write(1, TEXT)
    assert board.read(1) == TEXT


def test_texts_are_merged_by_family() -> None:
    """One head a metric, every sample with its worker, buckets included; the supervisor's without."""
    merged = merge({"0": TEXT, "1": TEXT.replace(b" 3.0", b" 4.0"), "": restarts_text(2)}).decode()
    assert merged.count("# TYPE coffey_answered_total counter") == 1
    assert 'coffey_answered_total{worker="0"} 3.0' in merged
    assert 'coffey_answered_total{worker="1"} 4.0' in merged
    assert 'coffey_run_seconds_bucket{le="+Inf",worker="1"} 2.0' in merged
    assert "coffey_worker_restarts_total 2.0" in merged
    assert "_created" not in merged


@pytest.mark.parametrize("texts", [{}, {"0": b""}])
def test_a_worker_that_shows_nothing_yet_is_left_out(texts) -> None:
    """An empty text is no error."""
    assert merge(texts) == b""
