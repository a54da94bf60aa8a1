"""Every command: its help, one JSON object on stdout, and an exit code that means something."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from coffey.cli.app import main

COMMANDS = (
    "demo", "init", "doctor", "plan", "label", "distill", "bench", "serve", "tick", "watch", "models",
    "promote", "rollback", "report", "dash", "traffic",
)  # fmt: skip
SOURCE = Path(sys.modules["coffey"].__file__).parents[1]
CALCULATOR = ("plan", "--saves-usd-per-1k", "0.01", "--requests-per-day", "10000000")


@pytest.fixture
def coffey(monkeypatch, capsys):
    """Run the command line in this process: `coffey("plan", …)` gives exit code, stdout, stderr."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["coffey", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return left.value.code, said.out, said.err

    return run


def only_object(out):
    """The one JSON object on stdout; nothing may stand beside it."""
    assert out.endswith("\n")
    assert out.count("\n") == 1
    value = json.loads(out, parse_constant=lambda name: pytest.fail(name))
    assert isinstance(value, dict)
    return value


def edited(project, old, new):
    project.edit(old, new)
    return project


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(coffey, command):
    """`--help` ends with 0 and describes the command and its options."""
    code, out, err = coffey(command, "--help")
    assert (code, err) == (0, "")
    assert f"coffey {command}" in out
    assert "--help" in out


def test_the_help_lists_every_command(coffey):
    """What is listed is what there is."""
    code, out, _ = coffey("--help")
    assert code == 0
    listed = re.findall(r"^\W*([a-z]+)\s{2,}\S", out, flags=re.MULTILINE)
    assert [name for name in listed if name in COMMANDS] == list(COMMANDS)


def test_the_version_is_printed(coffey):
    """And nothing else."""
    from coffey._version import __version__

    assert coffey("--version") == (0, f"{__version__}\n", "")


@pytest.mark.parametrize(
    "arguments", [("distil",), ("plan", "--no-such-option"), ("bench", "--seconds", "x")]
)
def test_a_misspelled_command_is_a_usage_error(coffey, arguments):
    """Exit code 2; stdout stays empty."""
    code, out, err = coffey(*arguments)
    assert (code, out) == (2, "")
    assert err


@pytest.mark.parametrize(("run_usd", "days"), [(5000, 50), (1000, 10), (10_000, 100)])
def test_the_calculator_needs_no_project(coffey, tmp_path, monkeypatch, run_usd, days):
    """100 USD a day: 5,000 USD are back in 50 days."""
    monkeypatch.chdir(tmp_path)
    code, out, _ = coffey(*CALCULATOR, "--run-usd", run_usd, "--json")
    assert code == 0
    plan = only_object(out)
    assert plan["break_even_days"] == pytest.approx(days)
    assert plan["savings_usd_per_day"] == pytest.approx(100)
    code, out, _ = coffey(*CALCULATOR, "--run-usd", run_usd)
    assert code == 0
    assert f"{days} days" in out


def test_the_calculator_takes_ranges(coffey):
    """Low and high ends give a distribution, in the object and in the text."""
    ranged = (*CALCULATOR[:3], "--requests-per-day", "8M..12M", "--run-usd", "4_000..6_000")
    code, out, _ = coffey(*ranged, "--json")
    assert code == 0
    plan = only_object(out)
    assert plan["figures"]["run_usd"]["low"] == 4000
    assert plan["break_even"]["p10"] < plan["break_even_days"] < plan["break_even"]["p90"]
    assert plan["net_value"]["p10"] < plan["net_value"]["mean"] < plan["net_value"]["p90"]
    assert plan["never_probability"] == 0
    code, out, _ = coffey(*ranged)
    assert code == 0
    assert "less than 1 % chance" in " ".join(out.split())
    assert "8,000,000 to 12,000,000" in out


@pytest.mark.parametrize(
    ("text", "advice"), [("$5000", "write 5000"), ("EUR 5", "convert it"), ("9..1", "'1..9'"), ("few", "LOW")]
)
def test_an_amount_that_cannot_be_read_is_a_usage_error(coffey, text, advice):
    """Exit code 2, the option and what to write instead; no traceback."""
    code, out, err = coffey(*CALCULATOR, "--run-usd", text, "--json")
    assert (code, out) == (2, "")
    assert "--run-usd" in err
    assert advice.casefold() in " ".join(err.split()).casefold()


def test_what_does_not_pay_ends_with_1(coffey):
    """The answer is no, and still one object."""
    code, out, _ = coffey(*CALCULATOR, "--run-usd", "1e9", "--json")
    assert code == 1
    assert only_object(out)["pays"] is False


def test_half_a_calculation_names_what_is_missing(coffey):
    """Both missing figures at once; exit code 2."""
    code, out, err = coffey("plan", "--run-usd", 5000, "--json")
    assert (code, out) == (2, "")
    assert "--saves-usd-per-1k" in err
    assert "--requests-per-day" in err


def test_every_problem_of_a_configuration_is_told_at_once(coffey, untouched):
    """Three mistakes, three lines, exit code 2, no traceback."""
    untouched.edit("epochs = 16", "epochs = -1")
    untouched.edit("max_usd = 10", "max_used = 10")
    untouched.edit('kind = "python"', 'kind = "pyhton"')
    code, out, err = coffey("label", "--config", untouched.config, "--json")
    assert (code, out) == (2, "")
    assert "3 problems" in err
    for key in ("chain.epochs", "budget.max_used", "teacher.kind"):
        assert key in err
    assert "Did you mean" in err
    assert "Traceback" not in err


def test_a_missing_configuration_says_what_writes_one(coffey, tmp_path, monkeypatch):
    """In a folder without coffey.toml every command says the same."""
    monkeypatch.chdir(tmp_path)
    for command in ("label", "tick", "models", "serve"):
        code, out, err = coffey(command)
        assert (code, out) == (2, ""), command
        assert "coffey init" in err


def test_label_prints_one_object(coffey, untouched):
    """With the keys that others build on; progress is on stderr alone."""
    code, out, _ = coffey("label", "-c", untouched.config, "--json")
    assert code == 0
    said = only_object(out)
    assert (said["labels"], said["asked"]) == (60, 90)
    assert said["usd"] == pytest.approx(0.09)
    code, out, _ = coffey("label", "-c", untouched.config, "--json")
    again = only_object(out)
    assert (code, again["asked"], again["digest"]) == (0, 0, said["digest"])
    code, out, _ = coffey("label", "-c", untouched.config)
    assert code == 0
    assert said["digest"] in out


def test_a_budget_that_is_used_up_ends_with_3(coffey, untouched):
    """Something outside failed: the message says what to do."""
    untouched.edit("max_usd = 10", "max_usd = 0.01")
    code, out, err = coffey("label", "-c", untouched.config, "--json")
    assert (code, out) == (3, "")
    assert "budget.max_usd" in err


def test_a_teacher_that_fails_ends_with_3(coffey, untouched):
    """Its error is told with the line of its file."""
    (untouched.folder / "small_teacher.py").write_text(
        "def answer(texts):\n    raise OSError('no network')\n"
    )
    code, out, err = coffey("label", "-c", untouched.config, "--json")
    assert (code, out) == (3, "")
    assert "no network (small_teacher.py:2)" in err


def test_a_plan_of_a_project_loads_nothing_heavy(untouched):
    """`coffey plan --json` is done before torch would have been imported: it runs on the base install."""
    code = (
        f"import sys; sys.argv = ['coffey', 'plan', '-c', {str(untouched.config)!r}, '--json']\n"
        "from coffey.cli.app import main\n"
        "try:\n    main()\n"
        "finally:\n    heavy = {'torch', 'transformers', 'scipy', 'pyarrow', 'duckdb', 'onnxruntime'}\n"
        "    print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert only_object(said.stdout)["pays"]
    assert said.stderr.splitlines()[-1] == "[]"


def test_a_plan_of_a_project(coffey, untouched):
    """One object with where each figure comes from; a table for people."""
    code, out, _ = coffey("plan", "-c", untouched.config, "--json")
    assert code == 0
    plan = only_object(out)
    assert plan["pays"]
    assert {"break_even_days", "break_even", "sensitivity", "alternatives", "origins"} <= set(plan)
    code, out, _ = coffey("plan", "-c", untouched.config)
    assert code == 0
    assert "configured" in out
    untouched.edit("usd_per_1k_requests = 1.0", "usd_per_1k_requests = 0.0")
    assert coffey("plan", "-c", untouched.config, "--json")[0] == 1


def test_distill_prints_one_object(coffey, live):
    """A finished run is told again: the object, then the table, both with the same student."""
    code, out, _ = coffey("distill", "-c", live.config, "--json")
    assert code == 0
    said = only_object(out)
    assert said["gate"]["passed"] is True
    assert said["teacher"]["params"] == 1_000_000
    assert {"value", "low", "high"} <= set(said["student"]["retention"])
    assert Path(said["artifact"], "manifest.json").exists()
    assert Path(said["report"]).exists()
    assert len(said["stages"]) == 1
    code, out, _ = coffey("distill", "-c", live.config)
    assert code == 0
    assert said["challenger"] in out
    assert "retention" in out


def test_a_refused_gate_ends_with_1(coffey, live):
    """The answer is no: no challenger, one object that says why."""
    live.edit("min_retention = 0.8", "min_retention = 1.2")
    before = live.load().models()
    code, out, _ = coffey("distill", "-c", live.config, "--json")
    assert code == 1
    said = only_object(out)
    assert (said["gate"]["passed"], said["challenger"]) == (False, None)
    assert "budget.min_retention" in said["gate"]["reason"]
    assert live.load().models() == before


def test_models_promote_and_rollback(coffey, live):
    """What is live, the promotion of a version by name, and back."""
    registry = live.load().workspace.registry
    first = registry.resolve("champion")
    other = type(first)("other", "f" * 64, first.artifact, first.student, first.contract)
    registry.add(other, who="test")
    code, out, _ = coffey("promote", "other", "-c", live.config, "--json", "--reason", "a test")
    assert (code, only_object(out)) == (0, {"champion": "other", "digest": "f" * 64})
    code, out, _ = coffey("models", "-c", live.config, "--json")
    said = only_object(out)
    assert (code, said["aliases"]) == (0, {"champion": "other", "previous": first.name})
    assert said["events"][-1]["who"] == "coffey promote"
    assert coffey("rollback", "-c", live.config)[:2] == (
        0, f"{first.name} is the champion again. Undo: coffey rollback\n"
    )  # fmt: skip
    code, out, _ = coffey("models", "-c", live.config)
    assert code == 0
    assert first.name in out
    assert "a test" in out


def test_a_name_that_is_not_registered_ends_with_3(coffey, live):
    """It lists what is known."""
    code, out, err = coffey("promote", "nobody", "-c", live.config, "--json")
    assert (code, out) == (3, "")
    assert "'nobody'" in err


def test_tick_prints_one_object(coffey, live, untouched):
    """Decision, agreement, audits and alarm; without a champion it waits, with code 0."""
    code, out, _ = coffey("tick", "-c", untouched.config, "--json")
    assert (code, only_object(out)["decision"]["kind"]) == (0, "waiting")
    live.serve(live.known(40, seed=101))
    code, out, _ = coffey("tick", "-c", live.config, "--json")
    said = only_object(out)
    assert (code, said["decision"]["kind"], said["audited"], said["alarm"]) == (0, "healthy", 20, False)
    assert said["agreement"]["audits"] == 20
    assert {"reason", "numbers"} <= set(said["decision"])
    code, out, _ = coffey("tick", "-c", live.config)
    assert code == 0
    assert "healthy" in out


def test_watch_ticks_and_stops(coffey, live):
    """As often as it was told to."""
    live.serve(live.known(10, seed=102))
    code, out, _ = coffey("watch", "-c", live.config, "--times", 2, "--every", 1)
    assert code == 0
    assert out.count("healthy") == 2


def test_report_says_where_the_page_is(coffey, live, untouched):
    """One page; without anything done the error says what to run."""
    code, out, _ = coffey("report", "-c", live.config, "--json")
    assert code == 0
    assert Path(only_object(out)["report"]).read_text().startswith("<!")
    code, out, err = coffey("report", "-c", untouched.config, "--json")
    assert (code, out) == (3, "")
    assert "coffey plan" in err


def test_init_then_doctor(coffey, untouched, tmp_path, monkeypatch):
    """What `init` writes `doctor` can read; it is not overwritten without being told to."""
    folder = tmp_path / "new"
    folder.mkdir()
    for name in ("transfer.jsonl", "holdout.jsonl", "small_teacher.py"):
        (folder / name).write_text((untouched.folder / name).read_text())
    monkeypatch.chdir(folder)
    arguments = ("--teacher", "small_teacher:answer", "--transfer", "transfer.jsonl")
    code, out, _ = coffey("init", *arguments, "--holdout", "holdout.jsonl", "--json")
    assert (code, only_object(out)) == (0, {"config": "coffey.toml"})
    assert 'label = "intent"' in Path("coffey.toml").read_text(), "the columns were looked at"
    code, out, err = coffey("init", "--json")
    assert (code, out) == (2, "")
    assert "--force" in err
    code, out, _ = coffey("doctor", "--json")
    said = only_object(out)
    assert {finding["name"] for finding in said["findings"]} >= {"teacher", "data"} or said["findings"]
    assert code == (0 if said["ok"] else 2)
    text = Path("coffey.toml").read_text().replace("# labels =", "labels =")
    labelled = re.sub(r"^labels = .*$", 'labels = ["billing", "delivery", "account"]', text, flags=re.M)
    Path("coffey.toml").write_text(labelled)
    code, out, _ = coffey("doctor", "--json")
    assert (code, only_object(out)["ok"]) == (0, True), out


def test_serve_names_what_is_no_artifact(coffey, tmp_path):
    """A folder without a manifest is told before a port is opened."""
    code, out, err = coffey("serve", tmp_path, "--port", 0, "--json")
    assert (code, out) == (3, "")
    assert "manifest.json" in err


@pytest.mark.slow
def test_bench_prints_one_object(coffey, live):
    """Student beside teacher, in process; the exit code says whether the budget holds."""
    code, out, _ = coffey("bench", "-c", live.config, "--seconds", 0.5, "--no-http", "--json")
    said = only_object(out)
    assert code == (0 if said["within_budget"] else 1)
    assert said["latency"]["student_p50_ms"] > 0
    assert said["params_ratio"] == pytest.approx(1_000_000 / said["student"]["params"], rel=0.01)
    code, out, _ = coffey("bench", "-c", live.config, "--seconds", 0.5, "--no-http", "--no-teacher")
    assert "p99" in out


@pytest.mark.slow
def test_ctrl_c_is_clean_and_the_next_run_goes_on(untouched):
    """SIGINT while labelling: 130, one line, no traceback; the rerun asks only what is missing."""
    path = untouched.folder / "small_teacher.py"
    slow = path.read_text().replace(
        "    scores = np.zeros", "    import time\n    time.sleep(0.3)\n    scores = np.zeros"
    )
    path.write_text(slow)
    untouched.edit("threads = 1\ncost", "threads = 1\nbatch_size = 5\ncost")
    command = [sys.executable, "-m", "coffey", "label", "-c", str(untouched.config), "--json"]
    environment = os.environ | {"PYTHONPATH": str(SOURCE)}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        while len(untouched.asked()) < 15 and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert "run the same command again" in err
    assert "Traceback" not in err
    before = len(untouched.asked())
    assert before < 90
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    said = only_object(ended.stdout)
    assert said["labels"] == 60
    assert 90 - before <= said["asked"] <= 90 - before + 5
    assert len(untouched.asked()) <= 90 + 5 + 16
