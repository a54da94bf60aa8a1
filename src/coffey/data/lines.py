"""Physical lines of a byte stream, numbered and decoded one by one, so that a bad one spoils no other."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from coffey.core.errors import UnreadableData

_WIDE = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Line(NamedTuple):
    """One line with its ending; `text` keeps undecodable bytes as surrogates when there is a `problem`."""

    number: int
    text: str
    problem: str | None


def numbered_lines(stream: Iterable[bytes], source: str) -> Iterator[Line]:
    r"""Decode the lines of a UTF-8 stream that is split at `\n`; a byte order mark is dropped.

    Raises:
        UnreadableData: the stream is UTF-16 or UTF-32.
    """
    for number, raw in enumerate(stream, start=1):
        data = raw
        if number == 1:
            if raw.startswith(_WIDE):
                raise UnreadableData(source, "it is UTF-16 or UTF-32; save it as UTF-8")
            data = raw.removeprefix(codecs.BOM_UTF8)
        yield _decode(number, data)


def _decode(number: int, data: bytes) -> Line:
    try:
        return Line(number, data.decode(), None)
    except UnicodeDecodeError as exc:
        problem = f"not UTF-8: byte 0x{data[exc.start]:02X} at position {exc.start + 1} of line {number}"
        return Line(number, data.decode(errors="surrogateescape"), problem)
