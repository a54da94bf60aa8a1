"""Batches cover every example once an epoch, whatever the seed."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from coffey.distill.batches import by_length, epoch_batches, tokenize


@pytest.mark.parametrize(("rows", "size"), [(1, 8), (7, 8), (64, 8), (1003, 16), (5, 1)])
def test_every_row_is_read_exactly_once_an_epoch(rows, size):
    """No row is left out or read twice, and no batch is too large or empty."""
    wanted = np.arange(3, 3 + rows)
    lengths = np.random.default_rng(0).integers(2, 30, size=rows + 3)
    for epoch in range(3):
        batches = epoch_batches(wanted, lengths, size=size, seed=1, epoch=epoch)
        assert sorted(np.concatenate(batches).tolist()) == wanted.tolist()
        assert all(0 < len(batch) <= size for batch in batches)


def test_seed_and_epoch_decide_the_order():
    """The same seed and epoch give the same batches; another epoch or seed gives others."""
    lengths = np.random.default_rng(0).integers(2, 30, size=500)

    def order(seed, epoch):
        return np.concatenate(
            epoch_batches(np.arange(500), lengths, size=16, seed=seed, epoch=epoch)
        ).tolist()

    assert order(1, 0) == order(1, 0)
    assert order(1, 0) != order(1, 1)
    assert order(1, 0) != order(2, 0)


def test_batches_waste_less_padding_than_chance():
    """Texts of similar length are read together."""
    lengths = np.random.default_rng(0).integers(2, 60, size=2000)
    padded = sum(
        int(lengths[batch].max()) * len(batch)
        for batch in epoch_batches(np.arange(2000), lengths, size=32, seed=0, epoch=0)
    )
    random = np.random.default_rng(1).permutation(2000).reshape(-1, 25)
    by_chance = sum(int(lengths[batch].max()) * len(batch) for batch in random)
    assert padded < 1.1 * lengths.sum() < by_chance


def test_padding_marks_what_is_not_text(task):
    """Ids are those of the tokenizer, the mask is 1 on them alone, and long texts are cut."""
    texts = ["stop my radio", "switch on the kitchen light when I am home", ""]
    tokenized = tokenize(task.tokenizer, texts, max_length=8)
    ids, mask = tokenized.pad(np.asarray([1, 0, 2]))
    assert ids.shape == mask.shape == (3, 8)
    assert ids[1][mask[1].bool()].tolist() == task.tokenizer.encode(texts[0]).ids
    assert mask.sum(1).tolist() == [8, len(task.tokenizer.encode(texts[0]).ids), 2]
    assert ids.dtype == mask.dtype == torch.int64


def test_answering_reads_every_row_once():
    """Batches from short to long hold each asked row once."""
    lengths = np.asarray([5, 3, 9, 1, 4])
    batches = list(by_length(np.asarray([4, 2, 0]), lengths, size=2))
    assert [batch.tolist() for batch in batches] == [[4, 0], [2]]
