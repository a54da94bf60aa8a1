"""The first `coffey.toml` of a project, written from the meanings in `core/settings.py`."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import Field
from pathlib import Path
from typing import Any

from coffey.core.errors import DataError, MissingExtra
from coffey.data.columns import ColumnProposal, propose_columns
from coffey.project.schema import bounds_of, choices, expected_words, section_at, walk
from coffey.project.toml_file import toml_value

# Keys that most projects look at on the first day; the others are written as comments.
_COMMON = frozenset(
    {
        "project.store",
        "task.text",
        "chain.stages",
        "chain.guidance",
        "budget.latency_p99_ms",
        "budget.min_retention",
        "budget.max_usd",
        "economics.requests_per_day",
        "monitor.max_drop",
        "monitor.redistill_drop",
        "monitor.audits_per_day",
        "monitor.false_alarm_every_days",
    }
)
# What a key without a default may look like.
_SAMPLES: Mapping[str, object] = {
    "task.label": "label",
    "task.labels": ("first label", "second label"),
    "task.threshold": 0.5,
    "teacher.revision": "main",
    "teacher.head": "head.safetensors",
    "teacher.version": "1",
    "teacher.threads": 4,
    "teacher.cost.usd_per_hour": 1.20,
    "teacher.cost.usd_per_1k_requests": 0.01,
    "teacher.cost.usd_per_1m_tokens": 0.10,
    "teacher.cost.usd_per_1m_output_tokens": 0.40,
    "teacher.endpoint.url": "http://127.0.0.1:8000/v1",
    "teacher.endpoint.api_key_env": "OPENAI_API_KEY",
    "teacher.endpoint.requests_per_minute": 500,
    "teacher.endpoint.tokens_per_minute": 200_000,
    "teacher.asking.prompt": "Which of these fits best?\n{labels}\n\n{text}",
    "teacher.asking.system": "You sort support requests.",
    "teacher.asking.extra": '{"top_p": 1}',
    "chain.threads": 4,
    "economics.student_usd_per_hour": 0.17,
    "economics.training_usd_per_hour": 1.20,
    "economics.log_bytes_per_request": 200,
    "economics.error_usd": 0.05,
    "economics.label_usd": 0.10,
    "economics.cascade_share": 0.2,
    "monitor.audit_probability": 0.001,
    "alerts.webhook": "https://hooks.example.com/coffey",
    "alerts.command": ("mail", "-s", "coffey", "ops@example.com"),
    "alerts.textfile": "/var/lib/node_exporter/coffey.prom",
    "serve.grpc_port": 9000,
    "serve.tls_certificate": "/etc/coffey/certificate.pem",
    "serve.tls_key": "/etc/coffey/key.pem",
}
_WIDTH = 100


def starter_toml(
    *,
    name: str = "my-project",
    teacher: str | None = None,
    transfer: str | None = None,
    holdout: str | None = None,
    folder: Path | None = None,
) -> str:
    """The text of a commented `coffey.toml` that `load_settings` accepts.

    The columns of the text and the label are proposed from the first rows of `transfer` where that can be
    read; all keys that the file does not need are in it as comments, with default and meaning.

    Args:
        name: the project's name.
        teacher: a folder or hub id, or `package.module:function`; a sample of the latter when absent.
        transfer: path, glob or URL as the file will say it.
        holdout: the same, of the holdout.
        folder: where the file will lie, which relative paths are relative to; the current one when absent.
    """
    proposal = _proposal(transfer, folder or Path.cwd())
    chosen: dict[str, object] = {
        "project.name": name,
        "teacher.kind": "transformers" if teacher and not _is_function(teacher) else "python",
        "teacher.source": teacher or "my_package.my_module:predict",
        "data.transfer": transfer or "data/train.jsonl",
        "data.holdout": holdout or "data/test.jsonl",
    }
    if proposal and proposal.text:
        chosen["task.text"] = proposal.text
    if proposal and proposal.label:
        chosen["task.label"] = proposal.label
    return "\n".join(_lines(chosen, proposal)) + "\n"


def _proposal(transfer: str | None, folder: Path) -> ColumnProposal | None:
    """A proposal from the user's data; none when it is not there yet or cannot be read here."""
    if transfer is None:
        return None
    try:
        return propose_columns(transfer if "://" in transfer else str(folder / Path(transfer).expanduser()))
    except (DataError, MissingExtra):
        return None


def _is_function(teacher: str) -> bool:
    return ":" in teacher and "/" not in teacher


def _lines(chosen: Mapping[str, object], proposal: ColumnProposal | None) -> Iterator[str]:
    yield "# What Coffey is to do. Relative paths are relative to this file. `coffey doctor` checks it."
    yield "# Lines that start with `# key =` show the default, or a sample where there is none."
    section = None
    for place, one, kind in walk():
        if place != section:
            section = place
            yield from _heading(place)
            if place == "task" and proposal:
                yield from _comment(f"columns found: {', '.join(proposal.columns)}")
        yield from _setting(f"{place}.{one.name}", one, kind, chosen)


def _heading(section: str) -> Iterator[str]:
    doc = (getattr(section_at(tuple(section.split("."))), "__doc__", "") or "").split(": ", 1)[-1]
    commented = "# " if section.startswith("teacher.") else ""
    yield ""
    yield from _comment(doc)
    yield f"{commented}[{section}]"


def _setting(key: str, one: Field[Any], kind: Any, chosen: Mapping[str, object]) -> Iterator[str]:
    values = f" ({expected_words(kind, bounds_of(one))})" if choices(kind) or bounds_of(one) else ""
    yield from _comment(f"{one.metadata['meaning']}{values}")
    active = key in chosen or key in _COMMON
    value = chosen.get(key, one.default)
    value = _SAMPLES[key] if value is None else value
    yield f"{'' if active else '# '}{one.name} = {toml_value(value)}"


def _comment(text: str) -> Iterator[str]:
    for line in textwrap.wrap(text, _WIDTH - 2, break_long_words=False, break_on_hyphens=False):
        yield f"# {line}"
