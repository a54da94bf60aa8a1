"""Coffey's students against those of other tools: same machine, data, teacher, size and training time.

Coffey distills first, from data and teacher to a student; the processor time of that (asking the teacher,
made texts included, and training) is what every peer may train for. Peers train the same shape with the same
tokenizer, batch, temperature and weight of the hard labels, from random weights, at Coffey's learning rate
and again at a higher one; each loads its models, tokenizes and predicts at nobody's cost. Then Coffey
distills again in about a third of the time. A static student stands beside model2vec's, which takes the time
it wants. Coffey is judged as the artifact that ships, int8 where that passed, peers in float32, all on the
holdout by the same code; nobody sees its labels.

What was finished is kept in `--folder`: a run that was cut off goes on. `--quick` takes one task, fewer rows
and one seed. Exit code 1: the best peer, chosen on the holdout, is better at equal time and not reached in a
third of it, or model2vec is better at equal size.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from transformers import BertConfig, ElectraConfig

from benchmarks.environments import Peer, PeerFailed, default_cache, environment, read_peers, run
from benchmarks.options import is_missing, make_parser
from benchmarks.tasks import DATA, TASKS, Sizes, write_tuned_project
from coffey.artifact.predictor import Predictor
from coffey.bench.machine import describe_machine
from coffey.bench.versions import versions
from coffey.control.candidate import make_candidate
from coffey.core.files import write_atomic
from coffey.core.progress import Silent
from coffey.dashboard.plain import plain
from coffey.distill.chain import run_chain
from coffey.distill.records import StageResult
from coffey.project.distilling import chain_request, making_of, prepare
from coffey.project.project import Project
from coffey.stats.intervals import paired_difference
from coffey.students.checkpoint import load_student
from coffey.students.family import pace
from coffey.students.shape import EncoderShape

PEERS = Path(__file__).parent / "peers"
LISTED = Path(__file__).parent / "peers.txt"
TASK_NAMES = ("trec", "sst", "snips", "tweets")
STATIC_PEER = "model2vec_static"
ENCODER, STATIC = "2.3M", "static:220K"
EQUAL_TIME, SHORTER_TIME = "encoder, equal time", "encoder, a third of the time"
EQUAL_SIZE = "static, equal size"
SHORTER = 3
"""The part of the time in which Coffey should be as good as a peer in all of it."""
PACES = (1.0, 2.5)
"""Times Coffey's learning rate, which suits inherited weights; random ones may bear more. The best counts."""
_LOADING_S = 1800.0
"""Time on the wall that a peer may take beside its training: imports, loading, predictions."""
_WALL = 10.0
"""Seconds on the wall that a second of the processor may take on a loaded machine."""

Found = dict[str, Any]


def main() -> int:
    """Run every task with every seed, print one JSON object."""
    options = _parser().parse_args()
    if is_missing(options.data):
        return 2
    names, seeds = options.tasks or TASK_NAMES, options.seeds
    if options.quick:
        names, seeds, options.rows, options.epochs = TASK_NAMES[:1], 1, 1000, 3
    pythons, missing = _install(options.cache.resolve())
    with tempfile.TemporaryDirectory(prefix="coffey-bench-") as scratch:
        folder = (options.folder or Path(scratch)).resolve()
        runs = [
            Contest(name, 17 + seed, folder / f"{name}-{17 + seed}", options).run(pythons)
            for seed in range(seeds)
            for name in names
        ]
    result = {
        "targets": targets(runs),
        "runs": runs,
        "not_installed": missing,
        "rows": options.rows,
        "epochs": options.epochs,
        "machine": plain(describe_machine()),
        "versions": plain(versions()),
    }
    print(json.dumps(result))
    met = {name: target["met"] for name, target in result["targets"].items()}
    return 0 if (met.get(EQUAL_TIME) or met.get(SHORTER_TIME)) and met.get(EQUAL_SIZE, True) else 1


def _parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--folder", type=Path, help="keeps what was finished; a temporary one when absent")
    parser.add_argument("--rows", type=int, default=6000, help="rows to learn from, at most")
    parser.add_argument("--epochs", type=float, default=10.0, help="of Coffey; its time is everyone's")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--tasks", nargs="*", choices=[task.name for task in TASKS])
    parser.add_argument("--cache", type=Path, default=default_cache(), help="where peers are installed")
    return parser


def _install(cache: Path) -> tuple[dict[Peer, Path], dict[str, str]]:
    """The Python of each peer, and why there is none."""
    pythons, missing = {}, {}
    for peer in read_peers(LISTED):
        try:
            pythons[peer] = environment(peer, cache)
        except PeerFailed as exc:
            missing[peer.name] = str(exc)
    return pythons, missing


class Contest:
    """One task with one seed: everyone's student, each kept in the folder as it is finished."""

    def __init__(self, task: str, seed: int, folder: Path, options: argparse.Namespace) -> None:
        self.task, self.seed, self.folder = task, seed, folder
        self.project = folder / "project"
        if not (self.project / "coffey.toml").exists():
            sizes = Sizes(rows=options.rows, holdout=2000, epochs=options.epochs, seed=seed)
            known = next(one for one in TASKS if one.name == task)
            write_tuned_project(known, options.data, self.project, sizes, Silent())
        self.base = Project.load(self.project / "coffey.toml").settings
        self.holdout = _read(self.project / "holdout.jsonl")
        self.epochs = options.epochs

    def run(self, pythons: dict[Peer, Path]) -> Found:
        """Distill with everyone, judge everyone."""
        augment = self.base.data.augment
        whole = self._kept("coffey", lambda: self.ours("coffey", ENCODER, self.epochs, augment))
        epochs = self._shorter_epochs(whole, augment)
        self._kept("coffey_third", lambda: self.ours("coffey_third", ENCODER, epochs, augment=0))
        static = self._kept("coffey_static", lambda: self.ours("coffey_static", STATIC, self.epochs, augment))
        failed: dict[str, str] = {}
        for peer, python in pythons.items():
            ours, paces = (static, (1.0,)) if peer.name == STATIC_PEER else (whole, PACES)
            for times in paces:
                name = peer.name if times == 1.0 else f"{peer.name}, {times:g} x rate"
                try:
                    self._kept(name, partial(self._theirs, name, peer, python, ours, times))
                except PeerFailed as exc:
                    failed[name] = str(exc)
        judged = self._judged()
        leads = {name: _lead(judged, name) for name in ("coffey", "coffey_third", "coffey_static")}
        students = {
            name: {key: value for key, value in one.items() if key != "right"} for name, one in judged.items()
        }
        return {
            "task": self.task,
            "seed": self.seed,
            "students": students,
            "leads": leads,
            "failed": failed,
        }

    def _shorter_epochs(self, whole: Found, augment: int) -> float:
        """What a third of the time allows when no texts are made: asking about them takes most of it."""
        asking = whole["asking_s"] / (1 + augment)
        training = whole["train_s"] - whole["asking_s"]
        return float(self.epochs * (whole["train_s"] / SHORTER - asking) / training)

    def _kept(self, name: str, make: Callable[[], Found]) -> Found:
        path = self.folder / f"{name}.json"
        if not path.exists():
            print(f"{self.task}, seed {self.seed}: {name}", file=sys.stderr, flush=True)
            write_atomic(path, json.dumps(make()).encode())
        found: Found = json.loads(path.read_bytes())
        return found

    def ours(self, name: str, stage: str, epochs: float, augment: int) -> Found:
        """One student straight from the teacher, in a store of its own; predictions of its artifact."""
        home = self.folder / name
        shutil.rmtree(home, ignore_errors=True)
        base = self.base
        settings = replace(
            base,
            project=replace(base.project, store=str(home / "store")),
            data=replace(base.data, augment=augment),
            chain=replace(base.chain, stages=(stage,), epochs=epochs),
        )
        space = Project(settings, self.project, progress=Silent()).workspace
        labels = space.teacher.labels  # loads the teacher before the clock starts
        began = time.process_time()
        lesson = prepare(space)
        asked = time.process_time()
        request = chain_request(space, lesson, home / "stages")
        made = run_chain(request, progress=Silent()).final
        trained = time.process_time()
        making = making_of(space, lesson, (made,))
        candidate = make_candidate(made, making, folder=home / "export", progress=Silent())
        predictor = Predictor.load(candidate.path, trust=space.trust)
        texts = [row["text"] for row in self.holdout]
        found = predictor.predict(texts).argmax(axis=1)
        self._write_student(home / "student", made, labels)
        return {
            "group": "static" if stage == STATIC else "encoder",
            "predictions": [predictor.labels[int(at)] for at in found],
            "teacher": [labels[int(at)] for at in space.answer(texts).argmax(axis=1)],
            "params": candidate.manifest.params,
            "shape": str(made.shape),
            "learning_rate": settings.chain.learning_rate * pace(made.shape),
            "variant": candidate.manifest.quantization.variant,
            "steps": made.steps,
            "asking_s": asked - began,
            "train_s": trained - began,
        }

    def _write_student(self, folder: Path, made: StageResult, labels: Sequence[str]) -> None:
        """Configuration and tokenizer of the same student for `transformers`; no weights."""
        shape = made.shape
        if not isinstance(shape, EncoderShape):
            return
        sizes = {
            "vocab_size": shape.vocabulary,
            "hidden_size": shape.width,
            "num_hidden_layers": shape.layers,
            "num_attention_heads": shape.heads,
            "intermediate_size": shape.intermediate,
            "max_position_embeddings": shape.max_length,
            "id2label": dict(enumerate(labels)),
            "label2id": {name: at for at, name in enumerate(labels)},
        }
        config = ElectraConfig(embedding_size=shape.embedding, **sizes) if shape.embedding else None
        (config or BertConfig(**sizes)).save_pretrained(folder)
        load_student(made.folder).tokenizer.save(str(folder / "tokenizer.json"))
        names = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
        kind = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": shape.max_length}
        write_atomic(folder / "tokenizer_config.json", json.dumps(kind | names).encode())

    def _theirs(self, name: str, peer: Peer, python: Path, ours: Found, times: float) -> Found:
        """A peer's student, trained at some times Coffey's rate; and others that it made beside it."""
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        self._write_task(folder, ours, times)
        seconds = ours["train_s"] * _WALL + _LOADING_S
        run(python, PEERS / f"{peer.name}.py", folder, seconds=seconds)
        found = {path.stem: json.loads(path.read_bytes()) for path in folder.glob("predictions*.json")}
        first: Found = found.pop("predictions")
        others = {f"{peer.name}{name.removeprefix('predictions')}": one for name, one in found.items()}
        return {"group": ours["group"], **first, "others": others}

    def _write_task(self, folder: Path, ours: Found, times: float) -> None:
        """What a peer reads; see `peers/task.py`."""
        rows = _read(self.project / "transfer.jsonl")
        labels = sorted({row["label"] for row in rows})
        chain = self.base.chain
        found = {
            "texts": [row["text"] for row in rows],
            "targets": [labels.index(row["label"]) for row in rows],
            "holdout": [row["text"] for row in self.holdout],
            "labels": labels,
            "teacher": str(self.project / "teacher"),
            "student": str(self.folder / "coffey" / "student"),
            "max_length": chain.max_length,
            "params": ours["params"],
            "seconds": ours["train_s"],
            "batch": chain.batch_size,
            "learning_rate": ours["learning_rate"] * times,
            "temperature": chain.temperature,
            "hard_weight": chain.hard_weight,
            "seed": self.seed,
        }
        write_atomic(folder / "task.json", json.dumps(found).encode())

    def _judged(self) -> dict[str, Found]:
        """Every student that was kept, held against the holdout's labels and the teacher's answers."""
        kept = {path.stem: json.loads(path.read_bytes()) for path in sorted(self.folder.glob("*.json"))}
        for one in list(kept.values()):
            kept |= {name: other | {"group": "larger"} for name, other in one.pop("others", {}).items()}
        truth = [row["label"] for row in self.holdout]
        teacher = kept["coffey"]["teacher"]
        return {name: _judge(one, truth, teacher) for name, one in kept.items()}


def _judge(student: Found, truth: Sequence[str], teacher: Sequence[str]) -> Found:
    found = student["predictions"]
    right = np.array([one == other for one, other in zip(found, truth, strict=True)], dtype=float)
    known = np.mean([one == other for one, other in zip(teacher, truth, strict=True)])
    agreed = np.mean([one == other for one, other in zip(found, teacher, strict=True)])
    figures = {key: value for key, value in student.items() if key not in ("predictions", "teacher")}
    return figures | {
        "right": right,
        "accuracy": float(right.mean()),
        "retention": float(right.mean() / known),
        "agreement": float(agreed),
    }


def _lead(judged: dict[str, Found], ours: str) -> Found | None:
    """Coffey's accuracy less that of the best peer of the same size, best on this very holdout."""
    group = judged[ours]["group"]
    peers = {
        name: one for name, one in judged.items() if one["group"] == group and not name.startswith("coffey")
    }
    if not peers:
        return None
    best = max(peers, key=lambda name: peers[name]["accuracy"])
    ahead = paired_difference(judged[ours]["right"], peers[best]["right"], seed=0)
    time_share = judged[ours]["train_s"] / judged["coffey"]["train_s"]
    return {"best_peer": best, "accuracy": plain(ahead), "time_share": time_share}


def targets(runs: Sequence[Found]) -> dict[str, Any]:
    """Median over the runs of Coffey's accuracy less the best peer's."""
    found: dict[str, Any] = {}
    for name, words in (
        ("coffey", EQUAL_TIME),
        ("coffey_third", SHORTER_TIME),
        ("coffey_static", EQUAL_SIZE),
    ):
        leads = [lead["accuracy"]["value"] for one in runs if (lead := one["leads"][name])]
        if leads:
            value = median(leads)
            met = value >= 0 if name == "coffey_third" else value > 0
            found[words] = {"value": value, "bound": 0.0, "met": met}
    return found


def _read(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


if __name__ == "__main__":
    sys.exit(main())
