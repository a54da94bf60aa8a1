"""Digests depend on all of the content and on nothing else."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from coffey.core import ids

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def test_input_keys_never_change():
    """Keys are on users' disks: this one is for good."""
    assert ids.input_key("hello") == "4856731ec39066d6b1d7fea3a965dca4"


@given(st.text(), st.text())
def test_different_texts_have_different_keys(one, other):
    """Any difference shows, also in spaces and case."""
    assert (ids.input_key(one) == ids.input_key(other)) == (one == other)


def test_a_lone_surrogate_has_a_key_too():
    """Texts that are not valid Unicode get a key instead of an exception."""
    assert ids.input_key("\ud800") != ids.input_key("\ud801")


@given(st.dictionaries(st.text(), JSON))
def test_json_digests_ignore_the_order_of_keys(value):
    """Equal values give equal bytes."""
    backwards = dict(reversed(value.items()))
    assert ids.canonical_json(value) == ids.canonical_json(backwards)
    assert ids.digest_json(value) == ids.digest_json(backwards)


@given(st.lists(st.binary()).flatmap(lambda parts: st.tuples(st.just(parts), st.permutations(parts))))
def test_unordered_digests_are_of_the_multiset(pair):
    """Order does not matter; how often a part stands in it does."""
    parts, shuffled = pair
    assert ids.digest_unordered(parts) == ids.digest_unordered(shuffled)
    assert ids.digest_unordered([*parts, b"x"]) != ids.digest_unordered(parts)


def test_a_file_has_the_digest_of_its_bytes(tmp_path):
    """Read in pieces or at once, it is SHA-256."""
    data = bytes(range(256)) * 5000
    (tmp_path / "f").write_bytes(data)
    assert ids.digest_file(tmp_path / "f") == ids.digest_bytes(data) == hashlib.sha256(data).hexdigest()


def test_fresh_ids_do_not_repeat():
    """1,000 ids of 96 random bits are 1,000 ids."""
    assert len({ids.fresh_id() for _ in range(1000)}) == 1000
