"""A run that `test_kill.py` kills: trains the chain that the saved request describes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from coffey.core.progress import Silent
from coffey.core.settings import ChainSettings
from coffey.distill.chain import run_chain
from coffey.distill.records import ChainRequest


def main(inputs: Path, folder: Path) -> None:
    torch.set_num_threads(1)
    spec = json.loads((inputs / "spec.json").read_text())
    arrays = np.load(inputs / "arrays.npz", allow_pickle=False)
    request = ChainRequest(
        texts=spec["texts"],
        keys=spec["keys"],
        teacher=arrays["teacher"],
        hard=arrays["hard"],
        validation=arrays["validation"],
        labels=tuple(spec["labels"]),
        stages=tuple(spec["stages"]),
        settings=ChainSettings(**spec["settings"]),
        folder=folder,
        tokenizer=Tokenizer.from_file(str(inputs / "tokenizer.json")),
    )
    run_chain(request, progress=Silent())


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
