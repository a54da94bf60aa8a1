"""Two students on the same requests: the teacher hears of those on which they differ, and not of all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from coffey.control.comparison import BATCH, Requests, Rules, Tally, compare
from coffey.core.settings import ControlSettings, MonitorSettings
from coffey.stats.intervals import wilson
from coffey.stats.paired_sequence import Verdict
from coffey.stats.scoring import ONE_LABEL, ManyLabels
from coffey.teacher.known import KnownAnswers

RULES = Rules(error_rate=0.025, better_over=0.0, hopeless_under=0.0, tolerated=0.02, labels=800)
LABELS = 5


class Student:
    """Answers with what it is told to say; `said` [n] are positions of labels."""

    def __init__(self, said, scoring=ONE_LABEL):
        self._said, self.scoring = dict(said), scoring

    def predict(self, texts):
        return self.scoring.certain(np.array([self._said[text] for text in texts]), LABELS)


class Teacher(Student):
    """Remembers what it was asked."""

    def __init__(self, said, scoring=ONE_LABEL, skips=()):
        super().__init__(said, scoring)
        self.asked, self._skips = [], set(skips)

    def __call__(self, texts):
        self.asked.extend(texts)
        known = np.array([text not in self._skips for text in texts], dtype=np.bool_)
        return KnownAnswers(known, self.predict([text for text in texts if text not in self._skips]))


def students(n, *, won, lost, seed=0, skips=()):
    """A champion, a rival and a teacher: the rival is right instead of the champion in a share `won`."""
    at = np.random.default_rng(seed).random(n)
    texts = [f"text {number}" for number in range(n)]
    fails = (at < won, (at >= won) & (at < won + lost))
    champion, rival = (Student(zip(texts, wrong.astype(int).tolist(), strict=True)) for wrong in fails)
    return texts, champion, rival, Teacher(dict.fromkeys(texts, 0), skips=skips)


def requests(texts, counts=None):
    return Requests(texts, np.ones(len(texts)) if counts is None else np.asarray(counts, dtype=np.float64))


def test_only_differing_requests_are_asked_about():
    """Each once; the agreeing ones count in the gain all the same."""
    texts, champion, rival, teacher = students(400, won=0.05, lost=0.04)
    tally = compare(champion, rival, requests(texts), RULES, answer=teacher)
    differing = [text for text in texts if rival.predict([text])[0, 0] != champion.predict([text])[0, 0]]
    assert teacher.asked == differing
    found = tally.look(RULES)
    assert (found.requests, found.asked) == (400, len(differing))
    assert found.differing == len(differing) / 400
    assert found.won + found.lost == len(differing)
    assert found.gain.value == pytest.approx((found.won - found.lost) / 400)
    assert found.verdict is Verdict.NOT_YET


@pytest.mark.parametrize(
    ("won", "lost", "verdict"), [(0.25, 0.02, Verdict.BETTER), (0.02, 0.25, Verdict.NOT_BETTER)]
)
def test_it_ends_as_soon_as_it_is_decided(won, lost, verdict):
    """A few batches of 2,000 requests are enough."""
    texts, champion, rival, teacher = students(2000, won=won, lost=lost)
    found = compare(champion, rival, requests(texts), RULES, answer=teacher).look(RULES)
    assert found.verdict is verdict
    assert found.asked == len(teacher.asked) <= 6 * BATCH
    assert found.asked == found.won + found.lost


def test_the_budget_is_kept():
    """Over several goes at it, each with a limit of its own."""
    texts, champion, rival, teacher = students(2000, won=0.1, lost=0.1)
    rules, tally = replace(RULES, labels=100), Tally()
    for _ in range(5):
        tally = compare(champion, rival, requests(texts), rules, answer=teacher, before=tally, most=30)
    assert tally.asked == len(teacher.asked) == 100
    assert tally.requests == 10_000
    assert sum(times for x, _, times in tally.outcomes if x) == 100


def test_agreement_everywhere_is_no_worse_and_asks_nobody():
    """Two equal students: not one teacher call."""
    texts, champion, _, teacher = students(500, won=0.1, lost=0.1)
    found = compare(champion, champion, requests(texts), RULES, answer=teacher).look(RULES)
    assert (found.verdict, found.asked, teacher.asked) == (Verdict.NO_WORSE, 0, [])


def test_no_request_shows_nothing():
    """Nothing in, nothing out."""
    _, champion, rival, teacher = students(1, won=1.0, lost=0.0)
    tally = compare(champion, rival, requests([]), RULES, answer=teacher)
    assert tally == Tally()
    assert tally.look(RULES).verdict is Verdict.NOT_YET


def test_texts_count_as_often_as_they_were_served():
    """One text of 90 requests outweighs ten of one: the rival that wins those is not better."""
    texts = [f"text {number}" for number in range(11)]
    champion = Student({text: int(number > 0) for number, text in enumerate(texts)})
    rival = Student({text: int(number == 0) for number, text in enumerate(texts)})
    teacher = Teacher(dict.fromkeys(texts, 0))
    tally = compare(champion, rival, requests(texts, [90] + [1] * 10), RULES, answer=teacher)
    found = tally.look(RULES)
    assert (found.won, found.lost, found.requests) == (10, 1, 100)
    assert found.gain.value == pytest.approx(-0.8)


def test_what_the_teacher_skips_counts_for_nobody():
    """Asked, and in neither's favour."""
    texts, champion, rival, _ = students(200, won=0.2, lost=0.2)
    teacher = Teacher(dict.fromkeys(texts, 0), skips=texts[::2])
    found = compare(champion, rival, requests(texts), RULES, answer=teacher).look(RULES)
    assert found.won + found.lost == sum(text not in texts[::2] for text in teacher.asked)
    assert found.asked == len(teacher.asked)


def test_answers_with_many_labels_differ_by_degrees():
    """The gain is that of the F1; half right is half a win."""
    texts = ["one", "two"]
    none, first, both = [0] * LABELS, [1, 0, 0, 0, 0], [1, 1, 0, 0, 0]
    many = ManyLabels()
    champion = Student({"one": none, "two": first}, many)
    rival = Student({"one": first, "two": first}, many)
    teacher = Teacher({"one": both, "two": both}, many)
    tally = compare(champion, rival, requests(texts), RULES, answer=teacher)
    assert teacher.asked == ["one"]
    assert tally.outcomes == ((0.0, 1.0, 1.0), (pytest.approx(2 / 3), 1.0, 1.0))


def test_wrong_winners_are_as_rare_as_stated():
    """200 comparisons of students that are equally good, texts of uneven weight: at most 2.5 % are won."""
    wins = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        n = 200
        texts = [str(number) for number in range(n)]
        champion = Student(zip(texts, rng.integers(0, 2, n).tolist(), strict=True))
        rival = Student(zip(texts, rng.integers(0, 2, n).tolist(), strict=True))
        teacher = Teacher(zip(texts, rng.integers(0, 3, n).tolist(), strict=True))
        counts = rng.geometric(0.4, n)
        tally = compare(champion, rival, requests(texts, counts), RULES, answer=teacher)
        wins += tally.look(RULES).verdict is Verdict.BETTER
    assert wilson(wins, 200).low <= 0.025


def test_the_rules_are_those_of_the_settings():
    """A gain that is asked for is asked of challengers; coming back takes none."""

    class Given:
        control = ControlSettings(error_rate=0.01, min_gain=0.03, comparison_labels=70)
        monitor = MonitorSettings(max_drop=0.015)

    promote, back = Rules.to_promote(Given), Rules.to_roll_back(Given)
    assert (promote.error_rate, promote.better_over, promote.labels) == (0.01, 0.03, 70)
    assert (back.error_rate, back.better_over, back.hopeless_under, back.labels) == (0.01, 0.0, 0.015, 70)
