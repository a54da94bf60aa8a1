"""What a bench found, and how it is said."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from coffey.bench.noise import Noise
from coffey.core.records import JsonObject, Latency, Machine
from coffey.traffic.ledger import Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectResult:
    """One model: everything that was measured of it."""

    name: str
    params: int | None
    p50_ms: float
    """In process, one text at a time: median over the rounds."""
    p99_ms: float
    """In process, one text at a time: over all rounds."""
    spread: float
    """Largest over smallest of the rounds' medians."""
    texts_per_s: float
    """In batches of 32."""
    latencies: tuple[Latency, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchResult:
    """Student beside teacher on this machine, and the rate at which the latency promise holds."""

    student: SubjectResult
    teacher: SubjectResult | None
    latency_p99_ms: float
    """The promise."""
    promised: Latency
    """What it is held against: single requests through the server, or in process when no server was run."""
    max_rps_within_slo: float
    curve: tuple[Latency, ...]
    client_lag_p99_ms: float
    """How late the load generator was, at worst."""
    ledger: Ledger | None
    """Where the time of a single request through the server went; None when no server was run."""
    threads: int
    machine: Machine
    versions: Mapping[str, str]
    noise: Noise

    @property
    def params_ratio(self) -> float | None:
        """Teacher's over student's parameters; None when either is not known."""
        if self.teacher is None or not self.teacher.params or not self.student.params:
            return None
        return self.teacher.params / self.student.params

    @property
    def latency_ratio(self) -> float | None:
        """Teacher's over student's p50 in process."""
        return None if self.teacher is None else self.teacher.p50_ms / self.student.p50_ms

    @property
    def within_budget(self) -> bool:
        """Whether p99 of single requests keeps the promise and some rate under load does too."""
        return self.promised.p99_ms <= self.latency_p99_ms and self.max_rps_within_slo > 0

    @property
    def verdict(self) -> str:
        """The answer in one sentence."""
        how = "through the server" if self.promised.path == "http" else "in process"
        said = f"p99 {self.promised.p99_ms:.2f} ms {how}, promised {self.latency_p99_ms:g} ms"
        if not self.within_budget:
            return f"The latency budget does not hold: {said}."
        most = f"{self.max_rps_within_slo:,.0f} requests a second"
        return f"The latency budget holds: {said}; it holds up to {most}."

    def to_json(self) -> JsonObject:
        """The keys of `coffey bench --json`."""
        teacher, student = self.teacher, self.student
        return {
            "latency": {
                "teacher_p50_ms": teacher.p50_ms if teacher else None,
                "student_p50_ms": student.p50_ms,
                "teacher_p99_ms": teacher.p99_ms if teacher else None,
                "student_p99_ms": student.p99_ms,
            },
            "params_ratio": self.params_ratio,
            "latency_ratio": self.latency_ratio,
            "max_rps_within_slo": self.max_rps_within_slo,
            "within_budget": self.within_budget,
            "latency_p99_ms": self.latency_p99_ms,
            "verdict": self.verdict,
            "student": dataclasses.asdict(student),
            "teacher": dataclasses.asdict(teacher) if teacher else None,
            "curve": [dataclasses.asdict(one) for one in self.curve],
            "client_lag_p99_ms": self.client_lag_p99_ms,
            "ledger_us": self.ledger.mean_us() if self.ledger else None,
            "threads": self.threads,
            "noise": {
                **dataclasses.asdict(self.noise),
                "ratio": self.noise.ratio,
                "warning": self.noise.warning,
            },
            "machine": dataclasses.asdict(self.machine),
            "versions": dict(self.versions),
        }
