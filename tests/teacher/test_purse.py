"""A purse is filled from the settings, and notes into the store that is asked for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coffey.core.settings import (
    BudgetSettings,
    CostSettings,
    DataSettings,
    ProjectSettings,
    Settings,
    TeacherSettings,
)
from coffey.teacher.asking import ask
from coffey.teacher.budget import Price, Unit
from coffey.teacher.purse import Purse
from coffey.teacher.spending import SPENDING, read_spending
from coffey.teacher.store import LabelStore
from coffey.testing.teacher import FixedTeacher


@pytest.fixture
def settings():
    return Settings(
        project=ProjectSettings(name="test"),
        teacher=TeacherSettings(kind="python", source="a:b", cost=CostSettings(usd_per_1k_requests=1000.0)),
        data=DataSettings(transfer="a.jsonl", holdout="b.jsonl"),
        budget=BudgetSettings(max_usd=10.0),
    )


def test_what_was_spent_before_is_taken_off_the_limit(settings, tmp_path):
    """And the spending lies beside the answers, under the word that was given."""
    teacher = FixedTeacher()
    store = LabelStore.open(tmp_path, teacher)
    purse = Purse.from_settings(settings, store, "holdout", spent_usd=4.0)
    assert (purse.price, purse.limit_usd) == (Price(Unit.REQUESTS_1K, 1000.0), 6.0)
    ask(teacher, store, ["one", "two"], purse=purse)
    spent = read_spending(store.folder / SPENDING)
    assert set(spent) == {"holdout"}
    assert (spent["holdout"].texts, spent["holdout"].usd) == (2, 2.0)


def test_without_a_price_nothing_is_limited(settings, tmp_path):
    """The limit is one of USD, and none are counted."""
    free = replace(settings, teacher=replace(settings.teacher, cost=CostSettings()))
    purse = Purse.from_settings(free, LabelStore.open(tmp_path, FixedTeacher()), "transfer")
    assert (purse.price, purse.limit_usd) == (None, None)
