"""The doctor finds what is missing or misconfigured, says how to mend it, and changes nothing."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from coffey.core.errors import TeacherUnavailable
from coffey.project.doctor import examine
from coffey.project.surroundings import Surroundings, cpu_quota, surroundings_here, usable_cores

TOML = """
[project]
name = "demo"
[task]
label = "label"
labels = ["a", "b"]
[teacher]
kind = "python"
source = "pkg.module:predict"
[data]
transfer = "train.csv"
holdout = "test.csv"
"""


class Twos:
    """A real, tiny teacher: the length of a text decides."""

    labels = ("a", "b")

    def __init__(self, answers=None):
        self.answers = answers
        self.asked = []
        self.closed = False

    def predict(self, texts):
        self.asked += texts
        if self.answers is not None:
            return self.answers
        share = np.array([[min(len(text), 100) / 100] for text in texts], np.float32)
        return np.hstack([share, 1 - share])

    def close(self):
        self.closed = True


@pytest.fixture
def here(tmp_path):
    return Surroundings({}, cores=2, load=0.5, installed=lambda module: True, home=tmp_path / "home")


@pytest.fixture
def project(tmp_path):
    (tmp_path / "train.csv").write_text(
        "text,label\nturn the light on please now,a\nbye,b\ngood day to you all,a\n"
    )
    (tmp_path / "test.csv").write_text("text,label\nsomething else,a\nfarewell,b\n")
    (tmp_path / "coffey.toml").write_text(TOML)
    return tmp_path / "coffey.toml"


def look(path, here, teacher=None, **more):
    return {
        one.name: one for one in examine(path, build_teacher=lambda _: teacher or Twos(), here=here, **more)
    }


def edit(path, old, new):
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_a_healthy_project_has_nothing_to_mend(project, here):
    """All is looked at, all is well, and the folder is as it was."""
    before = sorted(os.listdir(project.parent))
    teacher = Twos()
    found = look(project, here, teacher)
    assert [one for one in found.values() if one.ok is not True] == []
    assert list(found) == [
        "configuration",
        "data.transfer",
        "data.holdout",
        "leaks",
        "teacher",
        "store",
        "disk",
        "threads",
        "extra watch",
        "extra distill",
    ]
    assert found["data.transfer"].detail == "3 usable, 0 bad, 3 labelled with 2 labels"
    assert teacher.asked == ["turn the light on please now", "bye"]
    assert teacher.closed
    assert sorted(os.listdir(project.parent)) == before


def test_every_configuration_problem_is_a_finding(project, here):
    """With a broken file the rest cannot be looked at, but all its problems are listed."""
    edit(project, 'kind = "python"', 'kind = "pyton"\nbatch_size = 0')
    found = examine(project, build_teacher=lambda _: Twos(), here=here)
    wrong = [one.detail for one in found if one.name == "configuration"]
    assert len(wrong) == 2
    assert any("Did you mean 'python'?" in detail for detail in wrong)


def test_bad_rows_are_in_the_way_only_where_they_are_refused(project, here):
    """`refuse` makes them a fault, `skip` a remark; the first one is named by line."""
    with (project.parent / "train.csv").open("a") as file:
        file.write("ragged\n")
    finding = look(project, here)["data.transfer"]
    assert finding.ok is False
    assert "train.csv:5: 1 field(s) where the header has 2" in finding.detail
    edit(project, "[data]", '[data]\nbad_rows = "skip"')
    assert look(project, here)["data.transfer"].ok is None


def test_missing_data_columns_and_labels_are_found(project, here):
    """No file, no column, and labels that the teacher does not have."""
    (project.parent / "test.csv").unlink()
    assert "no such file" in look(project, here)["data.holdout"].detail
    (project.parent / "test.csv").write_text("txt,label\nx,a\n")
    assert "Did you mean 'txt'" in look(project, here)["data.holdout"].detail
    (project.parent / "test.csv").write_text("text,label\nx,c\n")
    finding = look(project, here)["data.holdout"]
    assert finding.ok is False
    assert "task.labels lacks 'c'" in finding.detail


def test_leaks_are_estimated(project, here):
    """Rows that stand in both sets are counted; very many mean a bad split."""
    (project.parent / "test.csv").write_text((project.parent / "train.csv").read_text())
    finding = look(project, here)["leaks"]
    assert finding.ok is False
    assert finding.detail.startswith("3 transfer rows stand in the holdout")


def test_only_the_first_rows_are_read(project, here):
    """Large files are sampled, and that is said."""
    found = look(project, here, rows=2)
    assert found["data.transfer"].detail.startswith("the first 2 rows: 2 usable")
    assert found["leaks"].detail.startswith("at least, by the first rows")


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        (np.ones((2, 3)) / 3, "the shape [2, 3] where [2, 2] was expected"),
        (np.array([[0.5, np.nan], [0.5, 0.5]]), "not finite"),
        (np.array([[2.0, -1.0], [0.5, 0.5]]), "not probabilities"),
        (np.array([["a", "b"], ["a", "b"]]), "not finite numbers"),
        ([0.5, 0.5], "the shape [2]"),
    ],
)
def test_a_python_teacher_that_answers_wrongly_is_found(project, here, answers, message):
    """Shape, finiteness and sums are checked on two real texts."""
    finding = look(project, here, Twos(answers))["teacher"]
    assert finding.ok is False
    assert message in finding.detail


@pytest.mark.parametrize(
    "error", [TeacherUnavailable("pkg.module:predict", "no module"), ImportError("no pkg")]
)
def test_a_teacher_that_cannot_be_built_is_found(project, here, error):
    """Whatever the user's code raises is told, not thrown."""

    def fail(settings):
        raise error

    found = {one.name: one for one in examine(project, build_teacher=fail, here=here)}
    assert found["teacher"].ok is False
    assert str(error) in found["teacher"].detail


def checkpoint(folder, *names, architectures=("BertForSequenceClassification",)):
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_text(json.dumps({"architectures": architectures}))


def test_a_checkpoint_folder_is_checked_for_its_parts(project, here):
    """Missing files are named; a checkpoint without a head needs one."""
    edit(
        project, 'kind = "python"\nsource = "pkg.module:predict"', 'kind = "transformers"\nsource = "./model"'
    )
    folder = project.parent / "model"
    assert "is not a folder" in look(project, here)["teacher"].detail
    checkpoint(folder, "config.json")
    assert "lacks weights, a tokenizer" in look(project, here)["teacher"].detail
    checkpoint(folder, "model.safetensors", "tokenizer.json")
    assert look(project, here)["teacher"].ok is True
    checkpoint(folder, "config.json", architectures=("BertModel",))
    assert "no classification head" in look(project, here)["teacher"].detail
    edit(project, 'source = "./model"', 'source = "./model"\nhead = "h.safetensors"')
    assert "is not there" in look(project, here)["teacher"].detail
    checkpoint(project.parent, "h.safetensors")
    assert look(project, here)["teacher"].ok is True


def test_a_hub_id_is_looked_up_in_the_cache(project, here):
    """Cached is fine; not cached is a remark online and a fault offline; without torch it is a fault."""
    edit(
        project,
        'kind = "python"\nsource = "pkg.module:predict"',
        'kind = "transformers"\nsource = "org/model"',
    )
    assert look(project, here)["teacher"].ok is None
    offline = Surroundings({"HF_HUB_OFFLINE": "1"}, 2, 0.0, here.installed, here.home)
    assert look(project, offline)["teacher"].ok is False
    bare = Surroundings({}, 2, 0.0, lambda module: module != "torch", here.home)
    assert "torch" in look(project, bare)["teacher"].detail
    (here.home / ".cache/huggingface/hub/models--org--model/snapshots/abc").mkdir(parents=True)
    assert look(project, offline)["teacher"].ok is True
    elsewhere = Surroundings(
        {"HF_HUB_OFFLINE": "1", "HF_HOME": "/nowhere"}, 2, 0.0, here.installed, here.home
    )
    assert look(project, elsewhere)["teacher"].ok is False


def test_a_store_that_cannot_be_made_is_found(project, here):
    """A file in the way is a fault; a URL is not examined."""
    edit(project, 'name = "demo"', 'name = "demo"\nstore = "train.csv/store"')
    assert look(project, here)["store"].ok is False
    edit(project, '"train.csv/store"', '"s3://bucket/x"')
    assert look(project, here)["store"].ok is None


@pytest.mark.parametrize(
    ("environment", "load", "setting", "ok", "words"),
    [
        ({}, 0.1, "", True, "OMP_NUM_THREADS not set"),
        ({"OMP_NUM_THREADS": "2"}, 0.1, "", True, "OMP_NUM_THREADS 2"),
        ({"OMP_NUM_THREADS": "8"}, 0.1, "", False, "OMP_NUM_THREADS = 8"),
        ({"OMP_NUM_THREADS": "all"}, 0.1, "", False, "OMP_NUM_THREADS all"),
        ({}, 0.1, "[chain]\nthreads = 3\n", False, "chain.threads = 3"),
        ({}, 7.0, "", None, "more than all cores"),
    ],
)
def test_oversubscribed_cores_are_found(project, here, environment, load, setting, ok, words):
    """More threads than cores, or other work on all cores, is told."""
    project.write_text(project.read_text() + setting)
    facts = Surroundings(environment, 2, load, here.installed, here.home)
    finding = look(project, facts)["threads"]
    assert finding.ok is ok
    assert words in finding.detail


def test_missing_extras_are_named_with_the_command(project, here):
    """What is not installed is a remark, with what to run."""
    bare = Surroundings({}, 2, 0.0, lambda module: module not in ("duckdb", "onnx"), here.home)
    found = look(project, bare)
    assert found["extra watch"].ok is None
    assert "duckdb" in found["extra watch"].detail
    assert found["extra distill"].mend == "pip install 'coffey[distill]'"


def test_this_machine_can_be_described():
    """The real surroundings answer: at least one core, installed packages told from absent ones."""
    facts = surroundings_here()
    assert 1 <= facts.cores == usable_cores() <= (os.cpu_count() or 1)
    assert facts.installed("numpy")
    assert not facts.installed("no_such_package_anywhere")
    assert facts.home == Path.home()
    assert cpu_quota("nonsense") is None
