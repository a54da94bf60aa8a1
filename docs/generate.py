"""Write the generated pages of the documentation: `python docs/generate.py`."""

from __future__ import annotations

import inspect
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from coffey.artifact.predictor import Predictor
from coffey.cli.app import app
from coffey.core.errors import (
    CoffeyError,
    ConfigError,
    DataError,
    PlanError,
    RegistryError,
    ServeError,
    StageError,
    StoreError,
    TeacherError,
)
from coffey.dashboard.chart import Chart
from coffey.project.configuration import settings_reference
from coffey.project.frame import Frame
from coffey.project.project import Project
from coffey.project.schema import section_at
from coffey.project.shown import Shown

FOLDER = Path(__file__).parent
NOTE = "<!-- Generated. Do not edit: run `python docs/generate.py`. -->"
CONFIGURATION = """
`coffey init` writes a `coffey.toml` with every key, its default and its meaning. `coffey doctor` checks one.

- Relative paths are relative to the folder of `coffey.toml`. `~` is resolved.
- `required`: the file must set the key. `absent`: there is no value unless you give one.
- All problems of a file are reported at once, each with its key, its value, what was expected and, where
  there is one, the nearest valid name. The exit code is then 2.
- Secrets do not belong in this file, and no key asks for one.

Rules between keys:

| rule | why |
|---|---|
| `teacher.cost` states one price at most | two prices of one thing contradict each other |
| `chain.stages` get smaller from one to the next (where they are parameter targets) | a chain goes down |
| a shape needs `layers` and `width` (`static:` the latter); `heads` divide `width` | else none is built |
| `teacher.source` is `package.module:function` when `teacher.kind` is `python` | it is imported |
| `monitor.redistill_drop` is at least `monitor.max_drop` | one looks before one mends |
| `data.holdout` names no file that `data.transfer` names | a student that saw the holdout proves nothing |
| `task.labels` names at least two labels, each once | the columns of the answers must be told apart |
"""
COMMANDS = """
`coffey COMMAND --help` prints the same. `python -m coffey` is the same program.

Every command prints tables for people. With `--json`, stdout gets exactly one JSON object and nothing
else; progress and messages go to stderr ([the keys](json.md)). `coffey serve --json` prints its object when
it listens, and goes on serving. `coffey watch --json` prints one object a tick and line.

`coffey --debug COMMAND …` shows tracebacks. `coffey --version` prints the version.

| exit code | means |
|---|---|
| 0 | done |
| 1 | the answer is no: it does not pay, the gate refused, the latency budget is missed |
| 2 | usage, configuration or data: mend it and run again |
| 3 | something outside failed: the teacher, the disk, the store, a signature |
| 130 | stopped by Ctrl-C; what was done is kept |

Errors by exit code, so that a script can tell them apart: {codes}
"""

PYTHON = """
`Project` and `Predictor` can be imported from `coffey`; the other classes are what their methods return.
[Python](python.md) shows them at work.
"""


def main() -> None:
    """Write all pages."""
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


def pages() -> dict[str, str]:
    """The text of every generated page, by file name."""
    return {"configuration.md": configuration(), "commands.md": commands(), "python-reference.md": python()}


def configuration() -> str:
    """Every key of `coffey.toml`, a table a section."""
    lines = ["# Configuration", NOTE, CONFIGURATION]
    for section, rows in itertools.groupby(settings_reference(), key=lambda row: row.section):
        doc = (section_at(tuple(section.split("."))).__doc__ or "").split(": ", 1)[-1].strip()
        lines += [f"## `[{section}]`\n", f"{doc[0].upper()}{doc[1:]}\n"]
        lines += ["| key | value | default | meaning |", "|---|---|---|---|"]
        lines += [
            f"| `{row.key}` | {_cell(row.type)} | {_default(row.default)} | {_cell(row.meaning)} |"
            for row in rows
        ]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _default(text: str) -> str:
    return text if text in ("required", "absent") else f"`{_cell(text)}`"


def commands() -> str:
    """Every command with its arguments and options."""
    group: Any = typer.main.get_command(app)
    lines = ["# Commands", NOTE, COMMANDS.format(codes=_codes()), "| command | does |", "|---|---|"]
    lines += [f"| [`{name}`](#coffey-{name}) | {_cell(one.help)} |" for name, one in group.commands.items()]
    for name, command in group.commands.items():
        lines += ["", *_command(name, command)]
        for inner, one in getattr(command, "commands", {}).items():
            lines += ["", *_command(f"{name} {inner}", one)]
    return "\n".join(lines) + "\n"


def _command(name: str, command: Any) -> Iterator[str]:
    context = command.context_class(command, info_name=f"coffey {name}")
    yield f"## coffey {name}\n"
    yield f"{command.help}\n"
    yield f"```text\n{command.get_usage(context).removeprefix('Usage: ')}\n```\n"
    yield "| argument or option | meaning |"
    yield "|---|---|"
    for parameter in command.get_params(context):
        spelled, meaning = parameter.get_help_record(context)
        yield f"| `{_cell(spelled)}` | {_cell(meaning)} |"


def python() -> str:
    """The public classes with their methods, as their docstrings say."""
    lines = ["# Python reference", NOTE, PYTHON]
    for kind in (Project, Predictor, Shown, Frame, Chart):
        lines += [f"## {kind.__name__}\n", *_documented(kind), ""]
        for name, method in inspect.getmembers(kind, _is_public):
            if not name.startswith("_") and method.__doc__:
                lines += [
                    f"### {kind.__name__}.{name}\n",
                    *_signature(name, method),
                    *_documented(method),
                    "",
                ]
    return "\n".join(lines).rstrip() + "\n"


def _is_public(member: object) -> bool:
    return inspect.isfunction(member) or inspect.ismethod(member) or isinstance(member, property)


def _signature(name: str, member: Any) -> Iterator[str]:
    if isinstance(member, property):
        return
    signature = inspect.signature(member)
    shown, named_only = [], False
    for one in signature.parameters.values():
        if one.name == "self":
            continue
        if one.kind is one.KEYWORD_ONLY and not named_only:
            named_only = True
            shown.append("*")
        default = "" if one.default is one.empty else f" = {one.default!r}"
        shown.append(f"{one.name}: {one.annotation}{default}")
    yield f"```text\n{name}({', '.join(shown)}) -> {signature.return_annotation}\n```\n"


def _documented(member: object) -> Iterator[str]:
    """A docstring in Google's form as Markdown: sections as bold words, their entries as a list."""
    in_section = False
    for line in inspect.cleandoc(inspect.getdoc(member) or "").splitlines():
        section = re.fullmatch(r"(Args|Raises|Returns|Example):", line)
        if section:
            in_section = section[1] != "Example"
            yield f"**{section[1]}**\n"
        elif in_section and re.match(r"    \S", line):
            yield re.sub(r"^([\w, ]+):", r"- `\1`:", line.strip())
        else:
            yield line[4:] if line.startswith("    ") and not in_section else line.rstrip()


def _codes() -> str:
    families = (
        ConfigError,
        DataError,
        PlanError,
        TeacherError,
        StageError,
        ServeError,
        RegistryError,
        StoreError,
        CoffeyError,
    )
    return ", ".join(f"`{one.__name__}` {one.exit_code}" for one in families) + "."


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    main()
