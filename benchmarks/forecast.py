"""Forecast beside actual: probe and pilot first, then the run itself, on the tasks of ../shared.

Each task is planned (`plan --probe --quick --pilot`) before the run is paid for, then distilled and benched;
`plan --reconcile` holds one against the other. `--quick` takes two tasks with fewer rows.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.options import is_missing, make_parser
from benchmarks.tasks import DATA, TASKS, Task, write_project
from coffey.bench.machine import describe_machine
from coffey.bench.versions import versions
from coffey.dashboard.plain import plain
from coffey.dashboard.progress import RichProgress
from coffey.project.project import Project

BOUNDS = {"student_p50_ms": 0.10, "labelling_s": 0.10, "stage_s": 0.15}
"""Largest median of |forecast - actual| / actual, over the pairs."""

MISSES = 1
"""Pairs whose quality may fall outside its 80 % interval: one in five is expected to."""


PILOTED = tuple(task for task in TASKS if task.kind == "text-classification")
"""Pilots foresee the share of equal labels."""


def main() -> int:
    """Run every pair, print one JSON object."""
    parser = make_parser(__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--rows", type=int, default=4000, help="rows to learn from, at most")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seed", type=int, default=17)
    parser.add_argument("--tasks", nargs="*", choices=[task.name for task in PILOTED])
    options = parser.parse_args()
    if is_missing(options.data):
        return 2
    chosen = [task for task in PILOTED if not options.tasks or task.name in options.tasks]
    if options.quick:
        chosen, options.rows, options.epochs = chosen[:2], 1500, 3
    pairs = [_pair(task, options) for task in chosen]
    targets = _targets(pairs)
    result = {
        "targets": targets,
        "pairs": pairs,
        "rows": options.rows,
        "epochs": options.epochs,
        "seed": options.seed,
        "machine": plain(describe_machine()),
        "versions": plain(versions()),
    }
    print(json.dumps(result))
    return 0 if all(target["met"] for target in targets.values()) else 1


def _pair(task: Task, options: argparse.Namespace) -> dict[str, Any]:
    """One task: what was forecast, what happened."""
    with tempfile.TemporaryDirectory(prefix="coffey-bench-") as scratch, RichProgress() as progress:
        folder = Path(scratch)
        config = write_project(
            task,
            options.data,
            folder,
            rows=options.rows,
            holdout=1500,
            epochs=options.epochs,
            seed=options.seed,
            progress=progress,
        )
        project = Project.load(config, progress=progress)
        progress.say(f"{task.name}: forecast")
        plan = project.plan(probe=True, quick=True, pilot=True)
        progress.say(f"{task.name}: run")
        made = project.distill()
        project.bench(made.artifact, seconds=3, http=False)
        found = project.reconcile()
        quality = [_quality(pilot, plain(stage)) for pilot, stage in _matched(plan["pilot"], made.stages)]
        for one in quality:
            progress.say(f"{task.name}: {_words(one)}")
    return {
        "task": task.name,
        "stages": list(task.stages),
        "rows": plan["figures"]["transfer_rows"]["value"],
        "figures": found["figures"],
        "quality": quality,
    }


def _matched(pilots: list[dict[str, Any]], stages: Any) -> list[tuple[dict[str, Any], Any]]:
    by_name = {stage.name: stage for stage in stages}
    return [(pilot, by_name[pilot["name"]]) for pilot in pilots]


def _quality(pilot: dict[str, Any], stage: Any) -> dict[str, Any]:
    foreseen = pilot["retention"] or pilot["agreement"]
    actual = stage["quality"][foreseen["measure"]]["value"]
    return {
        "stage": pilot["name"],
        "measure": foreseen["measure"],
        "forecast": foreseen["value"],
        "low": foreseen["low"],
        "high": foreseen["high"],
        "actual": actual,
        "covered": foreseen["low"] <= actual <= foreseen["high"],
    }


def _words(quality: dict[str, Any]) -> str:
    """One stage in a line, so that a run that is ended early has said something."""
    foreseen = f"{quality['forecast']:.3f} ({quality['low']:.3f} to {quality['high']:.3f})"
    held = "within" if quality["covered"] else "outside"
    reached = f"{quality['actual']:.3f} reached, {held}"
    return f"{quality['stage']}, {quality['measure']}: {foreseen} foreseen, {reached}"


def _targets(pairs: list[dict[str, Any]]) -> dict[str, Any]:
    targets: dict[str, Any] = {}
    for kind, bound in BOUNDS.items():
        errors = [
            abs(row["error"])
            for pair in pairs
            for row in pair["figures"]
            if row["name"].split(":")[0] == kind and row["error"] is not None
        ]
        value = median(errors) if errors else None
        targets[f"{kind} median error"] = {
            "value": value,
            "bound": bound,
            "met": value is not None and value <= bound,
        }
    shipped = [pair["quality"][-1] for pair in pairs]
    covered = sum(quality["covered"] for quality in shipped)
    bound = len(shipped) - MISSES
    targets["80 % quality intervals that cover"] = {"value": covered, "bound": bound, "met": covered >= bound}
    return targets


if __name__ == "__main__":
    sys.exit(main())
