"""CLINC150: 150 intents, a frozen MiniLM with a fitted head as teacher, students of 4M and 2M parameters.

Data: Larson et al. 2019, CC BY 3.0, https://github.com/clinc/oos-eval (data_full.json); out-of-scope queries
are left out.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from coffey.cli.demo import draw_models
from coffey.cli.distill import draw
from coffey.cli.output import people
from coffey.core.files import write_atomic
from coffey.core.progress import Progress
from coffey.dashboard.plain import plain
from coffey.dashboard.progress import RichProgress
from coffey.distill.threads import fastest_threads
from coffey.monitor.sample import thin
from coffey.project.demo.outcome import model_table
from coffey.project.demo.setup import model_folder
from coffey.project.project import Project
from coffey.teacher.embedding import embed
from coffey.teacher.head import fit_head, save_head

HERE = Path(__file__).parent
DATA = HERE.parent.parent / "shared" / "data" / "clinc150" / "data_full.json"
MAX_LENGTH = 32
L2 = 1 / (20 * 15_000)
"""`C = 20` of scikit-learn on 15,000 texts."""

CONFIG = """\
[project]
name = "clinc150"

[task]
text = "text"
label = "intent"

[teacher]
kind = "transformers"
source = {source}
head = "head.safetensors"
max_length = {max_length}
threads = {threads}
cost = {{ usd_per_hour = 0.17 }}

[data]
transfer = "transfer.jsonl"
holdout = "holdout.jsonl"

[chain]
stages = {stages}
seed = {seed}
epochs = {epochs}
max_length = {max_length}
threads = {threads}

[budget]
min_retention = 0.95

[economics]
requests_per_day = 10_000_000
student_usd_per_hour = 0.17
people_hours = 8
"""


def main() -> int:
    """Prepare what is missing, distill with control arms, bench, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="data_full.json of CLINC150")
    parser.add_argument("--folder", type=Path, default=Path("clinc150"), help="keeps everything that is made")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--compare", action="store_true", help="train the control arms too")
    options = parser.parse_args()
    if not options.data.exists():
        print(f"Skipped: {options.data} is not here. Name it with --data.", file=sys.stderr)
        return 2
    with RichProgress() as progress:
        prepare(options.data, options.folder, options.epochs, progress)
        project = Project.load(options.folder / "coffey.toml", progress=progress)
        plan = project.plan(probe=True)
        made = project.distill(compare=options.compare)
        timed = project.bench(made.artifact, seconds=5)
        plan = project.plan()
    console = people()
    console.print(draw(made))
    console.print(draw_models(model_table(plain(made), plain(timed), plain(plan))))
    return 0 if made.gate.passed else 1


def prepare(
    data: Path,
    folder: Path,
    epochs: int,
    progress: Progress,
    *,
    limit: int | None = None,
    stages: Sequence[str] = ("4M", "2M"),
    seed: int = 17,
    config: str = "coffey.toml",
) -> None:
    """Data as JSONL (every n-th row, `limit` of each set at most), the teacher's head, and `config`."""
    read = json.loads(data.read_text())
    rows = {name: thin(read[name], limit or len(read[name])) for name in ("train", "test")}
    write_jsonl(folder / "transfer.jsonl", rows["train"])
    write_jsonl(folder / "holdout.jsonl", rows["test"])
    source = model_folder()
    head = folder / "head.safetensors"
    if not head.exists():
        intents = sorted({intent for _, intent in rows["train"]})
        progress.start("teacher", None, "texts")
        found = embed(str(source), [text for text, _ in rows["train"]], max_length=MAX_LENGTH)
        targets = np.array([intents.index(intent) for _, intent in rows["train"]])
        save_head(head, fit_head(found, targets, classes=intents, l2=L2))
        progress.finish("teacher", "a head on all-MiniLM-L6-v2")
    if not (folder / config).exists():
        text = CONFIG.format(
            source=json.dumps(str(source)),
            max_length=MAX_LENGTH,
            threads=fastest_threads(),
            epochs=epochs,
            stages=json.dumps(list(stages)),
            seed=seed,
        )
        write_atomic(folder / config, text.encode())


def write_jsonl(path: Path, rows: Iterable[tuple[str, str]]) -> None:
    """One object a line."""
    lines = [json.dumps({"text": text, "intent": intent}) for text, intent in rows]
    write_atomic(path, ("\n".join(lines) + "\n").encode())


if __name__ == "__main__":
    sys.exit(main())
