"""`coffey.toml` is read strictly, with every problem at once, into frozen values with absolute paths."""

from __future__ import annotations

import copy
import json
import tomllib
from dataclasses import asdict

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffey.core.errors import ConfigError
from coffey.core.ranges import Range
from coffey.core.settings import ChainSettings, Settings
from coffey.project.configuration import load_settings, parse_settings, settings_reference
from coffey.project.toml_file import toml_value

MINIMAL = """
[project]
name = "demo"
[teacher]
kind = "python"
source = "pkg.module:predict"
[data]
transfer = "train.jsonl"
holdout = "test.jsonl"
"""
DOCUMENT = {
    "project": {"name": "demo"},
    "teacher": {"kind": "python", "source": "pkg.module:predict"},
    "data": {"transfer": "train.jsonl", "holdout": "test.jsonl"},
}


def document(**changes):
    """The minimal document with sections updated; a value of None takes the key out."""
    made = copy.deepcopy(DOCUMENT)
    for section, values in changes.items():
        table = made.setdefault(section, {})
        table.update(values)
        made[section] = {key: value for key, value in table.items() if value is not None}
    return made


def problems(made):
    """The problems of a document by key."""
    with pytest.raises(ConfigError) as caught:
        parse_settings(made, "coffey.toml")
    return {problem.key: problem for problem in caught.value.problems}


def test_a_minimal_file_is_all_defaults(tmp_path):
    """What the file does not say is the default of core/settings.py."""
    path = tmp_path / "coffey.toml"
    path.write_text(MINIMAL)
    settings = load_settings(path)
    assert isinstance(settings, Settings)
    assert settings.chain == ChainSettings()
    assert settings.project.store == str(tmp_path / ".coffey")
    assert settings.data.transfer == (str(tmp_path / "train.jsonl"),)


def test_every_problem_is_reported_at_once():
    """Problems of all kinds, of fields and between fields, in one error with key, value and expectation."""
    made = {
        "techer": 3,
        "project": {"name": ""},
        "task": {"labels": [1, "a"]},
        "teacher": {"kind": "pyton", "cost": {"usd_per_hour": 1, "usd_per_1k_requests": 2}},
        "data": {"transfr": "x", "transfer": [], "holdout": "h", "max_drop": 1},
        "chain": {
            "stages": ["2M", "3M", 4],
            "guidance": "densee",
            "epochs": "0.9",
            "batch_size": 1.0,
            "seed": True,
        },
        "monitor": {"max_drop": 0.05, "redistill_drop": 0.01},
        "budget": {"min_retention": float("nan")},
        "export": 5,
    }
    found = problems(made)
    assert set(found) == {
        "techer",
        "project.name",
        "task.labels[0]",
        "teacher.kind",
        "teacher.source",
        "teacher.cost",
        "data.transfr",
        "data.transfer",
        "data.max_drop",
        "chain.stages[1]",
        "chain.stages[2]",
        "chain.guidance",
        "chain.epochs",
        "chain.batch_size",
        "chain.seed",
        "monitor.redistill_drop",
        "budget.min_retention",
        "export",
    }
    assert found["chain.guidance"].expected == "one of 'previous', 'root', 'dense'"
    assert found["chain.guidance"].nearest == "dense"
    assert found["chain.stages[2]"].value == 4
    assert found["techer"].nearest == "teacher"
    assert found["data.transfr"].nearest == "transfer"
    assert found["data.max_drop"].nearest == "monitor.max_drop"
    assert str(found["teacher.source"]).startswith(
        "teacher.source = (not set): expected a non-empty string (required"
    )
    assert found["budget.min_retention"].expected == "a number above 0 and at most 1.5"
    assert found["export"].expected == "a table"
    assert "at least monitor.max_drop (0.05)" in found["monitor.redistill_drop"].expected


@pytest.mark.parametrize(
    ("section", "values", "key", "expected"),
    [
        ("chain", {"hard_weight": 1.5}, "chain.hard_weight", "a number from 0 to 1"),
        ("chain", {"warmup": 1}, "chain.warmup", "a number of at least 0 and below 1"),
        ("chain", {"batch_size": 0}, "chain.batch_size", "a whole number of at least 1"),
        ("teacher", {"batch_size": 5000}, "teacher.batch_size", "a whole number from 1 to 4096"),
        ("export", {"int8": 1}, "export.int8", "true or false"),
        ("serve", {"host": 3}, "serve.host", "a non-empty string"),
        ("data", {"bad_rows": "ignore"}, "data.bad_rows", "one of 'refuse', 'skip'"),
        (
            "task",
            {"text": None, "labels": 3},
            "task.labels",
            "a list of non-empty strings or a non-empty string",
        ),
        (
            "economics",
            {"requests_per_day": float("inf")},
            "economics.requests_per_day",
            "a number of at least 0 or a range such as '8M..12M'",
        ),
        (
            "teacher",
            {"cost": {"usd_per_hour": -1}},
            "teacher.cost.usd_per_hour",
            "a number of at least 0 or a range such as '8M..12M'",
        ),
        ("teacher", {"cost": 1.2}, "teacher.cost", "a table"),
    ],
)
def test_what_was_expected_is_said_in_words(section, values, key, expected):
    """Bounds and types read as a person would say them."""
    found = problems(document(**{section: values}))
    assert found[key].expected == expected
    assert list(found) == [key]


@pytest.mark.parametrize(
    ("section", "values", "key"),
    [
        ("monitor", {"redistill_drop": 0.01}, "monitor.redistill_drop"),
        ("monitor", {"max_drop": 0.5}, "monitor.redistill_drop"),
        ("teacher", {"cost": {}}, "teacher.cost"),
        ("teacher", {"cost": {"usd_per_hour": 1.0, "usd_per_1m_tokens": 1.0}}, "teacher.cost"),
        ("teacher", {"source": "pkg.module"}, "teacher.source"),
        ("teacher", {"source": "pkg/module.py:f"}, "teacher.source"),
        ("teacher", {"source": "pkg.module:f.g"}, "teacher.source"),
        ("chain", {"stages": ["2M", "2M"]}, "chain.stages[1]"),
        ("chain", {"stages": ["700K", "1M"]}, "chain.stages[1]"),
        ("chain", {"stages": ["2X"]}, "chain.stages[0]"),
        ("chain", {"stages": ["0M"]}, "chain.stages[0]"),
        ("chain", {"stages": ["layers=3"]}, "chain.stages[0]"),
        ("chain", {"stages": ["layers=3,width=100,heads=3"]}, "chain.stages[0]"),
        ("chain", {"stages": ["layers=3,width=x"]}, "chain.stages[0]"),
        ("chain", {"stages": ["layers=3,width=" + "9" * 5000]}, "chain.stages[0]"),
        ("chain", {"stages": []}, "chain.stages"),
        ("chain", {"stages": ["static:"]}, "chain.stages[0]"),
        ("chain", {"stages": ["static:0K"]}, "chain.stages[0]"),
        ("chain", {"stages": ["static:layers=2,width=8"]}, "chain.stages[0]"),
        ("chain", {"stages": ["static:vocabulary=8"]}, "chain.stages[0]"),
        ("chain", {"stages": ["2M", "static:3M"]}, "chain.stages[1]"),
        ("chain", {"stages": ["module=students"]}, "chain.stages[0]"),
        ("chain", {"stages": ["module=students:make,width=8"]}, "chain.stages[0]"),
        ("chain", {"epochs": 10**400}, "chain.epochs"),
        ("task", {"labels": "a\0b"}, "task.labels"),
        ("data", {"transfer": ["a\0b"]}, "data.transfer[0]"),
        ("data", {"holdout": ["other.jsonl", "train.jsonl"]}, "data.holdout"),
        ("task", {"labels": ["one"]}, "task.labels"),
        ("task", {"labels": ["one", "two", "one"]}, "task.labels"),
        ("task", {"labels": "absent.json"}, "task.labels"),
    ],
)
def test_rules_between_fields(section, values, key):
    """What no field breaks alone is found too, and nothing else is blamed."""
    assert list(problems(document(**{section: values}))) == [key]


def test_a_misspelled_part_of_a_shape_has_a_nearest_name():
    """`layer=3` is most likely `layers=3`."""
    found = problems(document(chain={"stages": ["layer=3,width=192"]}))
    assert found["chain.stages[0]"].nearest == "layers"


@pytest.mark.parametrize(
    "stages",
    [
        ["7M", "2M", "700K"],
        ["1B"],
        ["1.5m", "1.4M"],
        ["layers=3,width=192,heads=6,vocabulary=8000", "3M"],
        ["layers=2,width=128,embedding=32"],
        ["2000000"],
    ],
)
def test_stages_that_are_read(stages):
    """Targets and shapes in every spelling; sizes are compared only where all are targets."""
    assert parse_settings(document(chain={"stages": stages}), "c.toml").chain.stages == tuple(stages)


def test_stages_may_be_left_to_the_plan():
    """`stages = "auto"` is read as a tuple of that word; as one stage among others it is refused."""
    assert parse_settings(document(chain={"stages": "auto"}), "c.toml").chain.stages == ("auto",)
    for stages, key in (
        ("aut", "chain.stages"),
        (["auto"], "chain.stages[0]"),
        (["2M", "auto"], "chain.stages[1]"),
    ):
        assert list(problems(document(chain={"stages": stages}))) == [key]
    found = problems(document(chain={"stages": "2M"}))
    assert found["chain.stages"].expected == "a list of non-empty strings or 'auto'"


def test_whole_numbers_serve_as_numbers_and_lists_as_tuples():
    """TOML's 1 is fine for a number, and comes out as one."""
    made = document(chain={"epochs": 3}, teacher={"cost": {"usd_per_hour": 1}}, task={"labels": ["a", "b"]})
    settings = parse_settings(made, "coffey.toml")
    assert isinstance(settings.chain.epochs, float)
    assert isinstance(settings.teacher.cost.usd_per_hour, float)
    assert settings.task.labels == ("a", "b")


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("8_000_000..12_000_000", 8e6, 12e6),
        ("8M..12M", 8e6, 12e6),
        ("0 .. 1.5k", 0.0, 1500.0),
        ("1e6..1e6", 1e6, 1e6),
    ],
)
def test_an_amount_may_be_a_range(text, low, high):
    """Every amount of [economics] and of teacher.cost reads `low..high`, and is its middle elsewhere."""
    made = document(economics={"requests_per_day": text}, teacher={"cost": {"usd_per_hour": text}})
    settings = parse_settings(made, "coffey.toml")
    for found in (settings.economics.requests_per_day, settings.teacher.cost.usd_per_hour):
        assert isinstance(found, Range)
        assert (found.low, found.high) == (low, high)
        assert low <= found <= high


@pytest.mark.parametrize(
    ("key", "text", "advice"),
    [
        ("student_usd_per_hour", "$0.17", "written without a sign: write 0.17"),
        ("student_usd_per_hour", "0.17 USD", "written without a sign: write 0.17"),
        ("student_usd_per_hour", "EUR 0.17", "amounts are in USD: convert it"),
        ("student_usd_per_hour", "€0.1..€0.2", "amounts are in USD: convert it"),
        ("requests_per_day", "12M..8M", "write '8000000..12000000'"),
        ("requests_per_day", "10M", "write 10000000 without quotes"),
        ("requests_per_day", "-1..5", "a number of at least 0"),
        ("requests_per_day", "many", "a range such as '8M..12M'"),
        ("requests_per_day", "1..1e999", "a range such as '8M..12M'"),
        ("peak_to_mean", "0.5..2", "a number of at least 1"),
        ("cascade_share", "0.5..2", "a number from 0 to 1"),
    ],
)
def test_an_amount_that_cannot_be_read_says_what_to_write(key, text, advice):
    """A currency, ends the wrong way round, a bound that an end breaks: one problem with key and value."""
    found = problems(document(economics={key: text}))
    assert list(found) == [f"economics.{key}"]
    assert found[f"economics.{key}"].value == text
    assert advice in found[f"economics.{key}"].expected


def test_paths_are_relative_to_the_file_and_urls_stay(tmp_path, monkeypatch):
    """Whatever the working directory, paths mean the same; `~` is the home; URLs are left alone."""
    monkeypatch.setenv("HOME", "/home/someone")
    (tmp_path / "models" / "mine").mkdir(parents=True)
    made = document(
        project={"store": "s3://bucket/prefix"},
        teacher={"kind": "transformers", "source": "models/mine", "head": "heads/../h.safetensors"},
        data={"transfer": ["a/*.csv", "gs://b/c.parquet"], "holdout": "~/test.csv"},
    )
    settings = parse_settings(made, "x", folder=tmp_path)
    assert settings.project.store == "s3://bucket/prefix"
    assert settings.teacher.source == str(tmp_path / "models" / "mine")
    assert settings.teacher.head == str(tmp_path / "h.safetensors")
    assert settings.data.transfer == (str(tmp_path / "a/*.csv"), "gs://b/c.parquet")
    assert settings.data.holdout == ("/home/someone/test.csv",)
    strange = parse_settings(document(project={"store": "~no-such-user/x"}), "x", folder=tmp_path)
    assert strange.project.store == str(tmp_path / "~no-such-user" / "x")


@pytest.mark.parametrize(
    ("source", "local"), [("org/model", False), ("./org/model", True), ("/org/model", True)]
)
def test_a_hub_id_is_no_path(tmp_path, source, local):
    """A source is a folder when it exists or is written as a path; otherwise it is the hub's."""
    settings = parse_settings(
        document(teacher={"kind": "transformers", "source": source}), "x", folder=tmp_path
    )
    assert (settings.teacher.source != "org/model") == local
    assert settings.teacher.source.startswith("/") == local


def test_labels_are_read_from_their_file(tmp_path):
    """A JSON list beside the file becomes the labels."""
    (tmp_path / "labels.json").write_text(json.dumps(["no", "yes"]))
    made = document(task={"labels": "labels.json"})
    assert parse_settings(made, str(tmp_path / "coffey.toml")).task.labels == ("no", "yes")


@pytest.mark.parametrize("content", ["{}", "[1, 2]", "[", '["a"]', '["a", "a"]'])
def test_a_bad_labels_file_is_a_problem(tmp_path, content):
    """Wrong JSON, wrong content, too few and repeated labels."""
    (tmp_path / "labels.json").write_text(content)
    with pytest.raises(ConfigError, match=r"task\.labels"):
        parse_settings(document(task={"labels": "labels.json"}), str(tmp_path / "coffey.toml"))


@pytest.mark.parametrize(
    ("content", "where", "reason"),
    [
        (b'[project]\nname = "x"\nstore = \n', "line 3", "valid TOML"),
        (b"[project\n", "line 1", "valid TOML"),
        (b'[project]\nname = "x"\nname = "y"\n', "line 3", "valid TOML"),
        (b'[project]\nname = "caf\xe9"\n', "line 2", "UTF-8 text"),
        (b"a = " + b"1" * 5000, "line 1", "valid TOML"),
        (b"a = " + b"[" * 5000, "line 1", "valid TOML"),
    ],
)
def test_a_file_that_is_no_toml_says_where(tmp_path, content, where, reason):
    """Syntax and encoding errors name the line and what stands there."""
    path = tmp_path / "coffey.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_settings(path)
    (problem,) = caught.value.problems
    assert problem.key.startswith(where)
    assert reason in problem.expected


def test_a_byte_order_mark_and_windows_lines_are_read(tmp_path):
    """What an editor on Windows writes is fine."""
    path = tmp_path / "coffey.toml"
    path.write_bytes(b"\xef\xbb\xbf" + MINIMAL.replace("\n", "\r\n").encode())
    assert load_settings(path).project.name == "demo"


def test_a_missing_file_and_a_folder_say_what_to_do(tmp_path):
    """`coffey init` for a missing file, the file inside for a folder, the neighbour for a misspelling."""
    with pytest.raises(ConfigError, match="coffey init"):
        load_settings(tmp_path / "coffey.toml")
    (tmp_path / "coffey.toml").write_text(MINIMAL)
    with pytest.raises(ConfigError, match=r"not a folder. Did you mean '.*coffey.toml'"):
        load_settings(tmp_path)
    with pytest.raises(ConfigError, match=r"Did you mean '.*coffey.toml'"):
        load_settings(tmp_path / "cofey.toml")
    with pytest.raises(ConfigError):
        load_settings(tmp_path / "absent" / "coffey.toml")


def _leaves(value: object) -> int:
    return sum(map(_leaves, value.values())) if isinstance(value, dict) else 1


def test_the_reference_names_every_key():
    """One line for each field of each section, with words for type, default and meaning."""
    lines = settings_reference()
    assert len(lines) == _leaves(asdict(_defaults()))
    found = {(line.section, line.key): line for line in lines}
    assert found["chain", "stages"].default == '["7M", "2M", "700K"]'
    assert found["data", "transfer"].default == "required"
    assert found["teacher.cost", "usd_per_hour"].default == "absent"
    assert all(line.type and line.meaning for line in lines)


def _defaults():
    return parse_settings(DOCUMENT, "coffey.toml")


@hypothesis.settings(deadline=None)
@given(st.text(st.characters(blacklist_categories=("Cs",))))
def test_any_string_survives_as_toml(text):
    """`coffey init` can write whatever path or name it is given."""
    assert tomllib.loads(f"key = {toml_value(text)}") == {"key": text}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
KEYS = st.sampled_from(
    [(line.section, line.key) for line in settings_reference()] + [("chain", "zz"), ("zz", "zz")]
)


@hypothesis.settings(deadline=None)
@given(st.lists(st.tuples(KEYS, VALUES), max_size=4))
def test_any_document_is_settings_or_a_configuration_error(changes):
    """Whatever stands in the file, reading it ends in settings or in problems, never in another exception."""
    made = copy.deepcopy(DOCUMENT)
    for (section, key), value in changes:
        table = made
        for name in section.split("."):
            table = table.setdefault(name, {}) if isinstance(table, dict) else {}
        if isinstance(table, dict):
            table[key] = value
    try:
        settings, found = parse_settings(made, "coffey.toml"), ()
    except ConfigError as error:
        settings, found = None, error.problems
    assert isinstance(settings, Settings) != bool(found)
