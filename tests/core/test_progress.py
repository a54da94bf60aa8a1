"""Progress may be ignored."""

from __future__ import annotations

from coffey.core.progress import Progress, Silent


def test_silent_progress_is_progress():
    """Every call of the protocol is taken without a sound."""
    silent: Progress = Silent()
    silent.start("labelling", 10, "inputs")
    silent.advance("labelling", 2, "loss 0.3")
    silent.finish("labelling")
    silent.say("done")
