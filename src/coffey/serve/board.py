"""The metrics of all workers in one answer: each writes its text on a shared board, whoever is asked merges.

A scrape reaches one worker, whichever accepted it. The board is memory that the supervisor makes before it
forks; a place is written by one process and checked with a checksum by those that read it.
"""

from __future__ import annotations

import mmap
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

PLACE_BYTES = 256 * 1024
"""Room for the text of one worker, which has about 10 KB."""
_HEAD = struct.Struct("<II")


class Board:
    """Texts by place, shared with the processes that are forked after it was made."""

    def __init__(self, places: int) -> None:
        self.places = places
        self._memory = mmap.mmap(-1, places * PLACE_BYTES)

    def write(self, place: int, text: bytes) -> None:
        """Put a text on a place; a text that is too long is not shown."""
        if _HEAD.size + len(text) > PLACE_BYTES:
            return
        start = place * PLACE_BYTES
        body = start + _HEAD.size
        self._memory[body : body + len(text)] = text
        self._memory[start:body] = _HEAD.pack(len(text), zlib.crc32(text))

    def read(self, place: int) -> bytes:
        """The text on a place; empty where there is none, or where it is being written right now."""
        start = place * PLACE_BYTES
        length, checksum = _HEAD.unpack(self._memory[start : start + _HEAD.size])
        body = start + _HEAD.size
        text = self._memory[body : body + min(length, PLACE_BYTES - _HEAD.size)]
        return text if zlib.crc32(text) == checksum else b""


class _Merged(Collector):
    def __init__(self, texts: Mapping[str, bytes]) -> None:
        self._texts = texts

    def collect(self) -> Iterable[Metric]:
        families: dict[str, Metric] = {}
        for worker, text in self._texts.items():
            for name, labels, value, found in _samples(text):
                family = families.setdefault(found.name, Metric(found.name, found.documentation, found.type))
                family.add_sample(name, {**labels, "worker": worker} if worker else labels, value)
        return families.values()


def _samples(text: bytes) -> Iterator[tuple[str, dict[str, str], float, Metric]]:
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            yield sample.name, sample.labels, sample.value, family


def merge(texts: Mapping[str, bytes]) -> bytes:
    r"""One text of several in the Prometheus format, each sample labelled with its `worker` (unless empty).

    >>> text = b"# HELP a_total Things.\n# TYPE a_total counter\na_total 1.0\n"
    >>> print(merge({"0": text, "1": text}).decode().strip())
    # HELP a_total Things.
    # TYPE a_total counter
    a_total{worker="0"} 1.0
    a_total{worker="1"} 1.0
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Merged(texts))
    return generate_latest(registry)
