"""A data set's fingerprint is that of the set: order and files do not matter, any change does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coffey.core.records import Example
from coffey.data.fingerprint import fingerprint

EXAMPLES = st.builds(Example, text=st.text(), label=st.none() | st.text(), source=st.text(max_size=3))


@given(st.lists(EXAMPLES, max_size=8).flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(rows))))
def test_order_and_origin_do_not_matter(pair):
    """Shuffled rows from elsewhere are the same data."""
    rows, shuffled = pair
    moved = [Example(row.text, row.label, "elsewhere", 7) for row in shuffled]
    assert fingerprint(rows) == fingerprint(moved)


@given(st.lists(EXAMPLES, min_size=1, max_size=5), EXAMPLES)
def test_any_change_shows(rows, other):
    """One row more, less or other is another data set."""
    assert fingerprint(rows) != fingerprint(rows[1:])
    assert fingerprint(rows) != fingerprint([*rows, other])
    relabelled = [Example(rows[0].text, f"{rows[0].label}'"), *rows[1:]]
    assert fingerprint(rows) != fingerprint(relabelled)
