"""Speeds of models that were never run: from their size, by counting floating-point operations."""

from __future__ import annotations

import re

FLOPS = 50e9
"""Sustained floating-point operations a second: what two to four cores of a current server CPU reach in fp32
matrix products (peak is about four times as much)."""

TEACHER_PARAMS = 110_000_000
"""BERT-base (Devlin et al. 2019), the usual size of a fine-tuned encoder."""

MACHINE_USD_PER_HOUR = 0.17
"""A cloud machine with 4 virtual CPUs: on-demand list price of AWS c6i.xlarge in us-east-1, 2024."""

INT8_SPEEDUP = 2.0
"""Dynamic int8 against fp32 on a CPU with int8 dot products; 1.5 to 3 times is usual for encoders."""

PRETRAINED_PARAMS = 22_700_000
PRETRAINED_BODY = 10_600_000
"""MiniLM-L6-H384 (Wang et al. 2020), a usual small encoder to fine-tune: with its embeddings, and without."""

PRETRAINED_EPOCHS = 3
"""Of fine-tuning a pretrained encoder; 2 to 4 is usual (Devlin et al. 2019, appendix A.3)."""

UNSURE = 2.0
"""A cascade that knew when the student is wrong would hand on just what it and the teacher disagree on;
confidence is a worse guide, so twice as many are taken."""

LOG_BYTES_PER_REQUEST = 80.0
"""Of a logged request: 67 to 83 bytes for questions of 40 characters, compressed in blocks of 1,024 to 32."""

ANSWER_BYTES = 1000.0
"""Of a stored answer: 150 probabilities of 4 bytes, a key of 32 and their framing."""

KEPT_BYTES_PER_PARAM = 16.0
"""Of a trained stage: fp32 weights, the two moments of AdamW in its checkpoint, and the exported model."""

_UNITS = {"": 1.0, "K": 1e3, "M": 1e6, "G": 1e9, "B": 1e9}
_COUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGB]?)", re.IGNORECASE)


def forward_s(params: float, tokens: float) -> float:
    """Seconds to answer one input: 2 operations a parameter and token (Kaplan et al. 2020, section 2.1)."""
    return 2.0 * params * tokens / FLOPS


def step_s(params: float, tokens: float, batch_size: int) -> float:
    """Seconds of one optimizer step: 6 operations a parameter and token (Kaplan et al. 2020, section 2.1)."""
    return 6.0 * params * tokens * batch_size / FLOPS


def stage_params(stage: str) -> float | None:
    """Parameters that take part in every token, from a stage's text; None when it cannot be told.

    A target such as `2M` is taken whole, an upper bound since embeddings are only looked up. Of a shape,
    layers and width count: 12 x layers x width^2 (Kaplan et al. 2020, table 1). Of a static student every
    token adds its vector of `width` numbers, but a training step passes over the whole table; so a target is
    taken whole here too, and of `static:width=…` only what it says can be told. Of a user's module nothing.

    >>> stage_params("2M"), stage_params("layers=2,width=100"), stage_params("auto")
    (2000000.0, 240000.0, None)
    """
    count = _COUNT.fullmatch(stage.strip().removeprefix("static:"))
    if count:
        return float(count.group(1)) * _UNITS[count.group(2).upper()]
    shape = dict(re.findall(r"(\w+)\s*=\s*(\d+)", stage))
    if "layers" in shape and "width" in shape:
        return 12.0 * float(shape["layers"]) * float(shape["width"]) ** 2
    if stage.startswith("static:") and {"width", "vocabulary"} <= shape.keys():
        return float(shape["width"]) * float(shape["vocabulary"])
    return None
