"""An event loop beside the caller's thread, so that code without `await` can have many requests under way."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")
Cleanup = Callable[[], Awaitable[None]]


class Background:
    """One event loop in a thread of its own; it works wherever the caller runs, also inside another loop.

    It ends with `close`, or when nobody refers to it any more.
    """

    def __init__(self, name: str, cleanup: Cleanup) -> None:
        """`cleanup` is awaited in the loop before it ends; it must not refer to this object."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=_run, args=(self._loop,), name=name, daemon=True)
        self._thread.start()
        self._end = weakref.finalize(self, _end_soon, self._loop, cleanup)

    def start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Begin `work`; the future may be waited for, or cancelled, from any thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self) -> None:
        """Cancel what is under way, clean up, and end the thread."""
        self._end()
        self._thread.join()


def _run(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        loop.close()


def _end_soon(loop: asyncio.AbstractEventLoop, cleanup: Cleanup) -> None:
    """Never waits: the garbage collector may call this in any thread, also in that of the loop."""
    asyncio.run_coroutine_threadsafe(_end(cleanup), loop)


async def _end(cleanup: Cleanup) -> None:
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    try:
        await cleanup()
    finally:
        asyncio.get_running_loop().stop()
