"""What a tick saw as gauges, in a file that Prometheus' node exporter collects (its textfile collector)."""

from __future__ import annotations

from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from coffey.control.tick import TickReport
from coffey.core.files import write_atomic
from coffey.core.records import DecisionKind


def write_gauges(path: Path, report: TickReport, *, project: str, now_unix_s: float) -> None:
    """Replace the file as a whole.

    A tick that fails writes nothing: `coffey_tick_timestamp_seconds` grows old, which is to be alerted on.

    Raises:
        StoreUnavailable: it cannot be written.
    """
    write_atomic(path, as_text(report, project=project, now_unix_s=now_unix_s))


def as_text(report: TickReport, *, project: str, now_unix_s: float) -> bytes:
    """The gauges in Prometheus' text format; what is not known yet is left out."""
    registry = CollectorRegistry()

    def put(name: str, meaning: str, value: float) -> None:
        Gauge(f"coffey_{name}", meaning, ["project"], registry=registry).labels(project).set(value)

    put("tick_timestamp_seconds", "When the last tick ended.", now_unix_s)
    put("requests", "Requests that the champion served since it was promoted.", report.requests)
    put("alarm", "1 when agreement fell below the contract since the promotion.", float(report.alarm))
    put("unlabelled", "Requests chosen for audit that the teacher could not label.", report.unlabelled)
    kinds = Gauge("coffey_decision", "1 for the last decision.", ["project", "kind"], registry=registry)
    for kind in DecisionKind:
        kinds.labels(project, kind.value).set(float(kind is report.decision.kind))
    agreement = report.agreement
    if agreement is not None:
        put("audits", "Audits since the promotion.", agreement.audits)
        put("agreement", "Agreement of student and teacher since the promotion.", agreement.overall.value)
        put("agreement_low", "Lower end of its 95 % confidence sequence.", agreement.overall.low)
        put("agreement_high", "Upper end of its 95 % confidence sequence.", agreement.overall.high)
        put("agreement_promised", "Agreement that the contract promises.", agreement.promised.value)
        put("log_evidence", "Natural logarithm of the evidence for a drop.", agreement.log_evidence)
        put(
            "log_threshold",
            "Natural logarithm of the evidence that raises the alarm.",
            agreement.log_threshold,
        )
    if report.slices is not None:
        fell = sum(one.same_as is None for one in report.slices.found)
        put("slices_fallen", "Slices of the traffic that are shown to have lost agreement.", fell)
    if report.drift is not None:
        put("drifted", "1 when the inputs moved since the promotion.", float(report.drift.drifted))
    return generate_latest(registry)
