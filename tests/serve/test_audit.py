from __future__ import annotations

import secrets

from coffey.serve.audit import AuditChoice


def test_the_share_chosen_is_the_probability() -> None:
    """Of 20,000 ids a quarter is chosen, within 5 standard errors."""
    choice = AuditChoice(probability=0.25, seed=3)
    prefix = secrets.token_hex(8)
    chosen = sum(choice.chosen(f"{prefix}{number:012x}") for number in range(20_000))
    assert abs(chosen - 5000) < 5 * (20_000 * 0.25 * 0.75) ** 0.5


def test_the_choice_is_a_function_of_seed_and_id() -> None:
    """The same seed chooses the same ids again, another seed chooses others."""
    ids = [f"id{number}" for number in range(200)]
    first = [AuditChoice(probability=0.5, seed=1).chosen(i) for i in ids]
    assert first == [AuditChoice(probability=0.5, seed=1).chosen(i) for i in ids]
    assert first != [AuditChoice(probability=0.5, seed=2).chosen(i) for i in ids]


def test_the_extremes_choose_nothing_and_everything() -> None:
    """0 is never, 1 is always."""
    ids = [f"id{number}" for number in range(1000)]
    assert not any(AuditChoice(probability=0.0, seed=1).chosen(i) for i in ids)
    assert all(AuditChoice(probability=1.0, seed=1).chosen(i) for i in ids)


def test_a_smaller_probability_chooses_a_subset() -> None:
    """Raising the probability keeps what was chosen before."""
    ids = [f"id{number}" for number in range(1000)]
    few = {i for i in ids if AuditChoice(probability=0.1, seed=1).chosen(i)}
    many = {i for i in ids if AuditChoice(probability=0.4, seed=1).chosen(i)}
    assert few < many
