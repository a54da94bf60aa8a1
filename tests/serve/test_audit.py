from __future__ import annotations

import secrets

import pytest

from coffey.serve.audit import AuditChoice
from coffey.stats.confidence_bins import ConfidenceBins

BINS = ConfidenceBins.of(edges=(0.7, 0.9), agreement=(0.6, 0.9, 0.99), share=(0.1, 0.2, 0.7))


def test_the_share_chosen_is_the_probability() -> None:
    """Of 20,000 ids a quarter is chosen, within 5 standard errors."""
    choice = AuditChoice(rate=0.25, seed=3)
    prefix = secrets.token_hex(8)
    chosen = sum(choice.chosen(f"{prefix}{number:012x}", 0.25) for number in range(20_000))
    assert abs(chosen - 5000) < 5 * (20_000 * 0.25 * 0.75) ** 0.5


def test_the_choice_is_a_function_of_seed_and_id() -> None:
    """The same seed chooses the same ids again, another seed chooses others."""
    ids = [f"id{number}" for number in range(200)]
    first = [AuditChoice(rate=0.1, seed=1).chosen(i, 0.5) for i in ids]
    assert first == [AuditChoice(rate=0.1, seed=1).chosen(i, 0.5) for i in ids]
    assert first != [AuditChoice(rate=0.1, seed=2).chosen(i, 0.5) for i in ids]


def test_the_extremes_choose_nothing_and_everything() -> None:
    """0 is never, 1 is always."""
    ids = [f"id{number}" for number in range(1000)]
    assert not any(AuditChoice(rate=0.1, seed=1).chosen(i, 0.0) for i in ids)
    assert all(AuditChoice(rate=0.1, seed=1).chosen(i, 1.0) for i in ids)


def test_a_smaller_probability_chooses_a_subset() -> None:
    """Raising the probability keeps what was chosen before."""
    ids = [f"id{number}" for number in range(1000)]
    few = {i for i in ids if AuditChoice(rate=0.1, seed=1).chosen(i, 0.1)}
    many = {i for i in ids if AuditChoice(rate=0.1, seed=1).chosen(i, 0.4)}
    assert few < many


def test_unsure_answers_are_more_likely_chosen() -> None:
    """The probability falls with confidence, its mean is the rate, and no answer has less than half of it."""
    choice = AuditChoice(rate=0.01, seed=1)
    found = [choice.probability(confidence, BINS) for confidence in (0.3, 0.8, 0.95)]
    assert found == sorted(found, reverse=True)
    assert found[0] > 2 * found[2] >= 0.01
    assert sum(p * share for p, share in zip(found, BINS.share, strict=True)) == pytest.approx(0.01)


def test_without_bins_every_answer_has_the_same_probability() -> None:
    """A model that does not say how sure it may be is audited uniformly; no probability is over 1."""
    choice = AuditChoice(rate=0.01, seed=1)
    assert {choice.probability(confidence, None) for confidence in (0.1, 0.9)} == {0.01}
    assert AuditChoice(rate=0.9, seed=1).probability(0.1, BINS) == 1.0


def test_another_model_has_other_probabilities() -> None:
    """After a swap the bins of the new model count, and again those of the old one after going back."""
    choice = AuditChoice(rate=0.01, seed=1)
    other = ConfidenceBins.of(edges=(0.5,), agreement=(0.7, 0.95), share=(0.5, 0.5))
    first = choice.probability(0.3, BINS)
    assert choice.probability(0.3, other) != first == choice.probability(0.3, BINS)
