"""Retention of students 3 to 100 times smaller than a fine-tuned MiniLM, on six tasks, against labels alone.

One chain a task and seed: each student teaches the next. Every student is exported, quantized and judged as
the artifact that ships, on the same holdout as its teacher; beside it stands the same student trained on the
hard labels alone, at the chain's compute. What was finished is kept in `--folder`: a run that was cut off
goes on. `--quick` takes two tasks, one seed, fewer rows and two sizes.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np

from benchmarks.options import is_missing, make_parser
from benchmarks.tasks import DATA, TASKS, Sizes, write_tuned_project
from coffey.artifact.predictor import Predictor
from coffey.bench.machine import describe_machine
from coffey.bench.versions import versions
from coffey.control.candidate import make_candidate
from coffey.core.progress import Silent
from coffey.dashboard.plain import plain
from coffey.distill.chain import run_chain
from coffey.distill.controls import labels_only
from coffey.distill.records import ChainRequest, ChainResult
from coffey.project.distilling import Lesson, chain_request, making_of, prepare
from coffey.project.project import Project
from coffey.project.workspace import Workspace
from coffey.stats.intervals import paired_difference, paired_ratio

BOUNDS = {"7M": 0.99, "2.3M": 0.98, "700K": 0.95, "230K": 0.90, "static:220K": 0.90}
"""Least retention of each student, as the median over the tasks; 3 to 100 times fewer parameters."""

TASK_NAMES = ("clinc150", "snips", "sst", "trec", "goemotions", "tweets")
QUICK_TASKS = ("trec", "snips")
HOLDOUT = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One chain: a task and a seed."""

    task: str
    seed: int
    rows: int
    epochs: int
    stages: tuple[str, ...]
    folder: str
    data: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One student of one chain, on the rows of the holdout."""

    task: str
    seed: int
    stage: str
    params: int
    teacher_params: int
    variant: str
    seconds: float
    teacher: tuple[float, ...]
    """Score of the teacher on each row."""
    student: tuple[float, ...]
    """Of the artifact that ships."""
    control: tuple[float, ...]
    """Of the same student trained on labels alone, as its artifact."""


def main() -> int:
    """Run every chain, print one JSON object."""
    parser = make_parser(__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--folder", type=Path, help="keeps what was finished; a temporary one when absent")
    parser.add_argument("--rows", type=int, default=6000, help="rows to learn from, at most")
    parser.add_argument("--epochs", type=int, default=12, help="of each stage, at most")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2, help="chains at once, each on one thread")
    parser.add_argument("--tasks", nargs="*", choices=[task.name for task in TASKS])
    options = parser.parse_args()
    if is_missing(options.data):
        return 2
    with tempfile.TemporaryDirectory(prefix="coffey-bench-") as scratch:
        found = _all(_jobs(options, options.folder or Path(scratch)), options.jobs)
    result = report(found)
    print(json.dumps(result | _circumstances(options)))
    return 0 if all(target["met"] for target in result["targets"].values()) else 1


def _jobs(options: argparse.Namespace, folder: Path) -> list[Job]:
    names = options.tasks or TASK_NAMES
    seeds, rows, epochs, stages = options.seeds, options.rows, options.epochs, tuple(BOUNDS)
    if options.quick:
        names, seeds, rows, epochs, stages = QUICK_TASKS, 1, 1000, 6, ("2.3M", "static:220K")
    return [
        Job(
            task=name,
            seed=17 + seed,
            rows=rows,
            epochs=epochs,
            stages=stages,
            folder=str(folder / f"{name}-{17 + seed}"),
            data=str(options.data),
        )
        for seed in range(seeds)
        for name in names
    ]


def _all(jobs: Sequence[Job], at_once: int) -> list[Judged]:
    found: list[Judged] = []
    with ProcessPoolExecutor(at_once, mp_context=get_context("spawn")) as pool:
        running = {pool.submit(run_job, job): job for job in jobs}
        for done in as_completed(running):
            job = running[done]
            found += done.result()
            print(f"{job.task}, seed {job.seed}: done ({len(found)} students)", file=sys.stderr, flush=True)
    return found


def run_job(job: Job) -> list[Judged]:
    """Prepare a project, train its chain and the controls, judge what ships. Runs in a process of its own."""
    task = next(task for task in TASKS if task.name == job.task)
    folder = Path(job.folder)
    if not (folder / "coffey.toml").exists():
        sizes = Sizes(rows=job.rows, holdout=HOLDOUT, epochs=job.epochs, seed=job.seed)
        write_tuned_project(replace(task, stages=job.stages), Path(job.data), folder, sizes, Silent())
    space = Project.load(folder / "coffey.toml").workspace
    lesson = prepare(space)
    request = chain_request(space, lesson, folder / "stages")
    chain = run_chain(request, progress=space.progress)
    return list(_judged(job, space, lesson, request, chain))


def _judged(
    job: Job, space: Workspace, lesson: Lesson, request: ChainRequest, chain: ChainResult
) -> Iterator[Judged]:
    holdout, scoring = lesson.holdout, lesson.scoring
    assert holdout.hard_labels is not None
    truth = np.asarray(holdout.hard_labels)

    def scores(probabilities: np.ndarray) -> tuple[float, ...]:
        return tuple(np.asarray(scoring.score(scoring.answers(probabilities), truth), dtype=float).tolist())

    for index, stage in enumerate(chain.stages):
        upto = chain.stages[: index + 1]
        place = request.folder / f"alone-{index + 1}"
        alone = labels_only(replace(request, folder=place), ChainResult(upto), progress=space.progress)
        shipped = [
            make_candidate(one, making_of(space, lesson, lineage), folder=where, progress=space.progress)
            for one, lineage, where in (
                (stage, upto, request.folder / f"export-{index + 1}"),
                (alone, (alone,), place / "export"),
            )
        ]
        answered = [Predictor.load(one.path, trust=space.trust).predict(holdout.texts) for one in shipped]
        yield Judged(
            task=job.task,
            seed=job.seed,
            stage=job.stages[index],
            params=shipped[0].manifest.params,
            teacher_params=space.teacher.params or 0,
            variant=shipped[0].manifest.quantization.variant,
            seconds=stage.seconds,
            teacher=scores(holdout.teacher_probabilities),
            student=scores(answered[0]),
            control=scores(answered[1]),
        )


def report(found: Sequence[Judged]) -> dict[str, Any]:
    """Targets, and one row a task and size."""
    rows = [_row(same) for same in _grouped(found)]
    targets: dict[str, Any] = {}
    for stage, bound in BOUNDS.items():
        reached = [row["retention"]["value"] for row in rows if row["stage"] == stage]
        if reached:
            value = median(reached)
            targets[f"retention of {stage}, median"] = {
                "value": value,
                "bound": bound,
                "met": value >= bound,
            }
    won = sum(row["over_labels_alone"]["low"] > 0 for row in rows)
    targets["students above labels alone, interval over 0"] = {
        "value": won / len(rows),
        "bound": 0.5,
        "met": won > len(rows) / 2,
    }
    return {"targets": targets, "students": rows}


def _grouped(found: Sequence[Judged]) -> list[list[Judged]]:
    groups: dict[tuple[str, str], list[Judged]] = {}
    for one in sorted(found, key=lambda one: (one.task, -one.params, one.seed)):
        groups.setdefault((one.task, one.stage), []).append(one)
    return list(groups.values())


def _row(same: Sequence[Judged]) -> dict[str, Any]:
    """Every seed is judged on the same rows: its scores are averaged row by row, and rows are resampled."""
    student, teacher, control = (
        np.mean([getattr(one, who) for one in same], axis=0) for who in ("student", "teacher", "control")
    )
    first = same[0]
    return {
        "task": first.task,
        "stage": first.stage,
        "params": first.params,
        "params_ratio": first.teacher_params / first.params,
        "variant": first.variant,
        "seeds": len(same),
        "teacher": float(teacher.mean()),
        "student": float(student.mean()),
        "labels_alone": float(control.mean()),
        "retention": plain(paired_ratio(student, teacher, seed=0)),
        "retention_by_seed": [mean(one.student) / mean(one.teacher) for one in same],
        "over_labels_alone": plain(paired_difference(student, control, seed=0)),
        "training_s": mean(one.seconds for one in same),
    }


def _circumstances(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "rows": options.rows,
        "epochs": options.epochs,
        "seeds": options.seeds,
        "jobs": options.jobs,
        "machine": plain(describe_machine()),
        "versions": plain(versions()),
    }


if __name__ == "__main__":
    sys.exit(main())
