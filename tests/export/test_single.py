"""One form is written, and how far it is from the module is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from coffey.core.errors import EmptyData
from coffey.export.export import Variants
from coffey.export.fuse import count_operators
from coffey.export.single import export_single


@pytest.mark.parametrize("form", ["fused", "int8"])
def test_a_single_form_is_the_one_that_all_forms_have(
    module: Any, tokenizer: Any, texts: list[str], variants: Variants, tmp_path: Path, form: Any
) -> None:
    """The same operators as the variant of that name among all; nothing else is left in the folder."""
    made = export_single(
        module,
        tokenizer,
        form=form,
        labels=variants.form.labels,
        max_length=variants.form.max_length,
        folder=tmp_path,
        texts=texts[:20],
    )
    assert [path.name for path in tmp_path.iterdir()] == [f"{form}.onnx"]
    assert count_operators(made.chosen.path) == count_operators(variants.named(form).path)
    assert made.chosen.bytes == variants.named(form).bytes
    assert made.chosen.agreement >= 0.9
    assert made.chosen.largest_difference < 0.1
    assert made.parameters == variants.parameters
    assert made.runtime().predict(texts[:3]).shape == (3, len(variants.form.labels))


def test_parity_needs_a_text(module: Any, tokenizer: Any, tmp_path: Path) -> None:
    """Of none, nothing can be said."""
    with pytest.raises(EmptyData):
        export_single(module, tokenizer, form="int8", labels=("a",), max_length=8, folder=tmp_path, texts=[])
