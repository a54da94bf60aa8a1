"""Labels through an endpoint in a process of its own, to be killed: arguments STORE, URL and TEXTS."""

from __future__ import annotations

import sys
from pathlib import Path

from coffey.core.settings import AskingSettings, EndpointSettings
from coffey.teacher.asking import ask
from coffey.teacher.endpoint import EndpointTeacher
from coffey.teacher.store import LabelStore


def label(root: str, url: str, texts: str) -> str:
    """The digest of all answers."""
    teacher = EndpointTeacher(
        "little",
        EndpointSettings(url=url, concurrency=4),
        AskingSettings(),
        labels=("bad", "fine", "good"),
        template="{text}",
    )
    try:
        store = LabelStore.open(Path(root), teacher)
        return ask(teacher, store, [f"text {number}" for number in range(int(texts))], batch_size=4).digest
    finally:
        teacher.close()


if __name__ == "__main__":
    label(*sys.argv[1:])
