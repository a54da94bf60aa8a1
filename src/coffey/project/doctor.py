"""What is missing or misconfigured here, and how to mend it."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from coffey.core.errors import CoffeyError, ConfigError
from coffey.core.records import Example
from coffey.core.settings import Settings
from coffey.data.leakage import find_leaks
from coffey.data.source import ExampleSource, ReadReport
from coffey.project.configuration import load_settings
from coffey.project.finding import Finding
from coffey.project.surroundings import Surroundings, surroundings_here
from coffey.project.teacher_check import AnsweringTeacher, examine_teacher

ROWS = 20_000
"""Rows of each data set that are read."""
LOW_DISK_BYTES = 1 << 30
"""Checkpoints, teacher answers and artifacts of a run stay well below it; below it a run may not end."""
_EXTRAS = {
    "watch": ("pyarrow", "duckdb", "scipy", "httpx", "jinja2", "starlette"),
    "distill": ("torch", "transformers", "accelerate", "safetensors", "onnx", "onnxscript"),
}
_PURPOSE = {
    "watch": "serving works without; audits, Parquet data, reports and the dashboard need it",
    "distill": "serving works without; labelling by a transformers teacher, distilling and exporting need it",
}


def examine(
    path: Path,
    *,
    build_teacher: Callable[[Settings], AnsweringTeacher],
    here: Surroundings | None = None,
    rows: int = ROWS,
) -> list[Finding]:
    """Examine a project: configuration, data, teacher, store, threads and extras. Nothing is changed.

    Args:
        path: the `coffey.toml`.
        build_teacher: makes the teacher that the settings name; called for `python` teachers only, whose
            loading is cheap enough.
        here: the machine; looked up when absent.
        rows: rows of each data set that are read.
    """
    facts = here or surroundings_here()
    try:
        settings = load_settings(path)
    except ConfigError as exc:
        mend = f"edit {path}"
        return [Finding("configuration", False, str(one), mend) for one in exc.problems] + _extras(facts)
    transfer, holdout = (_read(settings, name, rows) for name in ("transfer", "holdout"))
    return [
        Finding("configuration", True, f"{path} is complete"),
        transfer.finding,
        holdout.finding,
        _leaks(transfer, holdout, settings.data.near_duplicate),
        examine_teacher(settings, transfer.examples[:2], build_teacher, facts),
        *examine_store(settings.project.store),
        examine_threads(settings, facts),
        *_extras(facts),
    ]


@dataclass(frozen=True, slots=True)
class _Sample:
    """The first rows of a data set, and what they say about it."""

    finding: Finding
    examples: list[Example]
    complete: bool


def _read(settings: Settings, name: str, rows: int) -> _Sample:
    data, task = settings.data, settings.task
    source = ExampleSource(
        data.transfer if name == "transfer" else data.holdout,
        text=task.text,
        label=task.label,
        bad_rows="skip",
        label_required=name == "holdout",
        separator=task.label_separator,
    )
    title = f"data.{name}"
    try:
        with closing(iter(source)) as walk:
            examples = list(islice(walk, rows))
            complete = next(walk, None) is None
    except CoffeyError as exc:
        return _Sample(Finding(title, False, str(exc), f"mend {title} or its files"), [], complete=False)
    return _Sample(_judge(title, settings, source.report, examples, complete), examples, complete)


def _judge(
    title: str, settings: Settings, report: ReadReport, examples: list[Example], complete: bool
) -> Finding:
    extent = "" if complete else f"the first {len(examples):,} rows: "
    found = set(itertools.chain.from_iterable(map(_names, examples)))
    labels = f", {report.labelled:,} labelled with {len(found):,} labels" if settings.task.label else ""
    detail = f"{extent}{len(examples):,} usable, {report.bad_count:,} bad{labels}"
    strange = sorted(found - set(settings.task.labels or found))
    if strange:
        named = ", ".join(repr(label) for label in strange[:5])
        return Finding(title, False, f"{detail}; task.labels lacks {named}", "complete task.labels")
    if not report.bad_count:
        return Finding(title, True, detail)
    first = f"{detail}; the first bad one is {report.bad[0]}"
    if settings.data.bad_rows == "skip":
        return Finding(title, None, first, "they are left out, as data.bad_rows = 'skip' says")
    return Finding(title, False, first, "mend them, or set data.bad_rows = 'skip'")


def _names(example: Example) -> Sequence[str]:
    return [example.label] if isinstance(example.label, str) else example.label or ()


def _leaks(transfer: _Sample, holdout: _Sample, near_duplicate: float) -> Finding:
    if not transfer.examples or not holdout.examples:
        return Finding("leaks", None, "not examined: both data sets must be readable")
    report = find_leaks(transfer.examples, holdout.examples, near_duplicate=near_duplicate)
    extent = "" if transfer.complete and holdout.complete else "at least, by the first rows: "
    detail = (
        f"{extent}{report.exact:,} transfer rows stand in the holdout, {report.near:,} more nearly so; "
        f"{report.duplicates:,} repeat another transfer row"
    )
    if not report.leaking:
        return Finding("leaks", True, detail)
    share = len(report.leaking) / len({example.text for example in transfer.examples})
    # Few are normal in collected text and are removed anyway; many mean that the split was made badly.
    mend = "they are left out of training; check how the two sets were split if they are many"
    return Finding("leaks", None if share < 0.2 else False, f"{detail} ({share:.1%})", mend)


def examine_store(store: str) -> list[Finding]:
    """Whether the store's folder, or the one it will be made in, can be written; and the space there."""
    if "://" in store:
        mend = "this version keeps stores in local folders; give a path"
        return [Finding("store", None, f"{store} was not examined", mend)]
    folder = Path(store)
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    mend = "choose another project.store, or mend its permissions"
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"coffey")
            file.flush()
            os.fsync(file.fileno())
        free = shutil.disk_usage(folder).free
    except OSError as exc:
        return [Finding("store", False, f"{folder} cannot be written: {exc.strerror or exc}", mend)]
    made = "" if folder == Path(store) else f" (it will be made in {folder})"
    enough = free >= LOW_DISK_BYTES
    detail = f"{free / (1 << 30):,.1f} GiB free"
    return [
        Finding("store", True, f"{store} can be written{made}"),
        Finding("disk", enough, detail, "" if enough else "free at least 1 GiB, or move project.store"),
    ]


def examine_threads(settings: Settings, here: Surroundings) -> Finding:
    """Whether the threads that are asked for fit the cores that there are."""
    stated = here.environment.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    asked = {
        "OMP_NUM_THREADS": int(stated) if stated.isdigit() else None,
        "teacher.threads": settings.teacher.threads,
        "chain.threads": settings.chain.threads,
        "serve.threads": settings.serve.threads,
    }
    detail = f"{here.cores} cores, OMP_NUM_THREADS {stated or 'not set'}, load {here.load:.1f}"
    over = [f"{name} = {count}" for name, count in asked.items() if count is not None and count > here.cores]
    if over:
        return Finding("threads", False, f"{detail}; too many: {', '.join(over)}", f"at most {here.cores}")
    if stated and not stated.isdigit():
        return Finding("threads", False, detail, "set OMP_NUM_THREADS to a whole number, or unset it")
    if here.load > here.cores:
        mend = "wait for the other work, or set thread counts below the free cores; timings will be off"
        return Finding("threads", None, f"{detail}: other work wants more than all cores", mend)
    return Finding("threads", True, detail)


def _extras(here: Surroundings) -> list[Finding]:
    return [_extra(name, modules, here) for name, modules in _EXTRAS.items()]


def _extra(name: str, modules: tuple[str, ...], here: Surroundings) -> Finding:
    missing = [module for module in modules if not here.installed(module)]
    if not missing:
        return Finding(f"extra {name}", True, "installed")
    detail = f"not installed: {', '.join(missing)} ({_PURPOSE[name]})"
    return Finding(f"extra {name}", None, detail, f"pip install 'coffey[{name}]'")
