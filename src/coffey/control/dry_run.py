"""What a tick would do now, looked at without doing it: nothing is written, nobody is asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from coffey.control.audits import Collected
from coffey.control.evidence import Evidence
from coffey.control.tick import NO_CHAMPION, Loop, TickReport, report_of
from coffey.core.clock import unix_now
from coffey.core.errors import UnknownVersion
from coffey.core.progress import Silent
from coffey.core.records import Decision, DecisionKind
from coffey.registry.protocol import CHAMPION
from coffey.traffic.compact import CompactReport
from coffey.traffic.layout import segments_folder
from coffey.traffic.segment import OPEN, SEALED


@dataclass(frozen=True, slots=True)
class DryRun:
    """The report of a tick that does nothing, and what one would do."""

    report: TickReport
    """By the answers that the teacher has given so far."""
    would: tuple[str, ...]
    """One sentence a step, in their order."""


def dry_run(loop: Loop) -> DryRun:
    """Look as a tick does. No lease is taken: another tick may be at work meanwhile.

    Raises:
        StoreUnavailable: the store cannot be read.
    """
    try:
        champion = loop.registry.resolve(CHAMPION)
    except UnknownVersion:
        report = TickReport(NO_CHAMPION, None, None, None, 0, 0, CompactReport())
        return DryRun(report, tuple(_compaction(loop)))
    served = loop.observer.served(champion)
    settled = loop.audits.settled()
    pending = sum(record.id not in settled for record in served.records(audited=True))
    seen = loop.observer.look(champion, served)
    decision = loop.hold_back(seen)
    steps = [*_compaction(loop)]
    run_id, mended = loop.unfinished()
    if run_id is not None and mended is not None and loop.is_wanted(run_id, mended):
        steps.append(f"Go on with the re-distillation {run_id}, and leave the rest to the next tick.")
    else:
        steps += [*_asking(pending), *_looking_back(loop, seen), *_mending(loop, seen, decision)]
    return DryRun(report_of(seen, decision, CompactReport(), Collected()), tuple(steps))


def _compaction(loop: Loop) -> Iterator[str]:
    folder = segments_folder(loop.store)
    count = sum(1 for suffix in (OPEN, SEALED) for _ in folder.glob(f"*{suffix}"))
    if count:
        yield f"Compact up to {count:,} segments of the traffic log; those that a server is writing stay."


def _asking(pending: int) -> Iterator[str]:
    if pending:
        yield f"Ask the teacher about {pending:,} audited requests; its answers may change the decision."


def _looking_back(loop: Loop, seen: Evidence) -> Iterator[str]:
    most = loop.look_back(Silent()).allowed(seen.champion, seen.since_unix_s, unix_now())
    if most:
        yield (
            f"Compare the previous champion with {seen.champion.name}, and ask the teacher about up to "
            f"{most:,} recent texts on which they differ."
        )


def _mending(loop: Loop, seen: Evidence, decision: Decision) -> Iterator[str]:
    if decision.kind is not DecisionKind.REDISTILL:
        return
    most = min(loop.settings.monitor.relabel, len(seen.recent().texts))
    yield (
        f"Re-distill {seen.champion.name}: label at most {most:,} recent texts, train, judge, and "
        + ("leave a winner to wait for approval." if loop.settings.control.approve else "promote a winner.")
    )
