"""What is known of some texts is told apart from what is not, by key."""

from __future__ import annotations

import numpy as np

from coffey.core.ids import input_key
from coffey.teacher.known import read_known
from coffey.teacher.store import LabelStore
from coffey.testing.teacher import FixedTeacher

TEXTS = ("one", "two", "three")


def test_answers_come_in_the_order_of_the_texts_without_what_is_missing(tmp_path):
    """Keys may repeat; where nothing is known, there are no rows, of as many labels."""
    teacher = FixedTeacher()
    store = LabelStore.open(tmp_path, teacher)
    one, two, three = map(input_key, TEXTS)
    nothing = read_known(store, [two, two])
    assert (nothing.known.tolist(), nothing.probabilities.shape) == ([False, False], (0, len(teacher.labels)))
    store.append([one, three], teacher.predict(["one", "three"]))
    found = read_known(store, [three, two, one, three])
    assert found.known.tolist() == [True, False, True, True]
    np.testing.assert_array_equal(found.probabilities, teacher.predict(["three", "one", "three"]))
    assert read_known(store, []).known.shape == (0,)
