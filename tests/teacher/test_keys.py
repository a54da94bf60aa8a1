"""Keys are found whatever their bytes, in whatever runs they were added."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from coffey.teacher.keys import KeyIndex, first_of_each, pack_keys, unpack_keys

# Few distinct bytes, zero among them: trailing zeros are where fixed-width bytes in numpy can go wrong.
keys = st.lists(st.sampled_from([0, 1, 255]), min_size=16, max_size=16).map(lambda b: bytes(b).hex())


@given(st.lists(keys, unique=True, max_size=60), st.lists(keys, max_size=20), st.integers(1, 9))
def test_the_index_finds_what_a_dictionary_finds(added, asked, step):
    """Numbers are those of the order of adding; absent keys are -1."""
    index = KeyIndex()
    for start in range(0, len(added), step):
        index.add(pack_keys(added[start : start + step]))
    numbers = {key: number for number, key in enumerate(added)}
    assert index.find(pack_keys(asked)).tolist() == [numbers.get(key, -1) for key in asked]
    assert unpack_keys(index.keys()) == added
    assert len(index) == len(added)


@given(st.lists(keys, max_size=40))
def test_packing_is_undone_by_unpacking(some):
    """No byte is lost, trailing zeros included."""
    assert unpack_keys(pack_keys(some)) == some


@given(st.lists(keys, max_size=40))
def test_first_of_each_keeps_the_order(some):
    """Distinct keys, in the order they came."""
    packed = pack_keys(some)
    assert unpack_keys(packed[first_of_each(packed)]) == list(dict.fromkeys(some))


def test_runs_stay_few_however_small_the_additions():
    """A lookup searches a logarithmic number of runs."""
    index = KeyIndex()
    every = np.random.default_rng(0).integers(0, 256, (4000, 16), dtype=np.uint8)
    packed = np.frombuffer(every.tobytes(), dtype="S16")
    for start in range(0, 4000, 4):
        index.add(packed[start : start + 4])
    assert len(index._runs) <= 12
    np.testing.assert_array_equal(index.find(packed), np.arange(4000))
