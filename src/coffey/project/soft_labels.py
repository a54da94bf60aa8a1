"""The teacher's answers beside the texts they belong to, as a table."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from coffey.project.transfer import Split, read_data
from coffey.project.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa


def soft_label_table(space: Workspace) -> pa.Table:
    """One row for each distinct input of the project's data that the teacher has answered; nothing is asked.

    Columns: `set` (`transfer` or `holdout`), `key`, `text`, `label` (the hard label; a list where a text may
    have many; null where nobody knows), `teacher` (its most probable label) and `probabilities`, float32 in
    the order of the labels that the field's metadata lists as JSON.

    Raises:
        DataError, TeacherError, StoreError: data, teacher or answers cannot be read.
    """
    import pyarrow as pa

    data = read_data(space.settings, space.progress)
    schema = _schema(space)
    parts = (("transfer", data.transfer), ("holdout", data.holdout))
    return pa.concat_tables([_answered(space, name, split, schema) for name, split in parts])


def _schema(space: Workspace) -> pa.Schema:
    import pyarrow as pa

    labels = space.teacher.labels
    texts = {"set": pa.string(), "key": pa.string(), "text": pa.string()}
    label = pa.list_(pa.string()) if space.settings.task.many_labels else pa.string()
    shares = pa.field(
        "probabilities", pa.list_(pa.float32(), len(labels)), metadata={"labels": json.dumps(labels)}
    )
    return pa.schema([*texts.items(), ("label", label), ("teacher", pa.string()), shares])


def _answered(space: Workspace, name: str, split: Split, schema: pa.Schema) -> pa.Table:
    import pyarrow as pa

    from coffey.teacher.known import read_known

    found = read_known(space.labels, split.keys)
    kept, shares = split.only(found.known), found.probabilities
    labels = space.teacher.labels
    columns = {
        "set": [name] * len(kept),
        "key": kept.keys,
        "text": kept.texts,
        "label": kept.hard,
        "teacher": [labels[index] for index in shares.argmax(axis=1)],
        "probabilities": pa.FixedSizeListArray.from_arrays(shares.ravel(), len(labels)),
    }
    return pa.table(columns, schema=schema)
