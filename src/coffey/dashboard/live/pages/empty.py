"""A page of which nothing is known yet: what is missing, and the command that makes it."""

from __future__ import annotations

from coffey.dashboard.page import Note, Page, Section


def empty(title: str, says: str, do: str) -> Page:
    """A page that names the next step."""
    return Page(kind=title, name=title, verdict=says, sections=[Section("What to do", "", [Note(do)])])
