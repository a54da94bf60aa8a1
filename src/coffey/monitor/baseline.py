"""What a promise was measured on, example by example, and the groups that inputs fell into then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from coffey.artifact.predictor import Predictor
from coffey.monitor.arrays import Arrays, load_arrays, save_arrays
from coffey.stats.clusters import Clusters, fit_clusters

ROWS = 10_000
"""Examples kept at most: the student answers them in seconds."""

FITTED = 1000
"""Examples that clusters are fitted to at most. They are no part of what clusters are compared with: to the
centres that were drawn to them they are nearer than anything that comes later."""

CLUSTERS = 12
"""Fewer are too coarse to point at anything; of more, each has too few audits to show anything."""

UNPLACED = -2
"""The cluster of an example that clusters were fitted to."""

_SEED = 17
_COLUMNS = ("agreement", "weight", "tokens", "cluster", "edges")
_KEPT = frozenset({*_COLUMNS, "labels", "said", "centres", "reach"})


@dataclass(frozen=True, slots=True)
class Places:
    """Where inputs belong; one row an input."""

    tokens: npt.NDArray[np.int64]
    """Tokens read of each [n]."""
    cluster: npt.NDArray[np.int64]
    """The cluster of each [n], or `clusters.UNLIKE`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """One row an example that the promise was measured on; the student had not learned from it."""

    labels: tuple[str, ...]
    """Every label that the student can give."""
    said: tuple[str, ...]
    """The student's answers, as audits write them [n]."""
    agreement: npt.NDArray[np.float64]
    """Of student and teacher, in [0, 1] [n]."""
    weight: npt.NDArray[np.float64]
    """The requests that each stands for, by the most that one does [n]."""
    tokens: npt.NDArray[np.int64]
    """Tokens read of each [n]."""
    cluster: npt.NDArray[np.int64]
    """The cluster of each [n], `clusters.UNLIKE` or `UNPLACED`."""
    edges: npt.NDArray[np.int64]
    """Tokens from which the next bin of lengths begins, rising."""
    clusters: Clusters

    def __len__(self) -> int:
        return len(self.said)

    def places(self, predictor: Predictor, texts: Sequence[str]) -> Places:
        """Where texts, at least one, belong, by the student that the baseline is of."""
        return Places(predictor.encode(texts).lengths, self.clusters.of(predictor.features(texts)))


def measure_baseline(
    predictor: Predictor,
    texts: Sequence[str],
    teacher_probabilities: npt.NDArray[np.floating],
    *,
    counts: Sequence[float] | None = None,
) -> Baseline | None:
    """The baseline of `predictor`; None for fewer than two examples.

    Args:
        predictor: the student as it serves.
        texts: that it has not learned from [n]; of more than `ROWS`, evenly spaced ones are taken.
        teacher_probabilities: of the same texts [n, labels].
        counts: requests that each text stands for [n]; equal when absent.
    """
    if len(texts) < 2:
        return None
    rows = np.unique(np.linspace(0, len(texts) - 1, min(len(texts), ROWS)).astype(np.int64))
    chosen = [texts[row] for row in rows.tolist()]
    answers, scoring = predictor.answer_all(chosen), predictor.scoring
    said = scoring.answers(answers.probabilities)
    tokens = predictor.encode(chosen).lengths
    fitted = np.arange(0, len(rows), 2)[:FITTED]
    held = np.setdiff1d(np.arange(len(rows)), fitted)
    clusters = fit_clusters(answers.features[fitted], answers.features[held], count=CLUSTERS, seed=_SEED)
    cluster = clusters.of(answers.features)
    cluster[fitted] = UNPLACED
    weight = np.ones(len(rows)) if counts is None else np.asarray(counts, dtype=np.float64)[rows]
    return Baseline(
        labels=tuple(predictor.labels),
        said=tuple(scoring.names(said, predictor.labels)),
        agreement=np.asarray(
            scoring.score(said, scoring.answers(np.asarray(teacher_probabilities)[rows])), np.float64
        ),
        weight=weight / weight.max(),
        tokens=tokens,
        cluster=cluster,
        edges=np.unique(np.quantile(tokens, (0.25, 0.5, 0.75), method="higher").astype(np.int64)),
        clusters=clusters,
    )


def baseline_path(store: Path, digest: str) -> Path:
    """Where the baseline of an artifact is kept."""
    return store / "references" / f"{digest}.baseline.npz"


def save_baseline(path: Path, baseline: Baseline) -> None:
    """Keep a baseline at `path` (npz, nothing pickled; no text of an input is in it).

    Raises:
        StoreUnavailable: it cannot be written.
    """
    columns: Arrays = {name: getattr(baseline, name) for name in _COLUMNS}
    named: Arrays = {
        "labels": np.asarray(baseline.labels, np.str_),
        "said": np.asarray(baseline.said, np.str_),
        "centres": baseline.clusters.centres,
        "reach": np.asarray(baseline.clusters.reach),
    }
    save_arrays(path, columns | named)


def load_baseline(path: Path) -> Baseline | None:
    """The baseline that `save_baseline` kept, or None: champions of earlier versions have none.

    Raises:
        StoreUnavailable: the file is there and cannot be read.
    """
    kept: Any = load_arrays(path, names=_KEPT, what="baseline")
    if kept is None:
        return None
    return Baseline(
        labels=tuple(kept["labels"].tolist()),
        said=tuple(kept["said"].tolist()),
        clusters=Clusters(kept["centres"], float(kept["reach"])),
        **{name: kept[name] for name in _COLUMNS},
    )
