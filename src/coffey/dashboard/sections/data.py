"""The data: how much there was, what was left out, and the gate's answer."""

from __future__ import annotations

from collections.abc import Sequence

from coffey.core.records import JsonObject
from coffey.dashboard import figures
from coffey.dashboard.page import Block, Facts, Note, Section, Table
from coffey.dashboard.reading import flag, items, number, obj, rows, words

COUNTS = {
    "transfer": "transfer set",
    "holdout": "holdout",
    "labels": "soft labels",
    "bad": "bad rows left out",
    "duplicates": "duplicates in the transfer set",
    "exact": "holdout texts in the transfer set",
    "near": "near-duplicates of holdout texts",
    "removed": "rows removed from the transfer set",
    "augmented": "texts made from the transfer set",
}


def data_section(result: JsonObject) -> Section | None:
    """Counts under `data`, and pairs of texts (`data.pairs`) that leaked, shortened."""
    counts = [
        (label, f"{value:,.0f}")
        for key, label in COUNTS.items()
        if (value := number(result, "data", key)) is not None
    ]
    counts += _calibration(obj(result, "data", "calibration"))
    pairs = [pair for pair in items(result, "data", "pairs") if isinstance(pair, Sequence) and len(pair) == 2]
    blocks: list[Block] = [Facts(counts)] if counts else []
    if pairs:
        body = [(_quoted(pair[0]), _quoted(pair[1])) for pair in pairs[:5]]
        blocks.append(
            Table(
                ("in the transfer set (removed)", "in the holdout"),
                body,
                caption="Some of what leaked",
                text_columns=frozenset({0, 1}),
            )
        )
    blocks += _doubtful(obj(result, "data", "doubtful"))
    return Section("Data", "", blocks) if blocks else None


def _doubtful(found: JsonObject) -> list[Block]:
    """Some of the hard labels that the teacher contradicts, shortened."""
    count, labelled = number(found, "rows"), number(found, "labelled")
    if not count or not labelled:
        return []
    body = [
        (_quoted(row.get("text")), words(row, "label"), words(row, "teacher"))
        for row in rows(found, "examples")
    ]
    said = f"The teacher contradicts {count:,.0f} of {labelled:,.0f} labels and alone teaches those rows"
    return [Table(("text", "label", "the teacher's"), body, caption=said, text_columns=frozenset({0, 1, 2}))]


def _calibration(found: JsonObject) -> list[tuple[str, str]]:
    """How far the teacher's confidence is from its accuracy, and what was done about it."""
    error, temperature = number(found, "error"), number(found, "temperature")
    if error is None or temperature is None:
        return []
    done = f"corrected with temperature {temperature:.2f}" if flag(found, "corrected") else "left alone"
    return [("the teacher's expected calibration error", f"{error:.3f}, {done}")]


def gate_section(result: JsonObject) -> Section | None:
    """What the gate said, the artifact and its variant."""
    passed = flag(result, "gate", "passed")
    said: list[Block] = []
    if passed is not None:
        word = "Passed" if passed else "Refused"
        said.append(Note(f"{word}: {words(result, 'gate', 'reason')}", "good" if passed else "bad"))
    facts = [
        ("artifact", words(result, "artifact") or words(result, "artifact", "digest")),
        ("variant", words(result, "student", "variant")),
        ("size", figures.measured(number(result, "student", "bytes"), "bytes")),
    ]
    known = [(name, value) for name, value in facts if value and value != figures.ABSENT]
    if known and (said or obj(result, "student")):
        said.append(Facts(known, wide=True))
    return Section("The gate", "", said) if said else None


def _quoted(value: object) -> str:
    return figures.short(str(value), 100)
