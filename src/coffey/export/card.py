"""The model card of a student: what it answers, how good it was measured to be, and how to load it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePath

from coffey.artifact.manifest import Manifest, digest, encode
from coffey.core.records import Interval

MOST_LABELS = 50


def artifact_card(manifest: Manifest, labels: Sequence[str]) -> str:
    """The card that lies in the artifact itself.

    Args:
        manifest: of the artifact; its files need not be known yet.
        labels: names in the order of the logits.
    """
    return f"""# {manifest.name}

{_student(manifest)}

{_table(manifest)}

These figures were measured on the holdout, through the serving path, on the files of this folder (variant
`{manifest.quantization.variant}`). `manifest.json` has all of them, and the signature covers every file.

## Labels

{_labels(labels)}

## Use

```console
$ coffey serve THIS-FOLDER --public-key signing-key.pub.pem
```
"""


def checkpoint_card(manifest: Manifest, labels: Sequence[str], *, source: str = "path/to/this/folder") -> str:
    """The card of the checkpoint, with the front matter that the Hugging Face hub reads.

    Args:
        manifest: of the artifact that was made of this student.
        labels: names in the order of the logits.
        source: what the example loads.
    """
    return f"""---
library_name: transformers
pipeline_tag: text-classification
tags: [coffey, distillation]
---

# {manifest.name}

{_student(manifest)}

{_table(manifest)}

These figures were measured on the holdout, on the artifact `{manifest.quantization.variant}` with the digest
`{digest(encode(manifest))[:12]}`. The weights here are the trained 32-bit ones that it was made of.

## Labels

{_labels(labels)}

## Use

```python
from transformers import AutoModelForSequenceClassification, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("{source}", trust_remote_code=True)
model = AutoModelForSequenceClassification.from_pretrained("{source}", trust_remote_code=True)
batch = tokenizer(["A text."], padding=True, truncation=True, return_tensors="pt")
print(model.config.id2label[int(model(**batch).logits[0].argmax())])
```

`trust_remote_code` runs `modeling_coffey.py` of this folder: `transformers` has no class that takes the
mean over a text's tokens. Read it first, and name a `revision`.
"""


def _teacher(manifest: Manifest) -> str:
    """The end of the teacher's source, which names it: no folders of the machine it was on."""
    return "/".join(PurePath(manifest.lineage.teacher_source).parts[-2:])


def _student(manifest: Manifest) -> str:
    counts = f"{manifest.params:,} parameters ({manifest.params_without_embeddings:,} without embeddings)"
    return f"A student of {counts}, distilled by Coffey from `{_teacher(manifest)}`."


def _table(manifest: Manifest) -> str:
    rows = [f"| {name} | {value} |" for name, value in _facts(manifest)]
    return "\n".join(["| | |", "|---|---|", *rows])


def _facts(manifest: Manifest) -> Iterator[tuple[str, str]]:
    quality = manifest.quality
    yield "agreement with the teacher", _interval(quality.agreement)
    if quality.accuracy is not None:
        yield quality.measure, _interval(quality.accuracy)
    if quality.teacher_accuracy is not None:
        yield f"{quality.measure} of the teacher", _interval(quality.teacher_accuracy)
    if quality.retention is not None:
        yield "retention", _interval(quality.retention)
    yield "examples", f"{quality.examples:,}"
    if manifest.threshold is not None:
        yield "a label is given from a probability of", f"{manifest.threshold:g}"
    yield "tokens that are read of a text", f"{manifest.max_length:,}"
    for stage in manifest.lineage.stages:
        yield f"stage {stage.name}", f"{stage.params:,} parameters, taught by {' and '.join(stage.taught_by)}"


def _interval(found: Interval) -> str:
    return f"{found.value:.3f} ({found.confidence:.0%} interval {found.low:.3f} to {found.high:.3f})"


def _labels(labels: Sequence[str]) -> str:
    shown = ", ".join(f"`{label}`" for label in labels[:MOST_LABELS])
    more = len(labels) - MOST_LABELS
    return f"{shown} and {more} more (in `config.json`)" if more > 0 else shown
