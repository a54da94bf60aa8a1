"""What a person should know about a distillation beside its figures."""

from __future__ import annotations

from coffey.core.records import JsonObject
from coffey.dashboard import figures
from coffey.dashboard.page import Note, Section
from coffey.dashboard.reading import items


def notes_section(result: JsonObject) -> Section | None:
    """A paragraph a note; nothing where there is none."""
    notes = [Note(figures.short(note, 500)) for note in items(result, "notes") if isinstance(note, str)]
    return Section("Worth knowing", "", notes) if notes else None
