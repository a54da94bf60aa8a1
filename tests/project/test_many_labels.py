"""A multi-label task goes the whole way: distilled, promoted, served, audited; what cannot be is refused."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest

from coffey.artifact.manifest import MANY_LABELS_FORMAT
from coffey.artifact.predictor import Predictor
from coffey.control.audits import AuditLog
from coffey.core.clock import unix_now
from coffey.core.errors import ConfigError, PlanError
from coffey.core.progress import Silent
from coffey.core.records import DecisionKind, TrafficRecord
from coffey.project.project import Project
from coffey.project.ticking import tick_project
from coffey.serve.dataplane import Answer
from coffey.serve.infer import decode_infer, encode_infer
from coffey.serve.limits import Limits
from coffey.serve.predict import decode_predict, encode_predict
from coffey.stats.scoring import ManyLabels
from coffey.traffic.layout import segments_folder
from coffey.traffic.log import TrafficLog

WORDS = {"joy": ("happy", "great"), "love": ("dear", "heart"), "anger": ("furious", "hate")}
FILLERS = ("please", "could", "you", "today", "again", "about", "my", "the", "our", "order", "shop", "asked")

TAUGHT_FIRST = "layers=1,width=64,heads=1,vocabulary=400"

TEACHER = f"""
WORDS = {WORDS!r}
def answer(texts):
    return [[0.4 if set(words) & set(t.split()) else 0.02 for words in WORDS.values()] for t in texts]
answer.params = 1_000_000
answer.returns = "probabilities"
"""

TOML = """
[project]
name = "emotions"
[task]
kind = "multi-label-classification"
label = "labels"
labels = ["joy", "love", "anger"]
[teacher]
kind = "python"
source = "emotion_teacher:answer"
[data]
transfer = "transfer.jsonl"
holdout = "holdout.jsonl"
[chain]
stages = ["layers=1,width=32,heads=1,vocabulary=400"]
epochs = 30
batch_size = 32
learning_rate = 1e-2
max_length = 32
threads = 1
[budget]
min_retention = 0.7
[economics]
requests_per_day = 1000
[monitor]
audits_per_day = 100
audit_probability = 0.5
"""


def sentences(count, *, seed):
    """Distinct texts with the labels of their words: none to three of them."""
    draw = random.Random(seed)
    made = {}
    while len(made) < count:
        labels = draw.sample(sorted(WORDS), k=draw.choice((0, 1, 1, 2, 3)))
        text = [*draw.choices(FILLERS, k=6), *(draw.choice(WORDS[label]) for label in labels)]
        draw.shuffle(text)
        made[" ".join(text)] = labels
    return made


def write(path, rows):
    path.write_text("".join(json.dumps({"text": t, "labels": names}) + "\n" for t, names in rows.items()))


@pytest.fixture(scope="module")
def emotions(tmp_path_factory, key_home):
    """A distilled and promoted multi-label project, and what `distill` said."""
    folder = tmp_path_factory.mktemp("emotions")
    rows = list(sentences(500, seed=1).items())
    (folder / "emotion_teacher.py").write_text(TEACHER)
    (folder / "coffey.toml").write_text(TOML)
    write(folder / "transfer.jsonl", dict(rows[:350]))
    write(folder / "holdout.jsonl", dict(rows[350:]))
    project = Project.load(folder / "coffey.toml")
    result = project.distill(report=False)
    assert result.gate.passed, result.gate.reason
    project.promote()
    return project, result


def champion(project):
    space = project.workspace
    return Predictor.load(space.store / space.registry.resolve("champion").artifact, trust=space.trust)


def served(predictor, texts):
    """The answer of the server to `texts`."""
    scoring, probabilities = predictor.scoring, predictor.predict(texts)
    names = scoring.names(scoring.answers(probabilities), predictor.labels)
    return Answer("a", predictor, probabilities, names, scoring.confidence(probabilities).tolist(), 0.0, 0.0)


def test_what_ships_says_how_it_was_measured(emotions):
    """Format 2, the fitted threshold, the measure's name; and the figures are those of its own answers."""
    project, result = emotions
    predictor = champion(project)
    manifest = predictor.manifest
    assert (manifest.format, manifest.task) == (MANY_LABELS_FORMAT, "multi-label-classification")
    assert 0.02 < manifest.threshold < 0.4, "the teacher never says 0.5"
    assert predictor.scoring == ManyLabels(manifest.threshold)
    assert (result.student.measure, result.student.threshold) == ("F1", manifest.threshold)
    lines = (project.workspace.folder / "holdout.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    said = predictor.predict([row["text"] for row in rows]) >= manifest.threshold
    truth = np.array([[name in row["labels"] for name in predictor.labels] for row in rows])
    sizes = said.sum(axis=1) + truth.sum(axis=1)
    f1 = np.where(sizes == 0, 1, 2 * (said & truth).sum(axis=1) / np.maximum(sizes, 1))
    assert result.student.accuracy.value == pytest.approx(f1.mean())
    assert result.teacher.accuracy.value == 1.0


@pytest.mark.slow
def test_a_chain_is_proven_and_compared_by_the_mean_f1(emotions, tmp_path):
    """Stages, control arms and texts made from the data do as with one label; the rest is left out."""
    folder = emotions[0].workspace.folder
    for name in ("emotion_teacher.py", "transfer.jsonl", "holdout.jsonl"):
        (tmp_path / name).write_text((folder / name).read_text())
    toml = TOML.replace('stages = ["', f'stages = ["{TAUGHT_FIRST}", "').replace("epochs = 30", "epochs = 18")
    (tmp_path / "coffey.toml").write_text(toml.replace("[chain]", "augment = 0.5\n[chain]"))
    result = Project.load(tmp_path / "coffey.toml").distill(compare=True, report=False)
    assert result.labelling.data.augmented > 0
    assert result.labelling.calibration is None
    assert (result.doubtful.rows, result.doubtful.labelled) == (0, 350)
    (decision,) = result.proof.decisions
    assert decision.measure == "F1"
    assert decision.examples > 0
    assert [one.measure for one in result.controls.comparisons] == ["F1", "F1"]
    assert all(stage.quality.measure == "F1" for stage in (*result.stages, *result.proof.routes))


def test_the_server_answers_with_the_labels_over_the_threshold(emotions):
    """`labels` holds them, `label` the most probable; the protocol's outputs hold all scores."""
    predictor = champion(emotions[0])
    texts = list(sentences(40, seed=2))
    answer = served(predictor, texts)
    request, _ = decode_predict(json.dumps({"inputs": texts, "top_k": 3}).encode(), Limits())
    for row, prediction in zip(
        answer.probabilities, encode_predict(request, answer).predictions, strict=True
    ):
        over = {
            name for name, p in zip(predictor.labels, row, strict=True) if p >= predictor.manifest.threshold
        }
        assert {one.label for one in prediction.labels} == over
        assert prediction.label == predictor.labels[row.argmax()]
        assert len(prediction.scores) == 3
    tensor = {"name": "text", "shape": [len(texts)], "datatype": "BYTES", "data": texts}
    infer, _ = decode_infer(json.dumps({"inputs": [tensor]}).encode(), Limits())
    label, score = encode_infer(infer, answer, "emotions")[0].outputs
    assert [set(json.loads(name)) <= set(predictor.labels) for name in label.data] == [True] * len(texts)
    assert score.shape == [len(texts), 3]
    np.testing.assert_allclose(np.reshape(score.data, score.shape), answer.probabilities)


def test_audits_keep_a_score(emotions):
    """A tick lets the teacher answer served requests again; agreement is the mean F1 of both answers."""
    project, _ = emotions
    predictor, space = champion(project), project.workspace
    texts = list(sentences(60, seed=3))
    answer = served(predictor, texts)
    log = TrafficLog(segments_folder(space.store))
    for index, text in enumerate(texts):
        log.put(
            TrafficRecord(
                id=f"r{index}",
                unix_s=unix_now(),
                model=predictor.digest,
                text=text,
                label=answer.names[index],
                confidence=answer.confidence[index],
                latency_ms=0.1,
                audit=True,
                audit_probability=0.5,
            )
        )
    assert log.flush()
    log.close()
    report = tick_project(space)
    assert report.audited == 60
    assert report.decision.kind in (DecisionKind.HEALTHY, DecisionKind.INVESTIGATE, DecisionKind.REDISTILL)
    audits = AuditLog(space.store / "audits").all()
    scoring = predictor.scoring
    said = scoring.answers(space.answer([audit.text for audit in audits], Silent()))
    expected = scoring.score(scoring.answers(predictor.predict([audit.text for audit in audits])), said)
    assert [audit.score for audit in audits] == pytest.approx(expected.tolist())
    assert report.agreement.overall.value == pytest.approx(expected.mean())
    assert [audit.agree for audit in audits] == (expected == 1).tolist()


def test_what_needs_one_label_is_refused(emotions, tmp_path):
    """A pilot, and a teacher behind an endpoint: each with a sentence, before anything is asked."""
    with pytest.raises(PlanError, match="multi-label"):
        emotions[0].plan(pilot=True)
    (tmp_path / "coffey.toml").write_text(
        TOML.replace('kind = "python"', 'kind = "openai"\nendpoint = { url = "http://127.0.0.1:9/v1" }')
    )
    with pytest.raises(ConfigError, match=r"task\.kind"):
        Project.load(tmp_path / "coffey.toml")


def test_a_threshold_without_many_labels_is_refused(tmp_path):
    """It would decide nothing."""
    text = TOML.replace("[task]\n", "[task]\nthreshold = 0.3\n")
    (tmp_path / "coffey.toml").write_text(text)
    Project.load(tmp_path / "coffey.toml")
    (tmp_path / "coffey.toml").write_text(text.replace("multi-label-classification", "text-classification"))
    with pytest.raises(ConfigError, match=r"task\.threshold = 0\.3: expected none"):
        Project.load(tmp_path / "coffey.toml")
