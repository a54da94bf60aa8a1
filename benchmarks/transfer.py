"""What is transferred: the teacher's answers alone, hints, relations or both beside them; and first weights.

All arms have the same students, texts, steps and seeds, and first weights from the teacher, but for the arm
`scratch`. `--quick` takes two tasks, three arms, one student and one seed. The data is looked for in
../shared.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.options import is_missing, make_parser
from benchmarks.tasks import DATA, TASKS, Task, write_project
from coffey.bench.machine import describe_machine
from coffey.core.progress import Progress
from coffey.core.settings import ChainSettings
from coffey.dashboard.plain import plain
from coffey.dashboard.progress import RichProgress
from coffey.distill.answers import answer
from coffey.distill.batches import tokenize
from coffey.distill.chain import run_chain
from coffey.distill.loop import compare
from coffey.distill.records import ChainRequest
from coffey.export.package import Holdout
from coffey.project.distilling import chain_request, prepare
from coffey.project.project import Project
from coffey.students.checkpoint import load_student

NAMES = ("clinc150", "trec", "sst", "tweets")
HINT, RELATION = 0.3, 10.0


class Arm(NamedTuple):
    """The settings of `[chain]` that an arm decides."""

    hint_weight: float
    relation_weight: float
    initialize: str = "teacher"


ARMS = {
    "answers": Arm(0.0, 0.0),
    "hints": Arm(HINT, 0.0),
    "relations": Arm(0.0, RELATION),
    "both": Arm(HINT, RELATION),
    "scratch": Arm(HINT, RELATION, "scratch"),
}

_SETTINGS = ChainSettings()
DEFAULT = Arm(_SETTINGS.hint_weight, _SETTINGS.relation_weight, _SETTINGS.initialize)
"""The arm that is judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """One student, judged on the holdout."""

    task: str
    stage: str
    seed: int
    arm: str
    params: int
    steps: int
    seconds: float
    agreement: float
    kl: float
    """Mean KL(teacher || student), in nats."""
    accuracy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """An arm less answers alone: means over the seeds. A KL that falls is better."""

    task: str
    stage: str
    arm: str
    agreement: float
    accuracy: float
    kl: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """How much is trained."""

    stages: tuple[str, ...]
    seeds: tuple[int, ...]
    rows: int
    holdout: int
    epochs: int
    arms: tuple[str, ...] = tuple(ARMS)


FULL = Amount(stages=("700K", "2M"), seeds=(1, 2), rows=2500, holdout=800, epochs=8)
QUICK = Amount(
    stages=("700K",), seeds=(1,), rows=1200, holdout=500, epochs=6, arms=("answers", "both", "scratch")
)


def main() -> int:
    """Run, print one JSON object."""
    parser = make_parser(__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    options = parser.parse_args()
    if is_missing(options.data):
        return 2
    amount, names = (QUICK, NAMES[1:3]) if options.quick else (FULL, NAMES)
    trained: list[Trained] = []
    with tempfile.TemporaryDirectory(prefix="coffey-bench-") as scratch, RichProgress() as progress:
        for task in (task for task in TASKS if task.name in names):
            trained += _run_task(task, options.data, Path(scratch) / task.name, amount, progress)
    gains = gains_of(trained)
    judged = next(name for name, arm in ARMS.items() if arm == DEFAULT)
    value = float(np.median([gain.kl for gain in gains if gain.arm == judged]))
    target = {"value": value, "bound": 0.0, "met": value < 0.0}
    result = {
        "targets": {"kl_against_answers_alone": target},
        "gains": [asdict(gain) for gain in gains],
        "students": [asdict(one) for one in trained],
        "machine": plain(describe_machine()),
    }
    print(json.dumps(result))
    return 0 if target["met"] else 1


def gains_of(trained: Sequence[Trained]) -> list[Gain]:
    """What every arm but the first adds to answers alone, for every task and student."""
    cases = sorted({(one.task, one.stage) for one in trained})
    arms = [arm for arm in ARMS if any(one.arm == arm for one in trained)]
    return [
        Gain(
            task=task,
            stage=stage,
            arm=arm,
            agreement=_added(trained, task, stage, arm, "agreement"),
            accuracy=_added(trained, task, stage, arm, "accuracy"),
            kl=_added(trained, task, stage, arm, "kl"),
        )
        for task, stage in cases
        for arm in arms
        if arm != "answers"
    ]


def _added(trained: Sequence[Trained], task: str, stage: str, arm: str, measure: str) -> float:
    alone, more = (
        [getattr(one, measure) for one in trained if (one.task, one.stage, one.arm) == (task, stage, name)]
        for name in ("answers", arm)
    )
    return float(np.mean(more) - np.mean(alone))


def _run_task(task: Task, data: Path, folder: Path, amount: Amount, progress: Progress) -> list[Trained]:
    path = write_project(
        task,
        data,
        folder,
        rows=amount.rows,
        holdout=amount.holdout,
        epochs=amount.epochs,
        seed=1,
        progress=progress,
    )
    space = Project.load(path, progress=progress).workspace
    lesson = prepare(space)
    request = chain_request(space, lesson, folder)
    return [
        _train(task.name, request, lesson.holdout, stage=stage, seed=seed, arm=arm, progress=progress)
        for seed in amount.seeds
        for stage in amount.stages
        for arm in amount.arms
    ]


def _train(
    task: str,
    request: ChainRequest,
    holdout: Holdout,
    *,
    stage: str,
    seed: int,
    arm: str,
    progress: Progress,
) -> Trained:
    changed = replace(
        request,
        stages=(stage,),
        settings=replace(request.settings, seed=seed, **ARMS[arm]._asdict()),
        folder=request.folder / f"{stage}-{seed}-{arm}",
    )
    made = run_chain(changed, progress=progress).final
    saved = load_student(made.folder)
    texts = tokenize(saved.tokenizer, holdout.texts, max_length=made.shape.max_length)
    said = answer(saved.student, texts, np.arange(len(texts)))
    agreement, kl = compare(said, np.asarray(holdout.teacher_probabilities))
    return Trained(
        task=task,
        stage=stage,
        seed=seed,
        arm=arm,
        params=made.params,
        steps=made.steps,
        seconds=made.seconds,
        agreement=agreement,
        kl=kl,
        accuracy=float((said.argmax(axis=1) == np.asarray(holdout.hard_labels)).mean()),
    )


if __name__ == "__main__":
    sys.exit(main())
