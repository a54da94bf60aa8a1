"""Who was champion when, and which audits speak of whom."""

from __future__ import annotations

from dataclasses import replace

from coffey.control.history import Reign, judged, reigns
from coffey.core.records import Audit, Contract, Interval
from coffey.core.settings import DataSettings, ProjectSettings, Settings, TeacherSettings
from coffey.registry.journal import JournalRegistry
from coffey.registry.version import Version

SETTINGS = Settings(
    project=ProjectSettings(name="x"),
    teacher=TeacherSettings(kind="python", source="m:f"),
    data=DataSettings(transfer="t", holdout="h"),
)
PROMISE = Contract(Interval(0.9, 0.85, 0.95), 200, "holdout", 0.02, 0.03)


def version(name: str) -> Version:
    return Version(name, name * 8, f"artifacts/{name}", contract=PROMISE, lineage={"teacher": "t"})


def audit(unix_s: float, *, model: str = "aaaaaaaa", teacher: str = "t", agree: bool = True) -> Audit:
    return Audit(
        id=f"{model}{unix_s}",
        unix_s=unix_s,
        model=model,
        key="k",
        text="",
        student_label="x",
        teacher_label="x" if agree else "y",
        agree=agree,
        confidence=0.9,
        probability=0.5,
        teacher=teacher,
    )


def test_reigns_follow_one_another(tmp_path):
    """Each ends where the next begins; who comes back begins anew; nobody reigns before the first."""
    clock = iter(range(1, 100))
    registry = JournalRegistry(tmp_path, now=lambda: float(next(clock)))
    assert reigns(registry) == []
    for name in ("a", "b"):
        registry.add(version(name), who="test")
    registry.promote("a", evidence={}, who="test")
    registry.promote("b", evidence={}, who="test")
    registry.rollback(who="test", reason="worse")
    found = reigns(registry)
    assert [(one.version.name, one.since_unix_s, one.until_unix_s, one.why) for one in found] == [
        ("a", 3.0, 4.0, "promote"),
        ("b", 4.0, 5.0, "promote"),
        ("a", 5.0, None, "rollback"),
    ]


def test_audits_are_of_the_reign_the_model_and_the_promise():
    """Not those of before, of after, of another model, or by another teacher than that of the promise."""
    reign = Reign(version("a"), 10.0, 20.0, "promote")
    found = [audit(9.0), audit(10.0), audit(19.9), audit(20.0), audit(15.0, model="bbbbbbbb")]
    found.append(audit(15.0, teacher="other"))
    assert [one.unix_s for one in reign.audits(found)] == [10.0, 19.9]
    assert [one.unix_s for one in replace(reign, until_unix_s=None).audits(found)] == [10.0, 19.9, 20.0]


def test_nothing_is_judged_without_a_promise_or_an_audit():
    """What was never promised cannot be broken."""
    reign = Reign(version("a"), 0.0, None, "promote")
    assert judged(reign, [], SETTINGS, bins=None) is None
    bare = replace(reign, version=replace(reign.version, contract=None))
    assert judged(bare, [audit(1.0)], SETTINGS, bins=None) is None
    report = judged(reign, [audit(1.0), audit(2.0, agree=False)], SETTINGS, bins=None)
    assert report is not None
    assert (report.audits, report.promised) == (2, PROMISE.agreement)
