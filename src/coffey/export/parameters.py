"""Counting the parameters of a module."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True)
class ParameterCount:
    """Numbers that were learned; a shared one counts once."""

    total: int
    without_embeddings: int


def count_parameters(module: torch.nn.Module) -> ParameterCount:
    """Count the parameters of `module`, and those outside its embedding tables."""
    total = {id(weight): weight.numel() for weight in module.parameters()}
    tables = {
        id(weight): weight.numel()
        for part in module.modules()
        if isinstance(part, torch.nn.Embedding)
        for weight in part.parameters(recurse=False)
    }
    return ParameterCount(sum(total.values()), sum(total.values()) - sum(tables.values()))
