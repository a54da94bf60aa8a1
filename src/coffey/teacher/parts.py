"""Cutting a stream into parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def in_parts(items: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    """The items in order, `size` at a time; the last part may be smaller (`itertools.batched` of 3.12).

    >>> list(in_parts("abc", 2))
    [('a', 'b'), ('c',)]
    """
    stream = iter(items)
    while part := tuple(islice(stream, size)):
        yield part
