"""A student answers each text by itself, whatever it is batched with."""

from __future__ import annotations

from dataclasses import replace

import torch

from coffey.students.encoder import Student
from coffey.students.shape import EncoderShape

SHAPE = EncoderShape(2, 64, 2, 128, 40, 12, 5)


def test_answers_have_the_promised_shapes():
    """Logits [b, labels] and features [b, width], float32."""
    logits, features = Student(SHAPE).eval()(
        torch.ones(3, 7, dtype=torch.long), torch.ones(3, 7, dtype=torch.long)
    )
    assert (logits.shape, features.shape) == ((3, 5), (3, 64))
    assert logits.dtype == features.dtype == torch.float32


def test_padding_changes_nothing():
    """A text padded to any length has the features it has alone."""
    torch.manual_seed(1)
    student = Student(SHAPE).eval()
    ids = torch.tensor([[2, 8, 9, 3]])
    padded = torch.tensor([[2, 8, 9, 3, 0, 0, 31]])
    mask = torch.tensor([[1, 1, 1, 1, 0, 0, 0]])
    with torch.inference_mode():
        alone = student(ids, torch.ones_like(ids))[1]
        together = student(padded, mask)[1]
    torch.testing.assert_close(alone, together, atol=1e-5, rtol=0)


def test_a_text_without_tokens_is_answered_with_numbers():
    """An all-padding row gives zeros as features, not NaN."""
    zeros = torch.zeros(1, 4, dtype=torch.long)
    features = Student(SHAPE).eval()(zeros, zeros)[1]
    assert torch.equal(features, torch.zeros(1, 64))


def test_a_factorised_table_is_one_that_was_widened():
    """A student with a projection answers as one whose table is the widened one."""
    torch.manual_seed(1)
    factorised = Student(replace(SHAPE, embedding=16)).eval()
    whole = Student(SHAPE).eval()
    weights = {name: value for name, value in factorised.state_dict().items() if name != "widen.weight"}
    whole.load_state_dict(weights | {"tokens.weight": factorised.table()})
    ids = torch.tensor([[2, 8, 9, 3], [2, 30, 3, 0]])
    with torch.inference_mode():
        said, wanted = (student(ids, (ids > 0).long()) for student in (factorised, whole))
    torch.testing.assert_close(said, wanted, atol=1e-5, rtol=0)
