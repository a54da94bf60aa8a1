"""Real texts in the order in which they would be asked: a calm stretch, then what nobody had seen before."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.tasks import Row

BESIDE_EVERY = 3
"""Of the texts of a stream every third is not served, and judges students of that time."""

NO_LONGER = "cs.CL"
"""A category without a title of 2019 in this copy."""
KNOWN = 2011
"""This year and all before it."""
YEARS = range(2012, 2020)

HELD_BACK = ("banking", "travel")
"""Domains of CLINC150 that are asked about later."""
LAST_SHARE = 0.1
"""Of the traffic at its end; it grows evenly from nothing. Five points are lost within about 800 audits, less
than a day's at the default of `monitor.audits_per_day`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Texts of each part."""

    taught: int = 4000
    """With labels, of all times and topics: the head is fitted on them, as a large model knows them."""
    transfer: int = 4000
    holdout: int
    stable: int = 2250
    changing: int
    """Drawn evenly over the years or, in CLINC150, with a share of new topics that grows."""


ARXIV = Sizes(holdout=3000, changing=14_000)
CLINC = Sizes(holdout=1500, changing=7000)
"""All that there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One story; no text is in two of its parts."""

    name: str
    """Of the task in `benchmarks.tasks`."""
    taught: Sequence[Row]
    transfer: Sequence[str]
    holdout: Sequence[str]
    served: Sequence[str]
    """In their order."""
    stable: int
    """So many requests come before anything changes."""
    beside: Sequence[tuple[int, str]]
    """Texts that are never served, each with the number of requests before it."""

    def beside_around(self, place: int, width: int) -> list[str]:
        """Those of a stretch of requests."""
        return [text for at, text in self.beside if abs(at - place) <= width]


def arxiv_years(data: Path, rng: np.random.Generator, sizes: Sizes = ARXIV) -> Stream:
    """Titles of computer science by category: learned up to 2011, asked year by year from 2012 to 2019."""
    path = data / "arxiv_cs_drift" / "titles_2005_2019.tsv"
    with path.open(encoding="utf-8", newline="") as file:
        read = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        kept = [row for row in read if row["primary_cat"] != NO_LONGER]
    of_title = {row["title"]: row for row in reversed(kept)}
    years: dict[int, list[Row]] = {year: [] for year in (KNOWN, *YEARS)}
    for title, row in of_title.items():
        years[max(KNOWN, int(row["created"][:4]))].append((title, row["primary_cat"]))
    shuffled = {year: _shuffled(rows, rng) for year, rows in years.items()}
    shares = {year: sizes.taught // (2 if year == KNOWN else 2 * len(YEARS)) for year in shuffled}
    taught = [row for year, rows in shuffled.items() for row in rows[: shares[year]]]
    known = shuffled[KNOWN][shares[KNOWN] :]
    each = sizes.changing // len(YEARS)
    changing = [row for year in YEARS for row in shuffled[year][shares[year] :][:each]]
    return _stream("arxiv", taught, known, changing, sizes)


def clinc_domains(data: Path, rng: np.random.Generator, sizes: Sizes = CLINC) -> Stream:
    """Requests of eight domains, then a growing share of two others."""
    read = json.loads((data / "clinc150" / "data_full.json").read_text(encoding="utf-8"))
    domains = json.loads((data / "clinc150" / "domains.json").read_text(encoding="utf-8"))
    late = {intent for domain in HELD_BACK for intent in domains[domain]}
    rows: dict[str, str] = {text: intent for part in ("train", "val", "test") for text, intent in read[part]}
    shuffled = _shuffled(list(rows.items()), rng)
    taught, rest = shuffled[: sizes.taught], shuffled[sizes.taught :]
    known = [row for row in rest if row[1] not in late]
    before = sizes.transfer + sizes.holdout + sizes.stable
    old, new = iter(known[before:]), iter([row for row in rest if row[1] in late])
    comes = rng.random(sizes.changing) < np.linspace(0, LAST_SHARE, sizes.changing)
    changing = [next(new if is_new else old) for is_new in comes]
    return _stream("clinc150", taught, known, changing, sizes)


def _stream(
    name: str, taught: Sequence[Row], known: Sequence[Row], changing: Sequence[Row], sizes: Sizes
) -> Stream:
    texts = [text for text, _ in known]
    learned = sizes.transfer + sizes.holdout
    stable = texts[learned : learned + sizes.stable]
    served: list[str] = []
    beside: list[tuple[int, str]] = []
    for place, text in enumerate([*stable, *(text for text, _ in changing)]):
        if place % BESIDE_EVERY == 0:
            beside.append((len(served), text))
        else:
            served.append(text)
    return Stream(
        name=name,
        taught=taught,
        transfer=texts[: sizes.transfer],
        holdout=texts[sizes.transfer : learned],
        served=served,
        stable=sum(at % BESIDE_EVERY > 0 for at in range(len(stable))),
        beside=beside,
    )


def _shuffled(rows: Sequence[Row], rng: np.random.Generator) -> list[Row]:
    return [rows[int(place)] for place in rng.permutation(len(rows))]
