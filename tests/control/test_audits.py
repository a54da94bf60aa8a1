"""Audits are asked once, kept in order, and never guessed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from coffey.control.audits import AuditLog, Beside, Collected, Unlabelled, collect_audits
from coffey.core.errors import TeacherUnavailable
from coffey.core.ids import input_key
from coffey.core.records import TrafficRecord
from coffey.monitor.agreement import audit_weights
from coffey.teacher.known import KnownAnswers

LABELS = ("bad", "good")


class Asked:
    """A teacher of two labels: a text with `good` in it is good, one with `?` is skipped. Remembers all."""

    def __init__(self):
        self.texts = []

    def __call__(self, texts):
        self.texts += texts
        known = np.array(["?" not in text for text in texts])
        good = np.array([["good" in text] for text in texts], np.float32)[known]
        return KnownAnswers(known, np.hstack([1 - good, good]))


def served(number, text="a good day", *, audit=True, model="m1", label="good"):
    return TrafficRecord(f"r{number}", float(number), model, text, label, 0.9, 1.0, audit, 0.25)


def collect(traffic, log, teacher):
    return collect_audits(traffic, log, answer=teacher, labels=LABELS, teacher="t1")


def test_only_what_was_chosen_is_asked_and_only_once(tmp_path):
    """The second collection asks the new request alone, also through another object on the same folder."""
    teacher, log = Asked(), AuditLog(tmp_path)
    traffic = [served(1), served(2, "unchosen", audit=False), served(3, "rain", label="good")]
    assert collect(traffic, log, teacher) == Collected(2)
    assert collect([*traffic, served(4, "good grief")], AuditLog(tmp_path), teacher) == Collected(1)
    assert collect([*traffic, served(4, "good grief")], log, teacher) == Collected(0)
    assert teacher.texts == ["a good day", "rain", "good grief"]


def test_an_audit_says_what_both_said(tmp_path):
    """Labels, agreement, probability, key and teacher are those of the request."""
    log = AuditLog(tmp_path)
    collect([served(1), served(2, "rain", label="good")], log, Asked())
    agreed, differed = log.all()
    assert (agreed.agree, agreed.student_label, agreed.teacher_label) == (True, "good", "good")
    assert (differed.agree, differed.student_label, differed.teacher_label) == (False, "good", "bad")
    assert (differed.id, differed.unix_s, differed.key) == ("r2", 2.0, input_key("rain"))
    assert (differed.probability, differed.teacher, differed.model) == (0.25, "t1", "m1")


def test_audits_are_kept_in_order_and_by_model(tmp_path):
    """What was collected first comes first; another model's audits are another's."""
    log, teacher = AuditLog(tmp_path), Asked()
    collect([served(2), served(1)], log, teacher)
    collect([served(3, model="m2")], log, teacher)
    again = AuditLog(tmp_path)
    assert [audit.id for audit in again.all()] == ["r2", "r1", "r3"]
    assert [audit.id for audit in again.of("m2")] == ["r3"]
    assert again.all() == log.all()


def test_a_teacher_that_fails_leaves_no_audit(tmp_path):
    """Nothing is written; the next collection asks again."""
    log = AuditLog(tmp_path)

    def fails(texts):
        raise TeacherUnavailable("t", "no network")

    with pytest.raises(TeacherUnavailable):
        collect([served(1)], log, fails)
    assert log.all() == []
    assert collect([served(1)], log, Asked()) == Collected(1)


def test_an_empty_collection_writes_nothing(tmp_path):
    """Without a chosen request there is no file and no question."""
    teacher = Asked()
    assert collect([served(1, audit=False)], AuditLog(tmp_path / "audits"), teacher) == Collected(0)
    assert teacher.texts == []
    assert not (tmp_path / "audits").exists()


def test_of_two_writers_one_is_told_no(tmp_path):
    """A batch is appended after all others, or not at all."""
    first, second = AuditLog(tmp_path), AuditLog(tmp_path)
    collect([served(1)], first, Asked())
    (audit,) = first.all()
    number = len(list(tmp_path.glob("*.json")))
    taken = second._log.append(number + 1, {"audits": []})
    assert taken
    assert first._log.append(number + 1, {"audits": []}) is False
    assert list(first.all()) == [audit]


def test_what_the_teacher_cannot_label_is_noted_once_and_never_asked_again(tmp_path):
    """It is in no audit, by its id, also for a process that starts anew; the others go on."""
    log, teacher = AuditLog(tmp_path), Asked()
    traffic = [served(1), served(2, "secret?"), served(3, "rain")]
    assert collect(traffic, log, teacher) == Collected(2, 1)
    assert [audit.id for audit in log.all()] == ["r1", "r3"]
    again = AuditLog(tmp_path)
    assert again.unlabelled() == [Unlabelled(id="r2", model="m1", unix_s=2.0, teacher="t1")]
    assert collect([*traffic, served(4, "what?")], again, teacher) == Collected(0, 1)
    assert teacher.texts == ["a good day", "secret?", "rain", "what?"]
    assert "secret" not in "".join(path.read_text() for path in tmp_path.glob("*.json"))


def test_skipped_audits_leave_the_estimate_of_the_others_unbiased(tmp_path):
    """Over many draws with unequal probabilities, the weighted agreement is that of the labelled requests."""
    random = np.random.default_rng(3)
    texts = np.array(["good one", "rain", "good?"])[random.integers(0, 3, 4000)]
    chances = np.where(texts == "rain", 0.5, 0.2)
    chosen = random.random(4000) < chances
    traffic = [
        replace(served(number, str(text), audit=bool(audit)), audit_probability=float(chance))
        for number, (text, audit, chance) in enumerate(zip(texts, chosen, chances, strict=True))
    ]
    log = AuditLog(tmp_path)
    found = collect(traffic, log, Asked())
    assert found.skipped == (chosen & (texts == "good?")).sum()
    weights = audit_weights(log.all())
    estimate = float(weights @ [audit.agree for audit in log.all()] / weights.sum())
    truth = (texts == "good one").sum() / (texts != "good?").sum()
    assert abs(estimate - truth) < 0.05


def test_an_aimed_audit_keeps_the_requests_since_the_one_before(tmp_path):
    """In units of its own rate; a stretch before a request without an answer goes with it."""
    asked = []

    def passed(chosen):
        asked.append([record.id for record in chosen])
        return np.array([[0.1, 0.2], [9.0, 9.0], [0.3, 0.4]])

    traffic = [replace(served(n, text), audit_rate=0.1) for n, text in ((1, "good"), (2, "a?"), (3, "rain"))]
    log = AuditLog(tmp_path)
    collect_audits(traffic, log, answer=Asked(), labels=LABELS, teacher="t1", beside=Beside(passed=passed))
    again = AuditLog(tmp_path)
    assert [audit.passed for audit in again.all()] == [pytest.approx((1, 2)), pytest.approx((3, 4))]
    assert {audit.rate for audit in again.all()} == {0.1}
    assert asked == [["r1", "r2", "r3"]]
    assert again.asked_until("m1") == 3.0
    assert again.asked_until("another") == 0.0


def test_a_uniform_audit_needs_no_count(tmp_path):
    """Requests that all had one probability are not counted, and their audits are those of before."""
    log = AuditLog(tmp_path)
    collect_audits(
        [served(1)],
        log,
        answer=Asked(),
        labels=LABELS,
        teacher="t1",
        beside=Beside(passed=lambda chosen: 1 / 0),
    )
    (audit,) = AuditLog(tmp_path).all()
    assert (audit.rate, audit.passed) == (None, None)
