"""`coffey init` writes a file that loads, explains every key, and guesses the columns."""

from __future__ import annotations

import tomllib

import pytest

from coffey.project.configuration import load_settings, settings_reference
from coffey.project.starter import starter_toml


def load(text, folder):
    path = folder / "coffey.toml"
    path.write_text(text, encoding="utf-8")
    return load_settings(path)


def test_the_starter_loads_as_it_is(tmp_path):
    """Without any answers it is a valid file, whose values are the defaults."""
    settings = load(starter_toml(), tmp_path)
    assert settings.teacher.kind == "python"
    assert settings.task.label is None
    defaults = {(line.section, line.key): line.default for line in settings_reference()}
    assert defaults["budget", "min_retention"] == repr(settings.budget.min_retention)


def test_every_key_stands_in_it_once_with_its_meaning():
    """Active or as a comment, no key is missing, so the file never goes stale."""
    text = starter_toml()
    flowing = text.replace("\n# ", " ")
    for line in settings_reference():
        assert line.meaning in flowing
    keys = [
        line.removeprefix("# ").split(" = ")[0]
        for line in text.splitlines()
        if " = " in line and "`" not in line
    ]
    assert keys == [line.key for line in settings_reference()]


@pytest.mark.parametrize("section", sorted({line.section for line in settings_reference()}))
def test_commented_keys_are_valid_when_uncommented(tmp_path, section):
    """Taking the comment signs off a section's keys gives a file that loads (one price out of three)."""
    lines, inside, priced = [], False, False
    for line in starter_toml(teacher="org/model").splitlines():
        bare = line.removeprefix("# ")
        if bare.startswith("["):
            inside = bare == f"[{section}]"
        active = inside and (bare.startswith("[") or (" = " in bare and not bare.startswith("Lines")))
        if active and section == "teacher.cost" and not bare.startswith("["):
            active, priced = not priced, True
        if bare.startswith("threshold = "):
            active = False  # of multi-label tasks alone
        lines.append(bare if active else line)
    text = "\n".join(lines)
    assert tomllib.loads(text)
    load(text, tmp_path)


@pytest.mark.parametrize(
    ("teacher", "kind"),
    [("pkg.mod:f", "python"), ("org/model", "transformers"), ("./folder", "transformers")],
)
def test_the_kind_of_teacher_is_told_from_its_source(tmp_path, teacher, kind):
    """`module:function` is python, anything else a checkpoint."""
    settings = load(starter_toml(name='quo"te\\d', teacher=teacher), tmp_path)
    assert settings.teacher.kind == kind
    assert settings.project.name == 'quo"te\\d'


def test_columns_are_taken_from_the_data(tmp_path):
    """The file's columns are proposed as text and label, and listed for the reader."""
    (tmp_path / "train.csv").write_text("id,utterance,intent\n1,turn on the light,on\n2,turn it off,off\n")
    text = starter_toml(transfer="train.csv", holdout="test.csv", folder=tmp_path)
    settings = load(text, tmp_path)
    assert (settings.task.text, settings.task.label) == ("utterance", "intent")
    assert settings.data.holdout == (str(tmp_path / "test.csv"),)
    assert "columns found: id, utterance, intent" in text


def test_unreadable_data_does_not_stop_the_starter(tmp_path):
    """A file that comes later is named all the same, with the default columns."""
    settings = load(starter_toml(transfer="later.csv", folder=tmp_path), tmp_path)
    assert settings.task.text == "text"
    assert settings.data.transfer == (str(tmp_path / "later.csv"),)
