"""The contract page shows what fell, with the requests to look at, and otherwise where the two disagree."""

from __future__ import annotations

from coffey.dashboard.live.pages.contract import contract_page
from coffey.dashboard.page import render

SLICE = {
    "kind": "label",
    "name": "answered 'refund'",
    "audits": 143,
    "audits_before": 600,
    "agreement": {"value": 0.802, "low": 0.731, "high": 0.859},
    "agreement_before": {"value": 0.951, "low": 0.93, "high": 0.966},
    "share": 0.05,
    "share_before": 0.051,
    "explained": 0.71,
    "same_as": None,
    "mistaken_for": "invoice",
    "examples": [
        {
            "text": "the money is not back",
            "teacher_label": "invoice",
            "student_label": "refund",
            "confidence": 0.6,
        }
    ],
}


def page(found=(), others=()):
    slices = {"sentence": "Agreement fell 3.4 points.", "found": list(found), "others": list(others)}
    return contract_page({"champion": "small-1", "slices": slices, "watch": {}})


def test_slices_that_fell_are_shown_with_their_numbers():
    """Shares and agreement before and since, the part of the drop, and a request to look at."""
    drawn = render(page(found=[SLICE]))
    for words in ("Agreement fell 3.4 points.", "5.1 % → 5.0 %", "0.951", "71.0 %", "the money is not back"):
        assert words in drawn
    assert "not shown to have fallen" not in drawn


def test_what_is_new_and_what_repeats_is_said():
    """No agreement before is a gap, and the same requests are named after the slice that holds them."""
    other = {**SLICE, "name": "of 12 tokens or more", "agreement_before": None, "explained": None}
    drawn = render(page(found=[SLICE, {**other, "same_as": "answered 'refund'"}]))
    assert "of 12 tokens or more (mostly those answered" in drawn


def test_without_a_fall_labels_with_disagreement_are_shown():
    """As before: where to look when nothing fell; and no section where nothing disagrees."""
    drawn = render(page(others=[SLICE]))
    assert "not shown to have fallen" in drawn
    assert "Slices that fell" not in drawn
    assert "Where they disagree" not in render(page())
