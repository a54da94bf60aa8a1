"""Fields that a user adds to the requests of an endpoint."""

from __future__ import annotations

import json
from typing import Any

_OWNED = frozenset({"model", "messages", "n", "seed", "logprobs", "top_logprobs", "stream"})
"""What Coffey sets itself: other values would change what an answer means."""


def extra_problem(extra: str) -> str | None:
    """What is expected of `teacher.asking.extra` that cannot be used; None when it can.

    >>> extra_problem('{"top_p": 1}') is None, extra_problem("[]")
    (True, 'a JSON object')
    """
    try:
        found: Any = json.loads(extra)
    except ValueError as exc:
        return f"a JSON object ({exc})"
    if not isinstance(found, dict):
        return "a JSON object"
    owned = sorted(_OWNED & set(found))
    return f"no {owned[0]!r}, which Coffey sets itself" if owned else None
