"""The documentation says what is so: commands parse, code runs, figures are printed, links lead somewhere."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import re
import shlex
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from coffey.cli.app import app
from coffey.project.configuration import parse_settings, settings_reference

DOCS = Path(__file__).parents[1] / "docs"
CONFIG = DOCS.parent / "mkdocs.yml"
PAGES = sorted(DOCS.rglob("*.md"))
NAMES = [page.relative_to(DOCS).as_posix() for page in PAGES]

_BLOCK = re.compile(
    r"^(?:<!-- (?P<mark>[^\n]*?) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A fenced block: its page, language, the comment before it, and its text."""

    page: str
    number: int
    language: str
    mark: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}-{self.number}"


def blocks_of(page: Path) -> list[Block]:
    found = enumerate(_BLOCK.finditer(page.read_text(encoding="utf-8")), start=1)
    name = page.relative_to(DOCS).as_posix()
    return [Block(name, number, m["language"], m["mark"] or "", m["text"]) for number, m in found]


BLOCKS = [block for page in PAGES for block in blocks_of(page)]
TOML = [block for block in BLOCKS if block.language == "toml"]
EXECUTED = [block for block in BLOCKS if block.language == "console" and block.mark == "run"]
PYTHON = [block for block in BLOCKS if block.language == "python"]


def commands_in(block: Block) -> Iterator[list[str]]:
    """The arguments of each `coffey` command of a console or bash block."""
    lines = block.text.replace("\\\n", " ").splitlines()
    if block.language == "console":
        lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    for line in lines:
        command = re.search(r"(?:^|&& |- run: )coffey (.+?)(?: >>? .*)?$", line)
        if command:
            yield shlex.split(command[1], comments=True)


SHELL = [block for block in BLOCKS if block.language in ("console", "bash", "yaml")]
SPOKEN = [(block, words) for block in SHELL for words in commands_in(block)]


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def slugs(page: Path) -> set[str]:
    """The anchors of a page's headings, as Markdown's `toc` makes them."""
    text = _BLOCK.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    plain = [re.sub(r"[^\w\s-]", "", heading).strip().lower() for heading in headings]
    return {re.sub(r"[-\s]+", "-", heading) for heading in plain}


def test_the_documentation_has_examples():
    """The tests below look at something: commands, code, configuration and executed examples were found."""
    assert len(SPOKEN) > 15
    assert len(EXECUTED) >= 3
    assert len(TOML) >= 5
    assert len([block for block in PYTHON if block.mark == "run"]) >= 4


@pytest.mark.parametrize(("block", "words"), SPOKEN, ids=lambda value: str(value))
def test_commands_parse(block: Block, words: list[str]):
    """Every `coffey` command in the documentation has a name, options and arguments that exist."""
    group: Any = typer.main.get_command(app)
    if words[0].startswith("-"):
        group.make_context("coffey", list(words), resilient_parsing=True)
        assert words[0] in {name for parameter in group.params for name in parameter.opts}
        return
    assert words[0] in group.commands
    command = group.commands[words[0]]
    assert command.make_context(words[0], words[1:]) is not None


@pytest.mark.parametrize("name", NAMES)
def test_commands_in_the_text_exist(name: str):
    """Every `coffey NAME` and every `--option` in the text of a page exists."""
    group: Any = typer.main.get_command(app)
    spelled = {
        command: {each for parameter in one.params for each in (*parameter.opts, *parameter.secondary_opts)}
        for command, one in group.commands.items()
    }
    inner = [one for command in group.commands.values() for one in getattr(command, "commands", {}).values()]
    nested = {each for one in inner for parameter in one.params for each in parameter.opts}
    everywhere = {"--help", "--debug", "--version"}.union(nested, *spelled.values())
    text = _BLOCK.sub("", (DOCS / name).read_text(encoding="utf-8"))
    for span in re.findall(r"`([^`\n]+)`", text):
        if span.startswith("python "):  # another program's options
            continue
        command = re.match(r"coffey (?:--debug )?([a-z]+)", span)
        known = spelled[command[1]] if command else everywhere
        assert set(re.findall(r"(?<![\w-])--[a-z][\w-]*", span)) <= known | {"--debug"}, span


@pytest.mark.parametrize("block", EXECUTED, ids=str)
def test_printed_figures_are_printed(block: Block):
    """A console block marked `run` shows lines that its commands print, in that order."""
    command: list[str] | None = None
    printed: list[str] = []
    for line in block.text.splitlines():
        if line.startswith("$ coffey "):
            command = shlex.split(line)[2:]
            said = CliRunner().invoke(app, command).stdout.splitlines()
            printed = [" ".join(one.split()) for one in said]
            continue
        shown = " ".join(line.split())
        if shown:
            assert shown in printed, f"{command} does not print {shown!r} after what stands above it"
            printed = printed[printed.index(shown) + 1 :]
    assert command is not None


@pytest.mark.parametrize("block", [block for block in PYTHON if block.mark != "run slow"], ids=str)
def test_python_runs(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A Python block marked `run` runs, beside the files that its page shows; any other compiles."""
    if block.mark == "run":
        run_python(block, tmp_path, monkeypatch)
    else:
        compile(block.text, str(block), "exec")


@pytest.mark.parametrize("block", [block for block in PYTHON if block.mark == "run live"], ids=str)
def test_python_runs_in_a_project(block: Block, live: Any, monkeypatch: pytest.MonkeyPatch):
    """A Python block marked `run live` runs in a project with a champion that served some requests."""
    live.serve(live.known(20, seed=5))
    run_python(block, live.folder, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("block", [block for block in PYTHON if block.mark == "run slow"], ids=str)
def test_slow_python_runs(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A head is fitted and saved on a real checkpoint as the tutorial says, and can be read back."""
    from coffey.project.demo.setup import model_folder
    from coffey.teacher.head import load_head

    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "minilm").symlink_to(model_folder())
    (tmp_path / "data").mkdir()
    rows = [{"text": f"{word} {i}", "desk": desk} for i in range(6) for word, desk in WORDS.items()]
    (tmp_path / "data" / "train.jsonl").write_text("\n".join(map(json.dumps, rows)))
    run_python(block, tmp_path, monkeypatch)
    assert load_head(tmp_path / "models" / "head.safetensors").labels == ("business", "sports")


WORDS = {"the striker scored a goal": "sports", "shares in the bank fell": "business"}


def run_python(block: Block, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for other in BLOCKS:
        if other.page == block.page and other.mark.startswith("file: "):
            (folder / other.mark.removeprefix("file: ")).write_text(other.text)
    exec(compile(block.text, str(block), "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize("block", TOML, ids=str)
def test_configuration_examples_are_read(block: Block, tmp_path: Path):
    """A whole `coffey.toml` in the documentation is accepted; a part of one names keys that exist."""
    document = tomllib.loads(block.text)
    if {"project", "teacher", "data"} <= set(document):
        assert parse_settings(document, "coffey.toml", folder=tmp_path).project.name
        return
    known = {f"{row.section}.{row.key}" for row in settings_reference()}
    assert set(keys_of(document)) <= known


def keys_of(table: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from keys_of(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


@pytest.mark.parametrize("name", ["configuration.md", "commands.md", "python-reference.md"])
def test_generated_pages_are_fresh(name: str):
    """The generated pages say what the settings and the command line are now."""
    stale = f"docs/{name} is stale. Run: python docs/generate.py"
    assert (DOCS / name).read_text(encoding="utf-8") == generator().pages()[name], stale


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str):
    """Every link of a page leads to a page, and to a heading of it, that exist."""
    for target in _LINK.findall(_BLOCK.sub("", (DOCS / name).read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        page = DOCS / path if path else DOCS / name
        assert page.is_file(), f"{name} links to {target}"
        assert not anchor or anchor in slugs(page), f"{name} links to {target}: no such heading"


def test_navigation_lists_every_page():
    """Every page stands in the navigation, once, and the navigation names no other."""
    listed = re.findall(r"[\w-]+\.md", CONFIG.read_text(encoding="utf-8"))
    assert sorted(listed) == NAMES


def documented_keys(command: str) -> set[str]:
    """The keys that `json.md` lists for a command."""
    section = (DOCS / "json.md").read_text(encoding="utf-8").split(f"\n## {command}\n")[1].split("\n## ")[0]
    rows = [line.split(" | ")[0] for line in section.splitlines() if line.startswith("| `")]
    return {key for row in rows for key in re.findall(r"`(\w+)`", row)}


def fields_of(kind: type) -> set[str]:
    return {field.name for field in dataclasses.fields(kind)}


def test_json_keys_of_plan_are_those_it_prints():
    """`json.md` lists what the calculator prints, and the keys that a project and a scenario add."""
    asked = ["plan", "--run-usd", "1", "--saves-usd-per-1k", "1", "--requests-per-day", "1000", "--json"]
    printed = set(json.loads(CliRunner().invoke(app, asked).stdout))
    added = {"forecast", "frontier", "probe", "pilot", "report", "scenario"}
    assert documented_keys("plan") == printed | added


def test_json_keys_of_the_frontier_are_those_of_its_record():
    """`json.md` lists them, and the one that the project adds."""
    from coffey.core.settings import BudgetSettings
    from coffey.economics.frontier import judge
    from coffey.economics.frontier_json import frontier_json

    assert documented_keys("plan: frontier") == {*frontier_json(judge((), BudgetSettings())), "of"}


@pytest.mark.slow
def test_json_keys_are_those_of_the_records():
    """`json.md` lists exactly the fields of what `label`, `distill`, `tick` and `models` return."""
    from coffey.control.tick import TickReport
    from coffey.project.distill_result import DistillResult
    from coffey.project.labelling import LabelResult
    from coffey.project.models import ModelsResult

    assert documented_keys("label") == fields_of(LabelResult)
    assert documented_keys("distill") == fields_of(DistillResult)
    assert documented_keys("tick") == fields_of(TickReport) | {"alarm"}
    assert documented_keys("models") == fields_of(ModelsResult)


def test_metrics_are_those_of_the_server():
    """Every metric that `serving.md` names is in the server's source, under its name without the suffix."""
    source = (DOCS.parent / "src" / "coffey" / "serve" / "metrics.py").read_text(encoding="utf-8")
    named = set(re.findall(r"`(coffey_\w+?)(?:_total)?(?:\{[^`]*\})?`", (DOCS / "serving.md").read_text()))
    assert len(named) > 10
    for name in named:
        assert f'"{name.removesuffix("_info")}"' in source, name


def test_routes_and_statuses_are_those_of_the_server():
    """`serving.md` names every route, and every status with which the server refuses."""
    from coffey.serve.exchange import STATUS
    from coffey.serve.routes import routes

    page = (DOCS / "serving.md").read_text(encoding="utf-8")
    assert [route.path for route in routes("NAME") if route.path not in page] == []
    assert [status for status in (*STATUS.values(), 500, 404, 405) if f"{status}" not in page] == []


def test_settings_in_the_text_exist():
    """Every `section.key` in the text of a page is a key of `coffey.toml`."""
    known = {f"{row.section}.{row.key}" for row in settings_reference()} | {"teacher.cost"}
    sections = {row.section.split(".")[0] for row in settings_reference()}
    for page in PAGES:
        text = _BLOCK.sub("", page.read_text(encoding="utf-8"))
        named = {
            span for span in re.findall(r"`([a-z]+\.[a-z_0-9.]+)", text) if span.split(".")[0] in sections
        }
        assert named <= known, page.name
