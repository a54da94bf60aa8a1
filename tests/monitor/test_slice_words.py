"""The sentence says since when, how far, where it fell, and with what certainty."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coffey.core.records import Interval
from coffey.monitor.slice_words import NAMED, say_slices
from coffey.monitor.slices import Slice, SliceReport

SLICE = Slice(
    kind="label",
    name="answered 'refund'",
    log_evidence=12.0,
    since_unix_s=0.0,
    audits=143,
    audits_before=600,
    agreement=Interval(0.802, 0.731, 0.859),
    agreement_before=Interval(0.951, 0.93, 0.966),
    share=0.05,
    share_before=0.051,
    lost=0.0075,
    explained=0.71,
    same_as=None,
    mistaken_for="invoice",
    examples=(),
)
REPORT = SliceReport(
    examined=37,
    false_share=0.1,
    since_unix_s=0.0,
    drop=Interval(0.034, 0.024, 0.043),
    explained=0.71,
    found=(SLICE,),
    others=(),
)


def test_the_sentence_of_a_slice_that_fell():
    """Word for word."""
    assert say_slices(REPORT) == (
        "Agreement fell 3.4 points (95 % interval 2.4 to 4.3) since Thursday 1970-01-01 00:00 UTC: 71 % of "
        "it from requests answered 'refund', which went from 5.1 % to 5.0 % of the traffic and whose "
        "agreement went from 95.1 % to 80.2 % (95 %: 73.1 % to 85.9 %) over 143 audits. "
        "(37 slices were looked at; of those that are named, at most 10 % are named by chance, in the mean.)"
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"explained": 1.2}, "all of it from requests"),
        ({"explained": None}, "0.8 points lost from requests"),
        ({"agreement_before": None, "share_before": 0.0, "share": 0.12}, "none of and are 12.0 % of the"),
    ],
)
def test_what_a_slice_explains_and_what_is_new(changes, words):
    """All of the drop, a loss without a drop, and requests that were not there before."""
    assert words in say_slices(replace(REPORT, found=(replace(SLICE, **changes),)))


def test_a_loss_that_others_made_up_for_is_no_drop():
    """The slice fell, agreement as a whole did not."""
    said = say_slices(replace(REPORT, drop=Interval(-0.001, -0.01, 0.008)))
    assert said.startswith("Agreement as a whole did not fall since")


def test_few_slices_are_named_and_none_twice():
    """Those that hold the requests of another are left out, and at most three are named."""
    many = [replace(SLICE, name=f"answered '{number}'") for number in range(6)]
    said = say_slices(replace(REPORT, found=(many[0], replace(many[1], same_as=many[0].name), *many[2:])))
    assert said.count("from requests") == NAMED
    assert "answered '1'" not in said


def test_nothing_found_is_said():
    """How many slices were looked at."""
    nothing = replace(REPORT, found=(), drop=None, since_unix_s=None)
    assert say_slices(nothing) == "None of the 37 slices looked at is shown to cost more than before."
