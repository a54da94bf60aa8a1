"""Work beside the caller ends when it is told to, or when nobody holds it any more."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from concurrent.futures import CancelledError

import pytest

from coffey.teacher.background import Background


def test_closing_cancels_what_is_under_way_and_cleans_up_last():
    """The thread is gone afterwards."""
    steps = []

    async def work():
        try:
            await asyncio.sleep(60)
        finally:
            steps.append("cancelled")

    async def cleanup():
        steps.append("cleaned")

    background = Background("closing", cleanup)
    future = background.start(work())
    assert background.start(asyncio.sleep(0.01, "done")).result(10) == "done"
    background.close()
    with pytest.raises(CancelledError):
        future.result(10)
    assert steps == ["cancelled", "cleaned"]
    assert "closing" not in [thread.name for thread in threading.enumerate()]


def test_a_forgotten_one_ends_by_itself():
    """A teacher that is never closed leaves no thread and no connection."""
    cleaned = threading.Event()

    async def cleanup():
        cleaned.set()

    background = Background("forgotten", cleanup)
    background.start(asyncio.sleep(0)).result(10)
    del background
    gc.collect()
    assert cleaned.wait(10)
    for _ in range(1000):
        if "forgotten" not in [thread.name for thread in threading.enumerate()]:
            break
        time.sleep(0.01)
    else:
        pytest.fail("the thread is still there")
