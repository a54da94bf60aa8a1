"""One small real project, made once a session: a teacher that is a function, its data, a champion."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from coffey.project.project import Project

LABELS = ("billing", "delivery", "account")
WORDS = (
    ("invoice", "refund", "charge", "payment", "receipt", "price"),
    ("parcel", "courier", "shipping", "package", "tracking", "driver"),
    ("password", "login", "profile", "username", "email", "settings"),
)
NEW_WORDS = (("zizzle", "zuzu", "zezza"), ("quoq", "qaqoq", "quiqq"), ("xyxo", "xoxxy", "xaxix"))
"""Words that came into use after the student was made; the teacher knows them."""
FILLERS = """
please could you today again still about my the our last first week order shop asked wrote nobody answered
maybe really very late early morning evening friend office home found lost saw needs help wonder why when
where after before twice once never always because since with without something
quick quite zero lazy size exact fix box xray
"""
"""Words that tell nothing; the last line has the letters that the new words are spelled with."""

TEACHER = '''"""Keyword weights, softmax. Every question is noted beside this file."""

import json
import pathlib

import numpy as np

LABELS = {words!r}
WEIGHT = {{word: label for label, words in enumerate(LABELS) for word in words}}


def answer(texts):
    with pathlib.Path(__file__).with_name("asked.jsonl").open("a") as file:
        file.write("".join(json.dumps(text) + "\\n" for text in texts))
    scores = np.zeros((len(texts), 3))
    for row, text in enumerate(texts):
        for word in text.split():
            if word in WEIGHT:
                scores[row, WEIGHT[word]] += 4.0
    spread = np.exp(scores - scores.max(axis=1, keepdims=True))
    return spread / spread.sum(axis=1, keepdims=True)


answer.params = 1_000_000
answer.returns = "probabilities"
'''

TOML = """
[project]
name = "small"
[task]
label = "intent"
labels = ["billing", "delivery", "account"]
[teacher]
kind = "python"
source = "small_teacher:answer"
threads = 1
cost = { usd_per_1k_requests = 1.0 }
[data]
transfer = "transfer.jsonl"
holdout = "holdout.jsonl"
[chain]
stages = ["layers=1,width=32,heads=1,vocabulary=400"]
epochs = 16
batch_size = 32
learning_rate = 1e-2
max_length = 32
threads = 1
[budget]
min_retention = 0.8
min_agreement = 0.8
max_usd = 10
[economics]
requests_per_day = 1000
student_usd_per_hour = 0.01
[monitor]
audits_per_day = 100
audit_probability = 0.5
false_alarm_every_days = 10
redistill_epochs = 12
relabel = 400
max_drop = 0.04
redistill_drop = 0.05
"""


def label_of(text: str) -> str:
    """What the teacher says to a text of `sentences`."""
    words = text.split()
    counts = [sum(word in (*old, *new) for word in words) for old, new in zip(WORDS, NEW_WORDS, strict=True)]
    return LABELS[counts.index(max(counts))]


def sentences(count: int, *, seed: int, words: Sequence[Sequence[str]] = WORDS) -> list[str]:
    """Distinct texts: fillers, and one or two words of one label."""
    draw = random.Random(seed)
    made: dict[str, None] = {}
    while len(made) < count:
        telling = draw.choices(draw.choice(words), k=draw.choice((1, 2)))
        text = [*draw.choices(FILLERS.split(), k=draw.randint(5, 9)), *telling]
        draw.shuffle(text)
        made[" ".join(text)] = None
    return list(made)


def write_rows(path: Path, texts: Sequence[str], *, labelled: bool = True) -> None:
    """JSON lines with the column `text`, and `intent` where there are labels."""
    rows = [{"text": text} | ({"intent": label_of(text)} if labelled else {}) for text in texts]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@dataclass(frozen=True)
class SmallProject:
    """A folder with a project, and what happens to it."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "coffey.toml"

    @property
    def store(self) -> Path:
        return self.folder / ".coffey"

    def load(self, **more: object) -> Project:
        """The project as a new process would see it."""
        from coffey.project.project import Project

        return Project.load(self.config, **more)

    def copy(self, folder: Path) -> SmallProject:
        """A copy that a test may change; the teacher's notes start anew."""
        shutil.copytree(self.folder, folder, ignore=shutil.ignore_patterns("asked.jsonl"))
        return SmallProject(folder)

    def known(self, count: int, *, seed: int) -> list[str]:
        """Texts like those the student was made from."""
        return sentences(count, seed=seed)

    def new(self, count: int, *, seed: int) -> list[str]:
        """Texts with words that only the teacher knows."""
        return sentences(count, seed=seed, words=NEW_WORDS)

    def write(self, name: str, texts: Sequence[str], *, labelled: bool = True) -> None:
        """Replace a data file."""
        write_rows(self.folder / name, texts, labelled=labelled)

    def edit(self, old: str, new: str) -> None:
        """Change the configuration."""
        assert old in self.config.read_text()
        self.config.write_text(self.config.read_text().replace(old, new))

    def asked(self) -> list[str]:
        """Every text that the teacher was asked, in order, as often as it was."""
        path = self.folder / "asked.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def serve(self, texts: Sequence[str], *, audit_every: int = 2, aimed: bool = False) -> None:
        """Answer `texts` as the server does: by the champion itself, into the traffic log.

        `aimed` audits are drawn by confidence, one in `audit_every` in the mean; others evenly.
        """
        from coffey.artifact.predictor import Predictor
        from coffey.core.clock import unix_now
        from coffey.core.ids import fresh_id
        from coffey.core.records import TrafficRecord
        from coffey.serve.audit import AuditChoice
        from coffey.traffic.layout import segments_folder
        from coffey.traffic.log import TrafficLog

        space = self.load().workspace
        version = space.registry.resolve("champion")
        predictor = Predictor.load(space.store / version.artifact, trust=space.trust)
        log = TrafficLog(segments_folder(space.store))
        choice = AuditChoice(rate=1 / audit_every, seed=17)
        bins = predictor.bins if aimed else None
        began = unix_now()
        for index, (text, row) in enumerate(zip(texts, predictor.predict(texts), strict=True)):
            name, confidence = fresh_id(), float(row.max())
            probability = choice.probability(confidence, bins)
            log.put(
                TrafficRecord(
                    id=name,
                    unix_s=began + index * 1e-6,
                    model=version.digest,
                    text=text,
                    label=predictor.labels[int(row.argmax())],
                    confidence=confidence,
                    latency_ms=0.1,
                    audit=choice.chosen(name, probability) if aimed else index % audit_every == 0,
                    audit_probability=probability,
                    audit_rate=choice.rate if aimed else None,
                )
            )
        assert log.flush()
        counters = log.close()
        assert counters.logged == len(texts)


def make_project(folder: Path, *, transfer: int = 400, holdout: int = 150) -> SmallProject:
    """Teacher, data and configuration; nothing has been done yet."""
    folder.mkdir(parents=True, exist_ok=True)
    every = tuple((*old, *new) for old, new in zip(WORDS, NEW_WORDS, strict=True))
    (folder / "small_teacher.py").write_text(TEACHER.format(words=every))
    texts = sentences(transfer + holdout, seed=1)
    write_rows(folder / "transfer.jsonl", texts[:transfer])
    write_rows(folder / "holdout.jsonl", texts[transfer:])
    (folder / "coffey.toml").write_text(TOML)
    return SmallProject(folder)


@pytest.fixture(scope="session")
def key_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of the signing key, for this process and those it starts."""
    home = tmp_path_factory.mktemp("keys")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COFFEY_HOME", str(home))
        patch.setenv("OMP_NUM_THREADS", "1")
        yield home


@pytest.fixture(scope="session")
def distilled(tmp_path_factory: pytest.TempPathFactory, key_home: Path) -> SmallProject:
    """A project that was distilled and whose challenger was promoted. Look, do not touch."""
    made = make_project(tmp_path_factory.mktemp("small"))
    project = made.load()
    result = project.distill()
    assert result.gate.passed, result.gate.reason
    project.promote(reason="the first")
    return made


@pytest.fixture
def untouched(tmp_path: Path, key_home: Path) -> SmallProject:
    """A project of one's own in which nothing has been done."""
    return make_project(tmp_path / "project", transfer=60, holdout=30)


@pytest.fixture
def live(distilled: SmallProject, tmp_path: Path) -> SmallProject:
    """A copy of `distilled` of one's own; the teacher's notes start anew."""
    return distilled.copy(tmp_path / "live")
