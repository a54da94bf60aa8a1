"""Labels in a process of its own, to be killed: `labelling.py STORE LOG TEXTS BATCH SECONDS DIE_AT`.

With DIE_AT above 0 the process kills itself with SIGKILL at its DIE_AT-th change of the file system
(flush, rename, link or removal), before that change is made.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from coffey.teacher.asking import ask
from coffey.teacher.store import LabelStore
from coffey.testing.teacher import FixedTeacher


def die_at(change: int) -> None:
    left = change

    def counted(real):
        def wrapper(*args, **kwargs):
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **kwargs)

        return wrapper

    for name in ("fsync", "link"):
        setattr(os, name, counted(getattr(os, name)))
    for name in ("replace", "unlink"):
        setattr(Path, name, counted(getattr(Path, name)))


def main(root: str, log: str, texts: str, batch: str, seconds: str, change: str) -> None:
    if int(change):
        die_at(int(change))
    teacher = FixedTeacher(log=Path(log), seconds=float(seconds))
    store = LabelStore.open(Path(root), teacher)
    ask(teacher, store, (f"text {i}" for i in range(int(texts))), batch_size=int(batch), window=100)


if __name__ == "__main__":
    main(*sys.argv[1:])
