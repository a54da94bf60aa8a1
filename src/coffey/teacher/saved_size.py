"""How many parameters a saved checkpoint has, read from the headers of its files: nothing is loaded."""

from __future__ import annotations

import math
from pathlib import Path


def saved_params(folder: Path) -> int | None:
    """Numbers in the floating point tensors of all `*.safetensors` in `folder`; None where there are none.

    A file that cannot be read leaves the count unknown: who loads the checkpoint says what is wrong with it.
    So does an install without safetensors, which could not load it either.
    """
    try:
        import safetensors
    except ModuleNotFoundError:
        return None
    total = 0
    try:
        for path in folder.glob("*.safetensors"):
            with safetensors.safe_open(path, framework="numpy") as file:
                slices = (file.get_slice(name) for name in file.keys())  # noqa: SIM118 (no mapping)
                total += sum(math.prod(one.get_shape()) for one in slices if "F" in one.get_dtype())
    except (OSError, safetensors.SafetensorError):
        return None
    return total or None
