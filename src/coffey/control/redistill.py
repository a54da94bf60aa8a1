"""Re-distillation: sample, label, train from the champion, package, judge, promote or keep; each once."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from coffey.artifact.manifest import Lineage, StageEntry
from coffey.artifact.predictor import Predictor
from coffey.artifact.read import read_manifest
from coffey.artifact.signing import Signer, Trust
from coffey.control.audits import Answer
from coffey.control.candidate import Candidate, Making, keep_reference, make_candidate, promise, register
from coffey.control.comparison import Requests, Rules, compare
from coffey.control.fresh import Fresh, Recent, sample_recent
from coffey.control.journal import FINISHED, WAITING, ControlJournal
from coffey.control.policy import Paired, judge, stand
from coffey.core.clock import utc_now
from coffey.core.errors import EmptyData
from coffey.core.files import write_atomic
from coffey.core.ids import canonical_json, input_key
from coffey.core.progress import Progress
from coffey.core.records import (
    Contract,
    Decision,
    DecisionKind,
    Example,
    Interval,
)
from coffey.core.settings import Settings
from coffey.data.leakage import find_leaks
from coffey.data.split import in_validation
from coffey.distill.chain import run_chain
from coffey.distill.records import ChainRequest, StageResult
from coffey.export.gate import gate
from coffey.export.package import Holdout
from coffey.registry.protocol import CHALLENGER, Registry
from coffey.registry.version import Version
from coffey.stats.intervals import weighted_share
from coffey.stats.paired_sequence import Comparison
from coffey.stats.scoring import Scoring

WHO = "tick"

OPENED = "redistill"
"""The kind of entry that begins a re-distillation."""

ABANDONED = "abandoned"
"""What a re-distillation came to whose champion was replaced meanwhile."""


FAILED = "failed"
"""What a re-distillation came to that cannot be carried through: it diverged, or its inputs were changed."""


@dataclass(frozen=True, slots=True)
class OldLessons:
    """What the champion was made from: the transfer set and the holdout with the teacher's answers."""

    texts: tuple[str, ...]
    keys: tuple[str, ...]
    teacher: npt.NDArray[np.float32]
    """[texts, labels]"""
    hard: npt.NDArray[np.int64]
    """[texts], -1 where it is not known; sets [texts, labels] in a multi-label task."""
    holdout: Holdout
    label_digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """The tools of a re-distillation: the places it writes to and whom it asks."""

    settings: Settings
    store: Path
    registry: Registry
    journal: ControlJournal
    answer: Answer
    teacher_fingerprint: str
    teacher_params: int | None
    labels: tuple[str, ...]
    signer: Signer
    trust: Trust
    old: OldLessons


@dataclass(frozen=True, slots=True)
class RedistillReport:
    """What one re-distillation came to."""

    id: str
    decision: Decision
    challenger: str
    before: Interval | None
    """Agreement of the champion on fresh requests; None where it stays: nobody asks the teacher for that."""
    after: Interval | None
    """Agreement of the challenger on the same requests, which is its promise."""
    labelled: int
    """Recent texts that the teacher has answered."""
    seconds: float
    """Training time."""
    comparison: Comparison | None = None
    """With the champion, on fresh requests; None where it did not come to that."""


def redistill(
    run_id: str, champion: Version, recent: Recent, tools: Tools, progress: Progress
) -> RedistillReport:
    """Carry a re-distillation through to its end, from wherever an earlier try was killed.

    Raises:
        EmptyData: there is no recent request to learn from.
        AliasMoved: another champion was promoted meanwhile; nothing is moved.
    """
    folder = tools.store / "control" / "redistill" / run_id
    fresh = _settled_sample(folder / "sample.json", recent, tools)
    tools.journal.record(
        "sampled", {"learn": len(fresh.learn), "judge": len(fresh.judge)}, key=f"{run_id}/sampled"
    )
    learn, learned = _answered(_lessons(champion, fresh, tools), tools)
    known = len(set(fresh.learn) & set(learn))
    if not known:
        raise EmptyData("recent traffic", "the teacher gave no usable answer to any request of it")
    tools.journal.record("labelled", {"rows": len(learned)}, key=f"{run_id}/labelled")
    stage = _train(learn, learned, fresh, champion, tools, progress, run_id=run_id)
    tools.journal.record("trained", {"steps": stage.steps, "seconds": stage.seconds}, key=f"{run_id}/trained")
    candidate = _package(stage, champion, tools, progress, run_id=run_id)
    tools.journal.record("packaged", {"digest": candidate.digest}, key=f"{run_id}/packaged")
    return _conclude(run_id, champion, candidate, stage, fresh, known, tools)


def _settled_sample(path: Path, recent: Recent, tools: Tools) -> Fresh:
    """The sample of this run; the first try draws it, later tries read it back."""
    if not path.exists():
        monitor = tools.settings.monitor
        fresh = sample_recent(
            recent,
            limit=monitor.relabel,
            judge_share=monitor.fresh_share,
            without=_kept_out(recent, tools),
            seed=tools.settings.chain.seed,
            learned=frozenset(tools.old.keys),
        )
        if not fresh.learn or not fresh.judge:
            raise EmptyData(
                "recent traffic", "there are too few distinct requests since the change to learn from"
            )
        write_atomic(path, canonical_json(asdict(fresh)))
    kept = json.loads(path.read_bytes())
    return Fresh(tuple(kept["learn"]), tuple(kept["judge"]), tuple(kept["counts"]))


def _answered(texts: tuple[str, ...], tools: Tools) -> tuple[tuple[str, ...], npt.NDArray[np.float32]]:
    """The texts that the teacher does not skip, and its answers to them."""
    said = tools.answer(texts)
    return tuple(itertools.compress(texts, said.known)), said.probabilities


def _lessons(champion: Version, fresh: Fresh, tools: Tools) -> tuple[str, ...]:
    """What is learned from beside the transfer set: the lessons of the champion's own runs, and fresh ones.

    Without the former, each re-distillation would forget the drift that the one before it mended.
    """
    runs = {str(entry.body["version"]): str(entry.key) for entry in tools.journal.entries(FINISHED)}
    texts = dict.fromkeys(fresh.learn)
    version = champion
    while version.name in runs:
        run_id = runs[version.name].removesuffix(f"/{FINISHED}")
        kept = tools.store / "control" / "redistill" / run_id / "sample.json"
        texts |= dict.fromkeys(json.loads(kept.read_bytes())["learn"])
        version = tools.registry.resolve(str(version.lineage["previous"]))
    judges = set(map(input_key, fresh.judge))
    return tuple(text for text in texts if input_key(text) not in judges)


def _kept_out(recent: Recent, tools: Tools) -> frozenset[str]:
    """Keys of what stands, or nearly stands, in the old holdout, on which the challenger is judged too."""
    holdout = tools.old.holdout.texts
    served = dict.fromkeys([*recent.texts, *(one.text for one in recent.audits)])
    leaks = find_leaks(
        [Example(text) for text in served],
        [Example(text) for text in holdout],
        near_duplicate=tools.settings.data.near_duplicate,
    )
    return leaks.leaking | frozenset(map(input_key, holdout))


def _train(
    texts: Sequence[str],
    answers: npt.NDArray[np.float32],
    fresh: Fresh,
    champion: Version,
    tools: Tools,
    progress: Progress,
    *,
    run_id: str,
) -> StageResult:
    """From the champion, which itself teaches what it has learned: there it is held to what it was."""
    old = tools.old
    known = set(old.keys)
    new = [(input_key(text), text, row) for text, row in zip(texts, answers, strict=True)]
    new = [item for item in new if item[0] not in known]
    keys = [*old.keys, *(key for key, _, _ in new)]
    unknown = set(map(input_key, fresh.learn)) - known
    chain = tools.settings.chain
    if champion.student is None:
        raise EmptyData(champion.name, "the registry does not say where its checkpoint is")
    request = ChainRequest(
        texts=[*old.texts, *(text for _, text, _ in new)],
        keys=keys,
        teacher=np.concatenate([old.teacher, *(row[None] for _, _, row in new)]),
        hard=np.concatenate([old.hard, np.full((len(new), *old.hard.shape[1:]), -1)]),
        validation=np.array([in_validation(key, share=chain.validation, seed=chain.seed) for key in keys]),
        labels=tools.labels,
        stages=(),
        settings=replace(chain, epochs=tools.settings.monitor.redistill_epochs),
        folder=tools.store / "stages" / f"redistill-{run_id}",
        start=tools.store / champion.student,
        start_teaches=np.array([key not in unknown for key in keys]),
        scoring=_scoring(champion, tools),
    )
    return run_chain(request, progress=progress).final


def _package(
    stage: StageResult, champion: Version, tools: Tools, progress: Progress, *, run_id: str
) -> Candidate:
    making = Making(
        project=tools.settings.project.name,
        store=tools.store,
        signer=tools.signer,
        holdout=tools.old.holdout,
        lineage=Lineage(
            teacher=tools.teacher_fingerprint,
            teacher_source=tools.settings.teacher.source,
            teacher_params=tools.teacher_params,
            label_digest=tools.old.label_digest,
            created=utc_now(),
            stages=(
                StageEntry(
                    name=stage.name,
                    params=stage.params,
                    taught_by=stage.taught_by,
                    validation_agreement=stage.validation_agreement,
                ),
            ),
            previous=champion.digest,
        ),
        export=tools.settings.export,
        scoring=_scoring(champion, tools),
    )
    return make_candidate(
        stage, making, folder=tools.store / "stages" / f"redistill-{run_id}" / "export", progress=progress
    )


def _conclude(
    run_id: str,
    champion: Version,
    candidate: Candidate,
    stage: StageResult,
    fresh: Fresh,
    learned: int,
    tools: Tools,
) -> RedistillReport:
    old = Predictor.load(tools.store / champion.artifact, trust=tools.trust)
    new = Predictor.load(candidate.path, trust=tools.trust)
    holdout = tools.old.holdout
    standing = stand(
        _paired(old, new, holdout.texts, np.asarray(holdout.teacher_probabilities)),
        tolerated=tools.settings.monitor.redistill_drop,
        gate=gate(candidate.manifest.quality, tools.settings.budget),
    )
    found = _compared(old, new, fresh, tools) if standing.passed else None
    decision = judge(standing, found)
    won = decision.kind is DecisionKind.PROMOTE
    if _waits(decision, tools):
        decision = replace(decision, reason=f"{decision.reason} It waits for approval: `coffey promote`.")
    tools.journal.record_decision(decision, key=f"{run_id}/judged")
    measured = _measured(old, new, fresh, tools) if won else None
    contract = _promise(candidate, measured, tools)
    name = _settle(run_id, champion, candidate, stage, decision, contract, tools)
    judged, counts = (measured.judged, measured.counts.tolist()) if measured else (holdout, None)
    keep_reference(candidate, judged, store=tools.store, trust=tools.trust, counts=counts)
    outcome = WAITING if _waits(decision, tools) else decision.kind.value
    tools.journal.record(FINISHED, {"version": name, "kind": outcome}, key=f"{run_id}/{FINISHED}")
    return RedistillReport(
        run_id,
        decision,
        name,
        before=measured.champion if measured else None,
        after=measured.challenger if measured else None,
        labelled=learned + (len(measured.judged.texts) if measured else 0),
        seconds=stage.seconds,
        comparison=found,
    )


def _compared(champion: Predictor, challenger: Predictor, fresh: Fresh, tools: Tools) -> Comparison:
    """Both on all judging texts; the teacher hears few of them."""
    rules = Rules.to_promote(tools.settings)
    requests = Requests(fresh.judge, np.asarray(fresh.counts, dtype=np.float64))
    return compare(champion, challenger, requests, rules, answer=tools.answer).look(rules)


@dataclass(frozen=True, slots=True)
class _Measured:
    """Agreement of both with the teacher on the same fresh requests, whether they differ there or not."""

    champion: Interval
    challenger: Interval
    judged: Holdout
    """Those requests."""
    counts: npt.NDArray[np.float64]


def _measured(champion: Predictor, challenger: Predictor, fresh: Fresh, tools: Tools) -> _Measured | None:
    """Measured on as many judging texts as `monitor.fresh_share` of `monitor.relabel` is.

    None where the teacher answers none of them.
    """
    monitor = tools.settings.monitor
    sample = fresh.first(max(1, round(monitor.relabel * monitor.fresh_share)))
    said = tools.answer(sample.judge)
    texts = tuple(itertools.compress(sample.judge, said.known))
    if not texts:
        return None
    both = _paired(champion, challenger, texts, said.probabilities)
    counts = np.asarray(sample.counts, dtype=np.float64)[said.known]
    before, after = (weighted_share(right, counts) for right in (both.champion, both.challenger))
    return _Measured(before, after, Holdout(texts, said.probabilities), counts)


def _promise(candidate: Candidate, measured: _Measured | None, tools: Tools) -> Contract:
    """On fresh requests for a winner; one that lost keeps that of the holdout, as a first student has it."""
    monitor = tools.settings.monitor
    if measured is None:
        quality = candidate.manifest.quality
        return promise(quality.agreement, quality.examples, "holdout", monitor)
    return promise(measured.challenger, len(measured.judged.texts), "fresh audits", monitor)


def _waits(decision: Decision, tools: Tools) -> bool:
    """Whether a winner is left to people."""
    return decision.kind is DecisionKind.PROMOTE and tools.settings.control.approve


def _settle(
    run_id: str,
    champion: Version,
    candidate: Candidate,
    stage: StageResult,
    decision: Decision,
    contract: Contract,
    tools: Tools,
) -> str:
    """Register the challenger and move the pointers as was decided; again is no change."""
    evidence = {"redistill": run_id, "reason": decision.reason, "numbers": dict(decision.numbers)}
    if _waits(decision, tools):
        evidence["outcome"] = WAITING
    if is_settled(run_id, tools.registry):
        return tools.registry.resolve(candidate.digest).name
    version = register(
        candidate,
        registry=tools.registry,
        store=tools.store,
        student=stage.folder,
        contract=contract,
        who=WHO,
        evidence=evidence,
        displace=False,
    )
    if _waits(decision, tools):
        return version.name
    if decision.kind is DecisionKind.PROMOTE:
        tools.registry.promote(version.name, evidence=evidence, who=WHO, instead_of=champion.name)
    elif tools.registry.alias(CHALLENGER) == version.name:
        moved: dict[str, str | None] = {CHALLENGER: None}
        tools.registry.move(moved, expected={CHALLENGER: version.name}, evidence=evidence, who=WHO)
    return version.name


def forget_samples(store: Path, journal: ControlJournal, before_unix_s: float) -> int:
    """Drop the texts that re-distillations, finished by now, drew before a moment; how many samples.

    The weights keep what was learned; a later re-distillation cannot be taught those texts again.
    """
    forgotten = 0
    for entry in journal.entries("sampled"):
        run_id = str(entry.key).removesuffix("/sampled")
        path = store / "control" / "redistill" / run_id / "sample.json"
        finished = journal.find(f"{run_id}/{FINISHED}") is not None
        if finished and entry.unix_s < before_unix_s and path.exists():
            nothing = canonical_json(asdict(Fresh((), (), ())))
            forgotten += path.read_bytes() != nothing
            write_atomic(path, nothing)
    return forgotten


def is_settled(run_id: str, registry: Registry) -> bool:
    """Whether this run's last move was made: its challenger was promoted, sent away, or left to wait."""
    return any(
        event.evidence.get("redistill") == run_id
        and (
            event.kind == "promote"
            or event.moves.get(CHALLENGER, "") is None
            or (event.evidence.get("outcome") == WAITING and CHALLENGER in event.moves)
        )
        for event in registry.events()
    )


def _paired(
    champion: Predictor, challenger: Predictor, texts: Sequence[str], teacher: npt.NDArray[np.floating]
) -> Paired:
    """How well each agrees with the teacher, as the champion's task reads its answers."""
    scoring = champion.scoring
    said = scoring.answers(teacher)
    return Paired(
        champion=scoring.score(scoring.answers(champion.predict(texts)), said),
        challenger=scoring.score(scoring.answers(challenger.predict(texts)), said),
    )


def _scoring(champion: Version, tools: Tools) -> Scoring:
    """The champion's own: its promise was measured with its threshold."""
    return read_manifest(tools.store / champion.artifact, trust=tools.trust).scoring
