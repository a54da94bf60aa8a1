"""Errors are one tree; each names the thing, the value, what was expected and what to do."""

from __future__ import annotations

import inspect
import pickle

import pytest

from coffey.core import errors
from coffey.core.errors import BadRow, BadRows, CoffeyError, ConfigError, MissingColumn, MissingExtra, Problem


def classes():
    return [one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, CoffeyError)]


def drawn():
    """Each class in the tree at the top of the file, with the exit code of its line or the one above."""
    code, found = "3", []
    for line in (errors.__doc__ or "").split("```")[1].splitlines():
        code = next((word for word in line.split() if word.isdigit()), code)
        found += [(word, int(code)) for word in line.split() if word[0].isupper()]
    return found


def test_every_error_is_drawn_in_the_tree_with_its_exit_code():
    """The tree lists every class once, with the exit code that it has, and nothing else."""
    assert sorted(drawn()) == sorted((one.__name__, one.exit_code) for one in classes())


def test_a_problem_reads_as_a_sentence():
    """Key, value, expectation and hint."""
    problem = Problem("chain.guidance", "densee", "one of 'root', 'dense'", "dense")
    assert str(problem) == "chain.guidance = 'densee': expected one of 'root', 'dense'. Did you mean 'dense'?"
    assert str(ConfigError("coffey.toml", [problem])).startswith("coffey.toml: 1 problem\n  chain.guidance")
    assert "2 problems" in str(ConfigError("coffey.toml", [problem, problem]))


@pytest.mark.parametrize(
    "error",
    [
        ConfigError("coffey.toml", [Problem("chain.stages", "2M", "less than the stage before")]),
        MissingExtra("Reading Parquet", "distill", "pyarrow"),
        MissingColumn("rows.jsonl", "text", ["body"], None),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_crosses_to_another_process(error):
    """Pickled and read again it is of its class and says the same; a process pool hands it on."""
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert (str(again), again.exit_code, vars(again)) == (str(error), error.exit_code, vars(error))


def test_bad_rows_show_the_first_and_count_the_rest():
    """The list is cut, the count is not, and the way out is named."""
    rows = [BadRow("d.csv", line, "the text is missing") for line in range(1, 31)]
    message = str(BadRows(rows, total=45))
    assert "45 bad row(s)" in message
    assert "data.bad_rows = 'skip'" in message
    assert "d.csv:20: the text is missing" in message
    assert "d.csv:21" not in message
    assert "… and 25 more" in message


def test_a_missing_extra_says_what_to_install():
    """The message is a command that can be copied."""
    assert "pip install 'coffey[watch]'" in str(MissingExtra("Reading Parquet", "watch", "pyarrow"))


def test_a_missing_column_lists_those_there_are():
    """Also where there is none, and no name is near."""
    assert str(MissingColumn("d.csv", "text", [], None)) == "'d.csv' has no column 'text'; it has none."


@pytest.mark.parametrize(
    ("error", "values"),
    [
        (errors.EmptyData("d.csv", "the files are empty"), ["d.csv", "the files are empty"]),
        (errors.UnreadableData("d.csv", "no such file"), ["d.csv", "no such file"]),
        (errors.ProbeFailed("student latency", "no cores"), ["student latency", "no cores", "coffey doctor"]),
        (errors.TeacherUnavailable("m", "timed out"), ["'m'", "timed out", "run again"]),
        (errors.LabelRejected("m", "3 columns", "2"), ["'m'", "3 columns", "2"]),
        (errors.BudgetExhausted(1.5, 2.0, 10), ["1.5000", "2.0000", "10", "budget.max_usd"]),
        (errors.StoreCorrupt("s/0.parquet", "checksum"), ["s/0.parquet", "checksum"]),
        (errors.StageDiverged("2M", 10, float("nan"), 1e-3), ["2M", "10", "nan", "0.001", "chain.warmup"]),
        (errors.StageInputsChanged("2M", "stages/1", ["labels"]), ["2M", "stages/1", "labels"]),
        (errors.NothingToTrain("2M", "no examples"), ["2M", "no examples"]),
        (errors.UnknownFormat("a", 9, [1]), ["'a'", "9", "[1]", "Upgrade"]),
        (errors.DigestMismatch("a/model.onnx", "0" * 64, "1" * 64), ["a/model.onnx", "0" * 12, "1" * 12]),
        (errors.BadSignature("a", "unknown key"), ["'a'", "unknown key"]),
        (errors.ParityExceeded("int8", 0.9, 0.99), ["int8", "0.9000", "0.9900", "export.min_parity"]),
        (errors.Overloaded(10, 5, 0.5), ["10", "5", "0.5 s"]),
        (errors.UnknownVersion("v9", []), ["v9", "coffey distill"]),
        (errors.UnknownVersion("v9", ["v1"]), ["v9", "v1"]),
        (errors.AliasMoved("champion", "v1", "v2"), ["champion", "v1", "v2"]),
        (errors.StoreUnavailable("s", "no space left"), ["'s'", "no space left"]),
        (errors.LeaseHeld("tick", "host:1", "noon"), ["tick", "host:1", "noon"]),
    ],
    ids=lambda one: type(one).__name__,
)
def test_a_message_names_the_thing_the_value_and_what_to_do(error, values):
    """What a class is given stands in its message."""
    assert [value for value in values if value not in str(error)] == []
