"""The playground: one text answered by the student here, and by the teacher through the label store."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from coffey.artifact.predictor import Predictor
from coffey.core.clock import monotonic
from coffey.core.errors import CoffeyError, UnknownVersion
from coffey.core.ids import input_key
from coffey.dashboard.live.board import MOST_SCORES, Said
from coffey.project.workspace import Workspace
from coffey.registry.protocol import CHALLENGER, CHAMPION
from coffey.registry.version import Version
from coffey.stats.scoring import Scoring

_RUNS = 20
"""Times that a text is answered to time it; the median is said."""


class Playground:
    """Holds the student of the moment, and the teacher once it was asked for."""

    def __init__(self, space: Workspace) -> None:
        """Load nothing yet."""
        self._space = space
        self._student: Predictor | None = None
        self._lock = threading.Lock()
        """Of loading, and of the teacher, which answers one at a time."""

    def prepare(self) -> None:
        """Load the student and let it answer once; who asks it meanwhile waits for that and nothing more."""
        with contextlib.suppress(CoffeyError):
            self._loaded(self._version()).predict(["ready"])

    def student(self, text: str) -> Said:
        """The champion's answer, and how long it takes alone, in process."""
        version = self._version()
        predictor = self._loaded(version)
        row = predictor.predict([text])[0]
        took = []
        for _ in range(_RUNS):
            began = monotonic()
            predictor.predict([text])
            took.append(monotonic() - began)
        microseconds = 1e6 * float(np.median(took))
        return _said(f"Student {version.name}", row, predictor.labels, predictor.scoring, microseconds)

    def teacher(self, text: str) -> Said:
        """The teacher's answer; one that it gave before is not asked for again.

        Raises:
            MissingExtra: its libraries are not installed.
            TeacherError: it cannot be asked, gave no usable answer, or its budget is spent.
        """
        predictor = self._loaded(self._version())
        with self._lock:
            teacher = self._space.teacher
            known = not self._space.labels.missing([input_key(text)])
            row = self._space.answer([text])[0]
        note = "answered before, from the label store" if known else "asked just now, and kept"
        return _said(
            f"Teacher {'/'.join(Path(teacher.source).parts[-2:])}",
            row,
            teacher.labels,
            predictor.scoring,
            note=note,
        )

    def _version(self) -> Version:
        registry = self._space.registry
        try:
            return registry.resolve(CHAMPION)
        except UnknownVersion:
            return registry.resolve(CHALLENGER)

    def _loaded(self, version: Version) -> Predictor:
        with self._lock:
            if self._student is None or self._student.digest != version.digest:
                path = self._space.store / version.artifact
                self._student = Predictor.load(path, trust=self._space.trust)
            return self._student


def _said(
    who: str,
    row: npt.NDArray[np.float32],
    labels: Sequence[str],
    scoring: Scoring,
    microseconds: float | None = None,
    note: str = "",
) -> Said:
    answer = scoring.answers(row[None])
    order = np.argsort(-row, kind="stable")[:MOST_SCORES]
    given = np.flatnonzero(answer[0]) if scoring.independent else answer
    return Said(
        who=who,
        labels=tuple(labels[index] for index in given.tolist()),
        scores=tuple((labels[index], float(row[index])) for index in order.tolist()),
        microseconds=microseconds,
        note=note,
    )
