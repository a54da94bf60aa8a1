"""Lines are numbered and decoded one by one."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from coffey.data.lines import numbered_lines


@given(st.binary())
def test_every_byte_is_accounted_for(data):
    """Lines put together are the stream, and only undecodable ones have a problem."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")):
        return
    lines = list(numbered_lines(io.BytesIO(data), "d"))
    joined = b"".join(line.text.encode(errors="surrogateescape") for line in lines)
    assert joined == data.removeprefix(b"\xef\xbb\xbf")
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))
    for line in lines:
        decodable = not any("\udc80" <= char <= "\udcff" for char in line.text)
        assert (line.problem is None) == decodable


def test_unicode_line_separators_do_not_end_a_line():
    """Only a line feed does: U+2028 inside a JSON string is data."""
    assert [line.text for line in numbered_lines(io.BytesIO("a\u2028b\x85c\nd".encode()), "d")] == [
        "a\u2028b\x85c\n",
        "d",
    ]
