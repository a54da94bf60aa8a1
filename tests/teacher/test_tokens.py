"""Texts become batches of ids, tokenized once."""

from __future__ import annotations

import numpy as np

from coffey.teacher.tokens import Tokens


def test_measured_texts_give_the_batches_that_unmeasured_ones_give(classifier, texts):
    """What is kept between measuring and asking changes nothing; other texts are tokenized when they come."""
    fresh = Tokens.load("c", classifier, pad_id=0, max_length=16)
    measured = Tokens.load("c", classifier, pad_id=0, max_length=16)
    lengths = measured.lengths(texts)
    for asked in (texts, texts[:2], [*texts, "another one"]):
        for one, other in zip(fresh.batches(asked, size=3), measured.batches(asked, size=3), strict=True):
            for left, right in zip(one, other, strict=True):
                np.testing.assert_array_equal(left, right)
    alone = [int(mask.sum()) for text in texts for _, _, mask in fresh.batches([text], size=1)]
    assert lengths == alone
