"""Traffic that drifts as real traffic did: the alarm, the repair, and the teacher's calls they took.

Titles of computer science that were learned up to 2011 are asked year by year to 2019; of CLINC150's ten
domains two come into use later and grow. A frozen MiniLM with a head that knows all times and topics is the
teacher. A real server answers and logs over HTTP and draws the audits, `tick` comes after every 500 requests.
The drop that counts is that of the first champion on all requests by the teacher's answers to all of them,
its agreement since the change fitted to fall and never rise (isotonic). A student trained on everything is
distilled anew from what the first one learned and all requests so far; held-out texts of the same time judge.
`--quick` takes CLINC150 alone.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import isotonic_regression

from benchmarks.drift_streams import Stream, arxiv_years, clinc_domains
from benchmarks.options import at_most, is_missing, make_parser
from benchmarks.tasks import DATA, TASKS, fit_teacher, write_jsonl
from coffey.artifact.predictor import Predictor
from coffey.bench.machine import describe_machine
from coffey.bench.versions import versions
from coffey.core.progress import Progress
from coffey.core.records import DecisionKind, Interval
from coffey.dashboard.plain import plain
from coffey.dashboard.progress import RichProgress
from coffey.project.demo.replay import replay
from coffey.project.demo.serving import server_of, wait_logged, wait_served
from coffey.project.demo.setup import model_folder
from coffey.project.project import Project
from coffey.project.tick_result import TickResult
from coffey.registry.protocol import CHAMPION
from coffey.stats.intervals import paired_difference

EVERY = 500
"""Requests between two ticks."""
BLOCK = 250
"""Requests that the true drop is the mean of, before it is fitted."""
AROUND = 1500
"""Held-out texts of so many requests before and after a repair judge it."""
DROP, BEHIND, CALLS = 0.05, 0.01, 0.5
"""Targets: agreement lost before the alarm, agreement under a student trained on everything, the teacher's
calls over those of labelling every request."""

CONFIG = """\
[project]
name = "{name}"
[teacher]
kind = "transformers"
source = {source}
head = {head}
max_length = 32
threads = 1
[data]
transfer = "transfer.jsonl"
holdout = "holdout.jsonl"
[chain]
stages = ["700K"]
epochs = 8
max_length = 32
threads = 1
[budget]
min_agreement = 0.3
[economics]
requests_per_day = 10_000_000
student_usd_per_hour = 0.17
[monitor]
audit_probability = 0.3
redistill_epochs = 8
[serve]
follow_seconds = 0.5
"""

Right = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one tick saw and did."""

    requests: int
    """Of the stream, so far."""
    decision: str
    alarm: bool
    audits: int
    agreement: Interval | None
    calls: int
    """Answers of the teacher since the first student was made."""
    redistilled: str | None
    comparison: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A stream, served and watched to its end."""

    project: Project
    champions: Sequence[str]
    """Their digests, oldest first."""
    looks: Sequence[Look]

    @property
    def alarm(self) -> Look | None:
        """The first."""
        return next((look for look in self.looks if look.alarm), None)

    @property
    def repair(self) -> Look | None:
        """The last re-distillation that replaced the champion."""
        kept = [look for look in self.looks if look.redistilled == DecisionKind.PROMOTE.value]
        return kept[-1] if kept else None

    def predictor(self, digest: str) -> Predictor:
        """One of the champions."""
        space = self.project.workspace
        return Predictor.load(space.store / space.registry.resolve(digest).artifact, trust=space.trust)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Agreement with the teacher on texts that nobody learned, around the last repair or else at the end."""

    at: int
    """Requests before it."""
    texts: int
    first: float
    """Of the first student."""
    before: float
    """Of the champion but one; of the first where it was never replaced."""
    after: float
    """Of the champion."""
    everything: float
    """Of a student that learned from the teacher's answer to every request so far."""
    behind: Interval
    """The latter less `after`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What became of one stream."""

    requests: int
    stable: int
    looks: Sequence[Look]
    alarm: Look | None
    """The first."""
    drops: dict[int, float]
    """What the first champion had lost after so many requests."""
    repair: Look | None
    """The last."""
    judged: Judged

    def targets(self) -> dict[str, dict[str, object]]:
        """Where no alarm came, all that was lost counts, and the champion as it is."""
        calm = [look for look in self.looks if look.requests <= self.stable]
        lost = self.drops[(self.alarm or self.looks[-1]).requests]
        return {
            "false_alarms": at_most(sum(look.alarm for look in calm), 0),
            "drop_at_alarm": at_most(lost, DROP),
            "behind_everything": at_most(self.judged.behind.value, BEHIND),
            "calls_over_labelling_all": at_most(self.looks[-1].calls / self.requests, CALLS),
        }


def main() -> int:
    """Run, print one JSON object."""
    parser = make_parser(__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if is_missing(options.data):
        return 2
    rng = np.random.default_rng(options.seed)
    streams = [clinc_domains(options.data, rng)]
    streams += [] if options.quick else [arxiv_years(options.data, rng)]
    found = {}
    with tempfile.TemporaryDirectory(prefix="coffey-bench-") as scratch, RichProgress() as progress:
        for stream in streams:
            found[stream.name] = run(stream, Path(scratch) / stream.name, progress)
            progress.say(f"{stream.name}: {found[stream.name].targets()}")
    targets = {f"{name}_{what}": row for name, one in found.items() for what, row in one.targets().items()}
    result = {"targets": targets, "streams": plain(found), "machine": plain(describe_machine())}
    print(json.dumps(result | {"versions": versions()}))
    return 0 if all(row["met"] for row in targets.values()) else 1


def run(stream: Stream, folder: Path, progress: Progress) -> Found:
    """What became of one stream."""
    watched = watch(stream, begin(stream, folder / "watched", progress), progress)
    at = watched.repair.requests if watched.repair else len(stream.served)
    whole = train_on_everything(stream, at, watched.project, folder / "everything", progress)
    right = agreement(watched.predictor(watched.champions[0]), whole, stream.served)
    lost = drops(right[: stream.stable], right[stream.stable :])
    return Found(
        requests=len(stream.served),
        stable=stream.stable,
        looks=watched.looks,
        alarm=watched.alarm,
        drops={look.requests: lost[look.requests - 1] for look in watched.looks},
        repair=watched.repair,
        judged=judge(stream, watched, whole, at),
    )


def begin(stream: Stream, folder: Path, progress: Progress) -> Project:
    """A project whose first student is the champion."""
    task = next(task for task in TASKS if task.name == stream.name)
    fit_teacher(folder / "head.safetensors", stream.taught, task, progress)
    project = write_project(stream, stream.transfer, folder, folder / "head.safetensors", progress)
    project.distill(report=False)
    project.promote(reason="the first student")
    return project


def write_project(
    stream: Stream, texts: Sequence[str], folder: Path, head: Path, progress: Progress
) -> Project:
    """What is learned from and judged by, unlabelled, and the teacher to ask."""
    write_jsonl(folder / "transfer.jsonl", [(text, "") for text in texts])
    write_jsonl(folder / "holdout.jsonl", [(text, "") for text in stream.holdout])
    config = CONFIG.format(
        name=stream.name, source=json.dumps(str(model_folder())), head=json.dumps(str(head))
    )
    (folder / "coffey.toml").write_text(config)
    return Project.load(folder / "coffey.toml", progress=progress)


def watch(stream: Stream, project: Project, progress: Progress) -> Watched:
    """Serve everything, one tick after every few hundred requests."""
    space = project.workspace
    known = space.labels.count()
    champions = [space.registry.resolve(CHAMPION).digest]
    looks: list[Look] = []
    with server_of(space.folder / "coffey.toml") as url:
        for start in range(0, len(stream.served), EVERY):
            texts = stream.served[start : start + EVERY]
            replay(url, texts, task=f"{stream.name} {start:,}", progress=progress)
            wait_logged(url)
            report = Project.load(space.folder / "coffey.toml", progress=progress).tick()
            looks.append(look_of(report, start + len(texts), calls=_stored(project) - known))
            progress.say(f"{looks[-1].requests:,} requests: {report.decision.reason}")
            digest = space.registry.resolve(CHAMPION).digest
            if digest != champions[-1]:
                champions.append(digest)
                wait_served(url, digest)
    return Watched(project=project, champions=champions, looks=looks)


def look_of(report: TickResult, requests: int, *, calls: int) -> Look:
    """A tick in figures."""
    agreed, mended = report.agreement, report.redistilled
    return Look(
        requests=requests,
        decision=report.decision.kind.value,
        alarm=report.alarm,
        audits=agreed.audits if agreed else 0,
        agreement=agreed.overall if agreed else None,
        calls=calls,
        redistilled=mended.decision.kind.value if mended else None,
        comparison=mended.comparison if mended else None,
    )


def _stored(project: Project) -> int:
    project.workspace.labels.refresh()
    return project.workspace.labels.count()


@dataclass(frozen=True, slots=True)
class Whole:
    """A student that learned from everything, and the teacher that has answered everything."""

    student: Predictor
    project: Project

    def teacher(self, texts: Sequence[str]) -> npt.NDArray[np.intp]:
        """The label that the teacher gives each text."""
        return self.project.workspace.answer(texts).argmax(axis=1)


def train_on_everything(stream: Stream, at: int, watched: Project, folder: Path, progress: Progress) -> Whole:
    """Distilled from the transfer set and all requests so far, every one of them labelled."""
    space = watched.workspace
    texts = [*stream.transfer, *stream.served[:at]]
    shutil.copytree(space.store / "labels", folder / ".coffey" / "labels")
    project = write_project(stream, texts, folder, space.folder / "head.safetensors", progress)
    made = project.distill(report=False)
    return Whole(Predictor.load(Path(made.artifact), trust=project.workspace.trust), project)


def agreement(student: Predictor, whole: Whole, texts: Sequence[str]) -> Right:
    """1 where student and teacher give a text the same label [texts]."""
    return (student.predict(texts).argmax(axis=1) == whole.teacher(texts)).astype(np.float64)


def drops(calm: Right, changing: Right) -> list[float]:
    """What was lost against the calm stretch, after each request; 0 within it."""
    blocks = np.array_split(changing, max(1, len(changing) // BLOCK))
    fitted = isotonic_regression([block.mean() for block in blocks], increasing=False).x
    lost = np.repeat(calm.mean() - fitted, [len(block) for block in blocks])
    return [0.0] * len(calm) + lost.tolist()


def judge(stream: Stream, watched: Watched, whole: Whole, at: int) -> Judged:
    """Before and after the last repair, and after learning everything, on the same held-out texts."""
    texts = stream.beside_around(at, AROUND)
    champions = (watched.champions[0], watched.champions[-2:][0], watched.champions[-1])
    first, before, after = (agreement(watched.predictor(one), whole, texts) for one in champions)
    everything = agreement(whole.student, whole, texts)
    return Judged(
        at=at,
        texts=len(texts),
        first=float(first.mean()),
        before=float(before.mean()),
        after=float(after.mean()),
        everything=float(everything.mean()),
        behind=paired_difference(everything, after, seed=17),
    )


if __name__ == "__main__":
    sys.exit(main())
