"""What the demo says of a repair: what it gained, why there was none, or that none was due."""

from __future__ import annotations

import pytest

from coffey.cli.demo import _redistilled
from coffey.project.demo.outcome import _mended, _refused

SHARE = {"value": 0.6, "low": 0.5, "high": 0.7, "confidence": 0.95, "method": "wilson"}
BETTER = SHARE | {"value": 0.8, "low": 0.75, "high": 0.85}


def tick(before=None, after=None, reason=""):
    return {"before": before, "after": after, "decision": {"reason": reason}}


@pytest.mark.parametrize(
    ("redistilled", "said"),
    [
        (None, "not needed"),
        (tick(reason="The gate refused it."), "not promoted. The gate refused it."),
        (tick(SHARE, BETTER), "agreement on fresh traffic 0.60 (0.50–0.70) → 0.80 (0.75–0.85)"),
    ],
)
def test_a_repair_is_said_as_it_ended(redistilled, said):
    """A challenger that the gate refused is no repair that was not needed."""
    result = {"redistilled": _mended(redistilled), "refused": _refused(redistilled)}
    assert _redistilled(result) == said
