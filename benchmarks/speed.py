"""Speed: labelling against a plain `transformers` pipeline, a training step against its bare arithmetic.

Labelling is all of `ask` into a fresh label store; the pipeline has batches of 32 in the order of the texts.
Both run one checkpoint (all-MiniLM-L6-v2 with an untrained classifier, since speed does not depend on what
was learned) on the same texts with the same threads. The step is the time between two reports of `train`;
bare are forward, backward and optimizer of the same module at the same batches, ready made. All is measured
in turns; ratios are taken within a turn, and the medians are reported, of the clock and of CPU time (what the
ratio would be on a machine without neighbours). The data is looked for in ../shared.
"""

from __future__ import annotations

import csv
import gzip
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import onnxruntime as ort
import torch
from onnx import helper
from tokenizers import Tokenizer
from transformers import AutoTokenizer, BertForSequenceClassification, pipeline

from benchmarks.options import is_missing, make_parser
from coffey.bench.machine import describe_machine
from coffey.bench.noise import measure_noise
from coffey.bench.versions import versions
from coffey.core.clock import monotonic
from coffey.core.ids import fresh_id
from coffey.core.progress import Progress, Silent
from coffey.core.settings import DataSettings, ProjectSettings, Settings, TaskSettings, TeacherSettings
from coffey.dashboard.progress import RichProgress
from coffey.distill.batches import Tokenized, epoch_batches, tokenize
from coffey.distill.loop import Material, Plan, clip_gradients, make_optimizer, train
from coffey.distill.loss import NO_LABEL
from coffey.distill.threads import fastest_threads
from coffey.project.demo.setup import model_folder
from coffey.project.wiring import build_teacher, open_labels
from coffey.students.encoder import Student
from coffey.students.shape import EncoderShape
from coffey.teacher.asking import ask
from coffey.teacher.protocol import Teacher
from coffey.teacher.quiet import quietly

DATA = Path(__file__).parents[2] / "shared" / "data"
LABELS = tuple(f"label {number}" for number in range(150))
MAX_LENGTH = 128
BATCH = 32
SEED = 17
LABELLING_RATIO = 2.0
STEP_RATIO = 1.3
WARM = 3
"""First steps of a turn, which allocate and are not counted."""
SHAPES = {
    "2.2M": EncoderShape(
        layers=3, width=192, heads=6, intermediate=768, vocabulary=4000, max_length=64, labels=150
    ),
    "400K": EncoderShape(
        layers=2, width=64, heads=2, intermediate=256, vocabulary=4000, max_length=64, labels=150
    ),
}


Found = dict[str, dict[str, Any]]
"""What was measured, by data set or shape."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What one thing took."""

    seconds: float
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Compared:
    """Two things done in turns, the work of each turn being the same."""

    plain: tuple[Spent, ...]
    coffey: tuple[Spent, ...]

    def ratio(self, of: str) -> float:
        """The median over the turns of plain over Coffey's, in `seconds` or `cpu_seconds`."""
        pairs = zip(self.plain, self.coffey, strict=True)
        return float(np.median([getattr(plain, of) / getattr(ours, of) for plain, ours in pairs]))

    def median(self, side: str) -> float:
        """The median time of `plain` or `coffey`, in seconds."""
        return float(np.median([spent.seconds for spent in getattr(self, side)]))


def read_texts(data: Path, most: int) -> dict[str, list[str]]:
    """Texts drawn at random: questions, comments of forum users, beginnings of abstracts."""
    questions = json.loads((data / "clinc150" / "data_full.json").read_text())["train"]
    comments = (data / "goemotions" / "train.tsv").read_text(encoding="utf-8").splitlines()
    packed = data / "arxiv_cs_drift" / "sample12_title_abstract300_2007_2019.tsv.gz"
    with gzip.open(packed, "rt", encoding="utf-8", newline="") as file:
        abstracts = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return {
        "clinc150": _drawn([text for text, _ in questions], most),
        "goemotions": _drawn([line.split("\t")[0] for line in comments], most // 2),
        "arxiv": _drawn([row["abstract"] for row in abstracts], most // 4),
    }


def _drawn(texts: Sequence[str], count: int) -> list[str]:
    distinct = sorted(set(texts))
    return [distinct[place] for place in np.random.default_rng(SEED).permutation(len(distinct))[:count]]


def write_checkpoint(folder: Path) -> Path:
    """all-MiniLM-L6-v2 with an untrained classifier, and its tokenizer."""
    torch.manual_seed(SEED)
    with quietly():
        model = BertForSequenceClassification.from_pretrained(
            model_folder(), num_labels=len(LABELS), id2label=dict(enumerate(LABELS))
        )
        model.save_pretrained(folder)
        AutoTokenizer.from_pretrained(model_folder()).save_pretrained(folder)
    return folder


def plain_pipeline(checkpoint: Path) -> Callable[[list[str]], object]:
    """What a script of five lines does."""
    with quietly():
        classify = pipeline("text-classification", model=str(checkpoint), batch_size=BATCH, device="cpu")
    return lambda texts: classify(texts, top_k=None, truncation=True, max_length=MAX_LENGTH)


def open_teacher(checkpoint: Path, store: Path, threads: int, progress: Progress) -> Teacher:
    """The same checkpoint as a project's teacher."""
    wanted = TeacherSettings(
        kind="transformers", source=str(checkpoint), batch_size=BATCH, max_length=MAX_LENGTH, threads=threads
    )
    settings = Settings(
        project=ProjectSettings(name="speed", store=str(store)),
        task=TaskSettings(labels=LABELS),
        teacher=wanted,
        data=DataSettings(transfer="", holdout=""),
    )
    return build_teacher(settings, checkpoint, progress)


def compare_labelling(
    plain: Callable[[list[str]], object], teacher: Teacher, texts: list[str], scratch: Path, turns: int
) -> Compared:
    """Both answer all texts, in turns; every turn has a label store of its own."""

    def label() -> None:
        ask(teacher, open_labels(scratch / fresh_id(), teacher), texts, batch_size=BATCH)

    plain(texts[:BATCH])
    teacher.predict(texts[:BATCH])
    return in_turns(lambda: _spent(lambda: plain(texts)), lambda: _spent(label), turns)


def in_turns(plain: Callable[[], Spent], coffey: Callable[[], Spent], turns: int) -> Compared:
    """Either goes first in every other turn."""
    found: tuple[list[Spent], list[Spent]] = ([], [])
    for turn in range(turns):
        for side in (0, 1) if turn % 2 == 0 else (1, 0):
            found[side].append((plain, coffey)[side]())
    return Compared(tuple(found[0]), tuple(found[1]))


def _spent(work: Callable[[], object]) -> Spent:
    clock, cpu = monotonic(), process_time()
    work()
    return Spent(monotonic() - clock, process_time() - cpu)


def operator_shares(store: Path, teacher: Teacher, texts: list[str]) -> dict[str, float]:
    """Shares of ONNX Runtime's time by operator, by its own profiler; empty where torch was chosen."""
    graphs = list((store / "teachers" / "labelling").glob("*.onnx"))
    if not graphs:
        return {}
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.enable_profiling = True
    options.profile_file_prefix = str(store / "profile")
    session = ort.InferenceSession(graphs[0].read_bytes(), options, providers=["CPUExecutionProvider"])
    tokens = tokenize(_tokenizer(teacher), texts, max_length=MAX_LENGTH)
    order = np.argsort(tokens.lengths, kind="stable")
    for start in range(0, len(order), BATCH):
        ids, mask = tokens.pad(order[start : start + BATCH])
        session.run(["logits"], {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})
    taken: Counter[str] = Counter()
    for event in json.loads(Path(session.end_profiling()).read_text()):
        if event["name"].endswith("_kernel_time"):
            taken[event["args"]["op_name"]] += event["dur"]
    return {name: spent / taken.total() for name, spent in taken.most_common(6)}


def product_rates() -> dict[str, float]:
    """GFLOP/s of one product of the feed-forward layer on one thread, the best of many: the ceiling."""
    rows, width, inner = BATCH * 11, 384, 1536
    left, right = torch.randn(rows, width), torch.randn(width, inner)
    sides = {"left": left, "product": torch.empty(rows, inner)}
    told = {name: helper.make_tensor_value_info(name, 1, list(side.shape)) for name, side in sides.items()}
    weight = helper.make_tensor("right", 1, [width, inner], right.numpy().tobytes(), raw=True)
    node = helper.make_node("MatMul", ["left", "right"], ["product"])
    graph = helper.make_graph([node], "product", [told["left"]], [told["product"]], [weight])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    ways: dict[str, Callable[[], object]] = {
        "torch": lambda: torch.mm(left, right),
        "onnxruntime": lambda: session.run(None, {"left": left.numpy()}),
    }
    seconds = {name: min(_spent(way).seconds for _ in range(300)) for name, way in ways.items()}
    torch.set_num_threads(before)
    return {name: 2e-9 * rows * width * inner / best for name, best in seconds.items()}


def padding(tokens: Tokenized, batches: Sequence[np.ndarray]) -> float:
    """Tokens computed for each token that there is."""
    computed = sum(len(batch) * int(tokens.lengths[batch].max()) for batch in batches)
    return computed / int(sum(tokens.lengths[batch].sum() for batch in batches))


class Stamps(Silent):
    """Notes the time whenever a step is reported."""

    def __init__(self) -> None:
        self.at: list[Spent] = []

    def advance(self, task: str, amount: float = 1, note: str = "") -> None:
        self.at.append(Spent(monotonic(), process_time()))

    def spent(self) -> Spent:
        """From the end of step `WARM` to the end of the last one."""
        first, last = self.at[WARM], self.at[-1]
        return Spent(last.seconds - first.seconds, last.cpu_seconds - first.cpu_seconds)


class Step:
    """One shape: its material, and the batches that `train` takes first."""

    def __init__(self, shape: EncoderShape, texts: Tokenized, steps: int, threads: int) -> None:
        rows = np.arange(len(texts))
        target = np.random.default_rng(SEED).dirichlet(np.full(shape.labels, 0.05), len(texts))
        self.shape = shape
        self.texts = texts
        self.target = target.astype(np.float32)
        self.material = Material(
            texts=texts,
            target=self.target,
            judge=self.target,
            hard=np.full(len(texts), NO_LABEL),
            train=rows,
            validation=rows[:8],
        )
        self.plan = Plan(
            name="step",
            steps=steps,
            batch_size=BATCH,
            learning_rate=1e-3,
            warmup=0.1,
            temperature=2.0,
            hard_weight=0.0,
            patience=9,
            evaluate_every=steps,
            checkpoint_seconds=3600.0,
            seed=SEED,
            threads=threads,
        )
        self.batches = epoch_batches(rows, texts.lengths, size=BATCH, seed=SEED, epoch=0)[:steps]

    def compare(self, scratch: Path, turns: int) -> Compared:
        """Bare steps and those of `train`, in turns."""
        return in_turns(self.bare, lambda: self.trained(scratch / fresh_id()), turns)

    def trained(self, folder: Path) -> Spent:
        """The steps of `train`, without its evaluation and checkpoint at the end."""
        folder.mkdir()
        stamps = Stamps()
        train(
            Student(self.shape),
            self.material,
            self.plan,
            checkpoint=folder / "checkpoint.pt",
            progress=stamps,
        )
        return stamps.spent()

    def bare(self) -> Spent:
        """The same batches, ready made: nothing but the module's arithmetic and the optimizer's."""
        student = Student(self.shape).train()
        optimizer = make_optimizer(student, 1e-3)
        stamps = Stamps()
        ready = [(*self.texts.pad(batch), torch.from_numpy(self.target[batch])) for batch in self.batches]
        stamps.advance("")
        for ids, mask, target in ready:
            loss = torch.nn.functional.cross_entropy(student(ids, mask)[0], target)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            stamps.advance("")
        return stamps.spent()

    def parts(self) -> dict[str, float]:
        """Milliseconds of each part of a step, medians over the batches."""
        student = Student(self.shape).train()
        optimizer, parameters = make_optimizer(student, 1e-3), list(student.parameters())
        taken: dict[str, list[float]] = {}

        def timed(name: str, work: Callable[[], object]) -> object:
            begin = monotonic()
            done = work()
            taken.setdefault(name, []).append(1000 * (monotonic() - begin))
            return done

        for batch in self.batches:
            ids, mask = timed("pad", lambda batch=batch: self.texts.pad(batch))
            target = torch.from_numpy(self.target[batch])
            logits = timed("forward", lambda ids=ids, mask=mask: student(ids, mask)[0])
            loss = torch.nn.functional.cross_entropy(logits, target)
            optimizer.zero_grad(set_to_none=True)
            timed("backward", loss.backward)
            timed("clip", lambda: clip_gradients(parameters))
            timed("optimizer", optimizer.step)
        return {name: float(np.median(times[WARM:])) for name, times in taken.items()}


def _tokenizer(teacher: Teacher) -> Tokenizer:
    tokenizer: Tokenizer = teacher.tokenizer()
    return tokenizer


def measure_labelling(
    texts: dict[str, list[str]], threads: int, scratch: Path, turns: int, progress: Progress
) -> Found:
    """By data set: ratios, rates, padding; and where ONNX Runtime's time goes."""
    checkpoint, store = write_checkpoint(scratch / "checkpoint"), scratch / "store"
    plain, teacher = plain_pipeline(checkpoint), open_teacher(checkpoint, store, threads, progress)
    found: Found = {}
    progress.start("label", len(texts), "data sets")
    for name, asked in texts.items():
        compared = compare_labelling(plain, teacher, asked, scratch, turns)
        tokens = tokenize(_tokenizer(teacher), asked, max_length=MAX_LENGTH)
        cut = [np.arange(len(asked))[at : at + BATCH] for at in range(0, len(asked), BATCH)]
        by_tokens = np.argsort(tokens.lengths, kind="stable")
        found[name] = {
            "ratio": compared.ratio("seconds"),
            "ratio_by_cpu": compared.ratio("cpu_seconds"),
            "texts": len(asked),
            "tokens_a_text": float(tokens.lengths.mean()),
            "plain_texts_per_s": len(asked) / compared.median("plain"),
            "coffey_texts_per_s": len(asked) / compared.median("coffey"),
            "padding_as_they_come": padding(tokens, cut),
            "padding_by_tokens": padding(tokens, [by_tokens[at] for at in cut]),
            "tokenizing_s": _spent(lambda t=asked: teacher.lengths(t)).seconds,
            "operators": operator_shares(store, teacher, asked[: 8 * BATCH]),
        }
        progress.advance("label", 1, f"{name}: {compared.ratio('seconds'):.2f}x")
    progress.finish("label")
    return found


def measure_steps(
    texts: list[str], threads: int, scratch: Path, steps: int, turns: int, progress: Progress
) -> Found:
    """By shape: ratios and the parts of a step."""
    tokenizer = Tokenizer.from_file(str(model_folder() / "tokenizer.json"))
    tokens = tokenize(tokenizer, texts, max_length=64)
    found: Found = {}
    progress.start("step", len(SHAPES), "shapes")
    for name, shape in SHAPES.items():
        ids = np.arange(tokenizer.get_vocab_size()) % shape.vocabulary
        step = Step(shape, tokens.renumber(ids), steps, threads)
        compared = step.compare(scratch, turns)
        per_step = 1000 / (len(step.batches) - WARM)
        found[name] = {
            "ratio": 1 / compared.ratio("seconds"),
            "ratio_by_cpu": 1 / compared.ratio("cpu_seconds"),
            "params": shape.parameters(),
            "bare_ms": per_step * compared.median("plain"),
            "coffey_ms": per_step * compared.median("coffey"),
            "padding": padding(step.texts, step.batches),
            "parts_ms": step.parts(),
        }
        progress.advance("step", 1, f"{name}: {found[name]['ratio']:.2f}x")
    progress.finish("step")
    return found


def targets(labelling: Found, steps: Found) -> Found:
    """Texts of different lengths are held to the bound; abstracts, all cut to 300 characters, are not."""
    found: Found = {}
    for name in ("clinc150", "goemotions"):
        ratio = labelling[name]["ratio"]
        met = ratio >= LABELLING_RATIO
        found[f"labelling_{name}"] = {"value": ratio, "bound": LABELLING_RATIO, "met": met}
    for name, step in steps.items():
        ratio = step["ratio"]
        found[f"step_{name}"] = {"value": ratio, "bound": STEP_RATIO, "met": ratio <= STEP_RATIO}
    return found


def main() -> int:
    """Run, print one JSON object."""
    parser = make_parser(__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    options = parser.parse_args()
    if is_missing(options.data):
        return 2
    most, label_turns, steps, step_turns = (800, 3, 12, 5) if options.quick else (4000, 5, 40, 9)
    texts = read_texts(options.data, most)
    threads = fastest_threads()
    torch.set_num_threads(threads)
    with tempfile.TemporaryDirectory(prefix="coffey-bench-") as folder, RichProgress() as progress:
        scratch = Path(folder)
        labelling = measure_labelling(texts, threads, scratch, label_turns, progress)
        trained = measure_steps(texts["goemotions"], threads, scratch, steps, step_turns, progress)
    held = targets(labelling, trained)
    result = {
        "targets": held,
        "labelling": labelling,
        "steps": trained,
        "product_gflop_per_s": product_rates(),
        "threads": threads,
        "noise": asdict(measure_noise()),
        "machine": asdict(describe_machine()),
        "versions": versions(),
    }
    print(json.dumps(result))
    return 0 if all(target["met"] for target in held.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
