"""Costs are counted by the price that is configured, and say where they come from."""

from __future__ import annotations

import pytest

from coffey.core.errors import ConfigError
from coffey.core.settings import CostSettings
from coffey.teacher.budget import Meter, Price, Unit
from coffey.teacher.checkpoint import CheckpointTeacher
from coffey.teacher.usage import Usage
from coffey.testing.teacher import FixedTeacher


def test_each_unit_has_its_arithmetic():
    """1,800 s at 2 USD an hour, 500 requests at 2 a thousand, 500,000 tokens at 2 a million: 1 USD each."""
    usage = Usage(requests=500, input_tokens=500_000, output_tokens=100_000)
    assert [Price(unit, 2.0).of(usage, seconds=1800.0) for unit in Unit] == [1.0, 1.0, 1.0]
    assert Price(Unit.TOKENS_1M, 2.0, 10.0).of(usage, seconds=1800.0) == 2.0


def test_settings_state_one_price_or_none():
    """Two prices are refused together, by name."""
    assert Price.from_settings(CostSettings()) is None
    assert Price.from_settings(CostSettings(usd_per_1k_requests=0.0)) == Price(Unit.REQUESTS_1K, 0.0)
    with pytest.raises(ConfigError, match="usd_per_hour, usd_per_1k_requests"):
        Price.from_settings(CostSettings(usd_per_hour=1.0, usd_per_1k_requests=1.0))
    both = CostSettings(usd_per_1m_tokens=1.0, usd_per_1m_output_tokens=4.0)
    assert Price.from_settings(both) == Price(Unit.TOKENS_1M, 1.0, 4.0)
    with pytest.raises(ConfigError, match="usd_per_1m_tokens beside it"):
        Price.from_settings(CostSettings(usd_per_1k_requests=1.0, usd_per_1m_output_tokens=4.0))


def test_requests_are_known_before_they_are_asked():
    """The expected cost of a batch is its cost."""
    meter = Meter(Price(Unit.REQUESTS_1K, 10.0), FixedTeacher())
    assert meter.expected(["a"] * 100) == 1.0
    meter.charge(["a"] * 100, seconds=5.0)
    assert meter.usd == 1.0


def test_time_is_expected_from_the_pace_so_far():
    """Two seconds for four texts: two more are expected to take one."""
    meter = Meter(Price(Unit.HOUR, 3600.0), FixedTeacher())
    assert meter.expected(["a"]) == 0.0
    meter.charge(["a"] * 4, seconds=2.0)
    assert meter.usd == 2.0
    assert meter.expected(["a", "b"]) == 1.0


def test_tokens_without_a_tokenizer_are_estimated_and_said_so():
    """Four UTF-8 bytes a token, rounded up for every text."""
    meter = Meter(Price(Unit.TOKENS_1M, 1e6), FixedTeacher())
    assert meter.expected(["abcde", "ä"]) == 3.0
    assert "estimated" in meter.note


def test_tokens_are_counted_by_the_teachers_tokenizer_as_it_cuts(classifier):
    """What is paid is what the teacher reads: special tokens in, cut-off tokens out."""
    teacher = CheckpointTeacher.load(str(classifier), max_length=8, threads=1)
    meter = Meter(Price(Unit.TOKENS_1M, 1e6), teacher)
    short = len(teacher.tokenizer().encode("good").ids)
    assert 3 <= short < 8
    assert meter.expected(["good", "good " * 50]) == short + 8
    assert "counted" in meter.note


def test_without_a_price_nothing_is_claimed():
    """No price, no figure in USD."""
    meter = Meter(None, FixedTeacher())
    meter.charge(["a"], seconds=1.0)
    assert meter.usd is None
    assert meter.expected(["a"]) == 0.0


class Counting(FixedTeacher):
    """Expects 10 tokens a text, and uses 15."""

    def __init__(self):
        super().__init__()
        self.usage = Usage(input_tokens=99)

    def expected(self, texts):
        return Usage(requests=len(texts), input_tokens=10 * len(texts))

    def predict(self, texts):
        self.usage += Usage(requests=len(texts), input_tokens=15 * len(texts))
        return super().predict(texts)


def test_a_teacher_that_says_what_it_used_is_charged_that_and_expected_accordingly():
    """What was used before the meter began is not charged; expectations are corrected by what was seen."""
    teacher = Counting()
    meter = Meter(Price(Unit.TOKENS_1M, 1e6), teacher)
    assert meter.expected(["a", "b"]) == 20.0
    teacher.predict(["a", "b"])
    meter.charge(["a", "b"], seconds=1.0)
    assert meter.usd == 30.0
    assert meter.expected(["c"]) == 15.0
