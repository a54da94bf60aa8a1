"""CLINC150 in three stages, 33 times smaller: 22.7M to 7M, 2.3M, 700K, the ratios of 1B to 300M, 100M, 30M.

For every seed: the chain, the direct jump and the label-only student at equal compute, what the proof keeps,
and the artifact that ships. Seeds share one folder, so the teacher is asked once; a second run resumes.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recipes.clinc150 import DATA, prepare

from coffey.core.files import write_atomic
from coffey.dashboard import figures
from coffey.dashboard.plain import plain
from coffey.dashboard.progress import RichProgress
from coffey.project.project import Project

STAGES = ("7M", "2.3M", "700K")
FIRST_SEED = 17
QUALITIES = ("accuracy", "agreement", "retention")

Run = Mapping[str, Any]
"""What `coffey distill --compare --json` prints."""


def main() -> int:
    """One distillation a seed; the table as Markdown on stdout (or JSON), both in the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="data_full.json of CLINC150")
    parser.add_argument("--folder", type=Path, default=Path("chain33"), help="keeps everything that is made")
    parser.add_argument("--seeds", type=int, default=3, help="how many, from 17 on")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--rows", type=int, help="of each set, at most: a first look instead of the table")
    parser.add_argument("--json", action="store_true", help="print the JSON object instead of the table")
    options = parser.parse_args()
    if not options.data.exists():
        print(f"Skipped: {options.data} is not here. Name it with --data.", file=sys.stderr)
        return 2
    seeds = range(FIRST_SEED, FIRST_SEED + options.seeds)
    with RichProgress() as progress:
        runs = []
        for seed in seeds:
            config = f"seed-{seed}.toml"
            prepare(
                options.data,
                options.folder,
                options.epochs,
                progress,
                limit=options.rows,
                stages=STAGES,
                seed=seed,
                config=config,
            )
            project = Project.load(options.folder / config, progress=progress)
            runs.append(plain(project.distill(compare=True, report=False)))
    result = {"seeds": list(seeds), "students": students(runs), "runs": runs}
    table = markdown(result)
    write_atomic(options.folder / "chain33.json", json.dumps(result, indent=1).encode())
    write_atomic(options.folder / "chain33.md", table.encode())
    print(json.dumps(result) if options.json else table)
    return 0 if all(run["gate"]["passed"] for run in runs) else 1


def students(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Every student with its figures of all seeds; a route that not every seed trained has fewer of them."""
    found: dict[str, list[Run]] = {}
    for run in runs:
        for name, one in named(run).items():
            found.setdefault(name, []).append(one)
    return [
        {
            "name": name,
            "seeds": len(seen),
            "params": seen[0]["params"],
            "seconds": [one["seconds"] for one in seen if "seconds" in one],
            **{measure: [_value(one, measure) for one in seen] for measure in QUALITIES},
        }
        for name, seen in found.items()
    ]


def named(run: Run) -> dict[str, Run]:
    """The students of one run, by what the table calls them."""
    controls = (run["controls"]["direct"], run["controls"]["labels_only"])
    last = run["stages"][-1]
    rows = {f"stage {one['name']}": one for one in run["stages"][:-1]}
    rows[f"chain, {last['name']}"] = last
    rows |= {f"{one['name']}, {last['name']}": one for one in (*controls, *run["proof"]["routes"])}
    return rows | {f"what ships ({run['student']['variant']})": run["student"]}


def markdown(result: Mapping[str, Any]) -> str:
    """Medians over the seeds, with the range; then what was decided and compared for each seed."""
    lines = [
        f"| student | parameters | seeds | {' | '.join(QUALITIES)} | training |",
        "|---|---:|---:|" + "---:|" * (len(QUALITIES) + 1),
    ]
    for one in result["students"]:
        qualities = " | ".join(_spread(one[measure]) for measure in QUALITIES)
        seconds = figures.seconds(statistics.median(one["seconds"])) if one["seconds"] else ""
        lines.append(
            f"| {one['name']} | {figures.count(one['params'])} | {one['seeds']} | {qualities} | {seconds} |"
        )
    for seed, run in zip(result["seeds"], result["runs"], strict=True):
        lines += ["", f"Seed {seed}: the {run['proof']['shipped']} ships.", ""]
        lines += [
            f"- {one['stage']} is {'kept' if one['kept'] else 'dropped'}: {one['reason']}"
            for one in run["proof"]["decisions"]
        ]
        lines += [f"- {one['verdict']}" for one in run["controls"]["comparisons"]]
    return "\n".join(lines)


def _value(student: Run, measure: str) -> float:
    found = student.get("quality", student)[measure]
    return float(found["value"])


def _spread(values: Sequence[float]) -> str:
    middle = figures.share(statistics.median(values), 3)
    if len(values) == 1:
        return middle
    return f"{middle} ({figures.share(min(values), 3)}–{figures.share(max(values), 3)})"


if __name__ == "__main__":
    sys.exit(main())
