"""A stage is given up only when it knows nothing and has no way left to learn."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from coffey.distill.hopeless import Score, constant_answer, reachable, reason_to_stop
from coffey.distill.loop import compare

SHARES = st.lists(st.floats(0, 1), min_size=1, max_size=12).map(lambda seen: np.maximum.accumulate(seen))


@given(SHARES, st.integers(0, 20), st.floats(0, 1), st.floats(0, 1), st.floats(-1, 1))
def test_only_what_knows_nothing_is_given_up(best, left, done, share, more_loss):
    """Never what beats the constant answer, or could by rising as it once did, nor in its first half."""
    reason = reason_to_stop(best.tolist(), 2 + more_loss, done=done, left=left, constant=Score(share, 2.0))
    hopeless = 2 + more_loss >= 2.0 and reachable(best.tolist(), left) <= share and (done >= 0.5 or not left)
    assert bool(reason) == hopeless
    if hopeless:
        assert best[-1] <= share
        assert f"{share:.1%}" in reason


@given(SHARES, st.integers(0, 20))
def test_a_curve_that_flattens_never_passes_the_bound(best, left):
    """Whatever comes, if no rise is steeper than the steepest so far."""
    steepest = max(np.diff(best), default=0.0)
    assert reachable(best.tolist(), left) >= min(1.0, best[-1] + 0.99 * left * steepest) - 1e-9


def test_the_constant_answer_is_the_best_one_that_reads_nothing():
    """It agrees as often as the most common label comes, and no other constant has less divergence."""
    judge = np.eye(3)[[0, 0, 0, 1, 2]] * 0.9 + 0.1 / 3
    agreement, divergence = compare(constant_answer(judge, 5), judge)
    assert agreement == 0.6
    for other in np.random.default_rng(0).dirichlet(np.ones(3), size=50):
        assert compare(np.repeat(other[None], 5, axis=0), judge)[1] >= divergence
