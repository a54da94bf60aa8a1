"""Decisions as functions of evidence: is the champion kept, and does the challenger replace it?"""

from __future__ import annotations

import math
from dataclasses import dataclass

from coffey.core.records import Contract, Decision, DecisionKind, Interval
from coffey.export.gate import GateResult
from coffey.monitor.agreement import AgreementReport, Change
from coffey.monitor.drift import DriftReport
from coffey.monitor.slices import Slice, SliceReport
from coffey.stats.intervals import paired_difference
from coffey.stats.paired_sequence import Comparison, Verdict
from coffey.stats.scoring import Scores

Numbers = dict[str, float | int | str | None]


def decide(
    agreement: AgreementReport | None,
    drift: DriftReport | None,
    contract: Contract | None,
    *,
    audits_per_day: float | None = None,
    slices: SliceReport | None = None,
) -> Decision:
    """What one look at the champion leads to.

    Only an alarm leads to action, and only with a drop over the contract's bounds: over `redistill_drop`
    REDISTILL, over `max_drop` INVESTIGATE. So does a slice that was found and fell by more than `max_drop`,
    however small its part of the traffic. Everything else is HEALTHY, with a note where there was an alarm
    or drift. Drift never acts alone: inputs may move where the student is as good. WAITING without a
    champion's contract or an audit. `audits_per_day` is what the reason counts days by, where the audits do
    not tell.
    """
    if contract is None:
        return Decision(DecisionKind.WAITING, "There is no champion with a contract to watch.")
    if agreement is None or agreement.audits == 0:
        reason = (
            "No audited request has been answered by the teacher yet. The server chooses a few requests by "
            "chance (monitor.audits_per_day of economics.requests_per_day, or monitor.audit_probability)."
        )
        return Decision(DecisionKind.WAITING, reason)
    kind = _kind(agreement, contract, slices)
    parts = [
        _finding(agreement, contract),
        _evidence(agreement, audits_per_day),
        _action(kind, agreement, contract),
    ]
    if slices is not None and slices.found:
        parts.append(slices.sentence)
    if drift is not None and drift.drifted:
        parts.append(drift.sentence)
    return Decision(kind, " ".join(part for part in parts if part), _numbers(agreement, drift, slices))


@dataclass(frozen=True, slots=True)
class Paired:
    """How well either agreed with the teacher on the same examples."""

    champion: Scores
    challenger: Scores

    def __len__(self) -> int:
        return len(self.champion)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a challenger without asking the teacher anything new."""

    holdout: int
    """Old holdout examples."""
    change: Interval
    """Its agreement there minus the champion's."""
    tolerated: float
    gate: GateResult | None = None

    @property
    def kept(self) -> bool:
        """Whether it is shown not to have lost more than is tolerated of what the champion knew."""
        return self.change.low >= -self.tolerated

    @property
    def passed(self) -> bool:
        """Whether it is worth comparing."""
        return self.kept and (self.gate is None or self.gate.passed)


def stand(holdout: Paired, *, tolerated: float, gate: GateResult | None = None, seed: int = 17) -> Standing:
    """Hold a challenger against the old holdout and the gate; neither may have been trained or chosen on it.

    Whatever it gained, one that the gate refuses is not promoted: small losses, each tolerated against the
    champion before, would else add up over many re-distillations.
    """
    change = paired_difference(holdout.challenger, holdout.champion, seed=seed)
    return Standing(len(holdout), change, tolerated, gate)


def judge(standing: Standing, fresh: Comparison | None) -> Decision:
    """PROMOTE a challenger that stands and is shown to be better on fresh requests; else KEEP.

    `fresh` is None where it does not stand, so that the teacher need not be asked.
    """
    wins = standing.passed and fresh is not None and fresh.verdict is Verdict.BETTER
    kind = DecisionKind.PROMOTE if wins else DecisionKind.KEEP
    parts = [
        "It is not compared on fresh requests." if fresh is None else compared(fresh, "the challenger"),
        _holdout(standing),
        f"The gate refused it: {standing.gate.reason}." if standing.gate and not standing.gate.passed else "",
        "Promote the challenger." if wins else "Keep the champion.",
    ]
    numbers: Numbers = {
        **({} if fresh is None else comparison_numbers(fresh)),
        "holdout": standing.holdout,
        "tolerated": standing.tolerated,
        **_spread("holdout_change", standing.change),
    }
    return Decision(kind, " ".join(part for part in parts if part), numbers)


def compared(found: Comparison, who: str) -> str:
    """What a comparison of `who` with the champion has shown, as a sentence."""
    verdict = {
        Verdict.BETTER: "better",
        Verdict.NOT_BETTER: "not better",
        Verdict.NO_WORSE: "not worse, and not shown to be better",
        Verdict.NOT_YET: "not shown to be better",
    }[found.verdict]
    return (
        f"On {found.requests:,} fresh requests the two differ in {found.differing * 100:.1f} %. Of "
        f"{found.asked:,} such texts that the teacher was asked about, {who} won {found.won:,} and lost "
        f"{found.lost:,}: over all requests it is {_compared(found.gain)}, {verdict}."
    )


def look_back_reason(found: Comparison, previous: str, *, waits: bool) -> str:
    """Why the previous champion comes back."""
    act = "Roll back: it waits for approval, `coffey rollback`." if waits else "Roll back."
    return f"{compared(found, f'the previous champion {previous}')} {act}"


def comparison_numbers(found: Comparison) -> Numbers:
    """The same in numbers."""
    return {
        "fresh": found.requests,
        "differing": found.differing,
        "asked": found.asked,
        "won": found.won,
        "lost": found.lost,
        "verdict": found.verdict.value,
        **_spread("gain", found.gain),
    }


def _holdout(standing: Standing) -> str:
    return (
        f"On {standing.holdout:,} old holdout examples it is {_compared(standing.change)}: "
        f"{'within' if standing.kept else 'not shown to be within'} the tolerated drop of "
        f"{_points(standing.tolerated)} points."
    )


def _kind(agreement: AgreementReport, contract: Contract, slices: SliceReport | None) -> DecisionKind:
    drop = _drop(agreement)
    if drop > contract.redistill_drop:
        return DecisionKind.REDISTILL
    fell = slices is not None and any(
        _slice_drop(one, contract) > contract.max_drop for one in slices.found if one.same_as is None
    )
    return DecisionKind.INVESTIGATE if fell or drop > contract.max_drop else DecisionKind.HEALTHY


def _drop(agreement: AgreementReport) -> float:
    return agreement.change.drop if agreement.alarm and agreement.change else 0.0


def _slice_drop(one: Slice, contract: Contract) -> float:
    """Against its own past, or against the promise where it had none."""
    return one.drop if one.drop is not None else contract.agreement.value - one.agreement.value


def _finding(agreement: AgreementReport, contract: Contract) -> str:
    promised = f"the promised {contract.agreement.value:.3f}"
    change = agreement.change
    if agreement.alarm and change is not None:
        verb = "fell" if change.drop >= 0 else "rose"
        side = "under" if change.drop >= 0 else "over"
        return (
            f"Agreement {verb} {_points(abs(change.drop))} points {side} {promised} "
            f"({_interval(change.agreement)}) over the last {change.audits:,} audits;"
        )
    return (
        f"Agreement is {_interval(agreement.overall)} over {agreement.audits:,} audits against {promised} "
        f"(tested: at least {agreement.floor:.3f});"
    )


def _evidence(agreement: AgreementReport, audits_per_day: float | None) -> str:
    length = agreement.average_run_length
    rate = agreement.audits_per_day or audits_per_day
    days = f" ({length / rate:,.4g} days at {rate:,.4g} audits a day)" if rate else ""
    return (
        f"evidence like this comes by chance once in {_count(agreement.log_evidence)} audits at most, "
        f"and the promise is one false alarm in {_count(math.log(length))} audits{days}."
    )


def _action(kind: DecisionKind, agreement: AgreementReport, contract: Contract) -> str:
    if kind is DecisionKind.REDISTILL:
        return "Re-distill."
    if kind is DecisionKind.INVESTIGATE and _drop(agreement) <= contract.max_drop:
        return "Agreement as a whole is within what is tolerated, but a slice fell: investigate."
    if kind is DecisionKind.INVESTIGATE:
        return f"Investigate; re-distilling starts at {_points(contract.redistill_drop)} points."
    if not agreement.alarm:
        return "The contract is kept."
    if agreement.change is None:
        return "There was an alarm, but agreement has recovered: no action."
    return (
        f"There was an alarm, but a drop up to {_points(contract.max_drop)} points is tolerated: no action."
    )


def _numbers(agreement: AgreementReport, drift: DriftReport | None, slices: SliceReport | None) -> Numbers:
    numbers: Numbers = {
        "audits": agreement.audits,
        "aimed_audits": agreement.aimed,
        "audits_per_day": agreement.audits_per_day,
        **_spread("agreement", agreement.overall),
        **_spread("promised", agreement.promised),
        "log_evidence": agreement.log_evidence,
        "log_threshold": agreement.log_threshold,
        "alarm_index": agreement.alarm_index,
        **_since(agreement.change),
    }
    if slices is not None:
        numbers["slices"] = ", ".join(one.name for one in slices.found if one.same_as is None)
    if drift is not None:
        numbers["drifted"] = ", ".join(measure.name for measure in drift.measures if measure.moved)
    return numbers


def _since(change: Change | None) -> Numbers:
    if change is None:
        return {}
    numbers: Numbers = {"change_index": change.index, "audits_since_change": change.audits}
    return {**numbers, **_spread("agreement_since_change", change.agreement), "drop": change.drop}


def _spread(name: str, interval: Interval) -> Numbers:
    return {name: interval.value, f"{name}_low": interval.low, f"{name}_high": interval.high}


def _interval(interval: Interval) -> str:
    share = f"{interval.confidence * 100:g} % interval"
    return f"{interval.value:.3f}, {share} {interval.low:.3f} to {interval.high:.3f}"


def _compared(difference: Interval) -> str:
    share = f"{difference.confidence * 100:g} % interval"
    side = "better" if difference.value >= 0 else "worse"
    bounds = f"{_points(difference.low)} to {_points(difference.high)}"
    return f"{_points(abs(difference.value))} points {side} ({share} {bounds})"


def _points(share: float) -> str:
    return f"{share * 100:.1f}"


def _count(log_count: float) -> str:
    """A count as people say it, from its natural logarithm, however large."""
    if log_count < math.log(1e6):
        return f"{math.exp(log_count):,.0f}"
    for name, size in (("million", 1e6), ("billion", 1e9)):
        if log_count < math.log(size * 1e3):
            return f"{math.exp(log_count) / size:.1f} {name}"
    return f"10^{log_count / math.log(10):.0f}"
