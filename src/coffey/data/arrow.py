"""Rows of Arrow record batches, for Parquet files and saved `datasets` folders."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from coffey.core.errors import MissingExtra
from coffey.data.table import RawRow, Table

try:
    import pyarrow as pa
except ImportError as exc:
    raise MissingExtra("Reading Parquet files and `datasets` folders", "watch", "pyarrow") from exc

ArrowException: type[Exception] = pa.ArrowException


def open_stream(stream: BinaryIO) -> Any:
    """A reader of the record batches of an Arrow stream file. Raises ArrowException."""
    return pa.ipc.open_stream(stream)


def arrow_table(schema: Any, batches: Iterable[Any], *, wanted: Sequence[str] | None) -> Table:
    """The rows of `batches` (of `schema`), with the columns in `wanted`, or all of them.

    Whole numbers of a Hugging Face `ClassLabel` column, or of a list of them, are replaced by the names in
    the schema's metadata.
    """
    names = [name for name in schema.names if wanted is None or name in wanted]
    classes = {name: found for name, found in _class_names(schema.metadata).items() if name in names}
    types = {name: str(schema.field(name).type) for name in names if not _usable(schema.field(name).type)}
    numbers = frozenset(
        name for name in names if name not in classes and pa.types.is_integer(_plain(schema.field(name).type))
    )
    lists = frozenset(name for name in types if _holds_lists(schema.field(name).type))
    return Table(tuple(schema.names), _rows(batches, names, classes), types, numbers, lists)


def _rows(
    batches: Iterable[Any], names: Sequence[str], classes: Mapping[str, Sequence[str]]
) -> Iterator[RawRow]:
    number = 0
    for batch in batches:
        columns = [_named(_values(batch.column(name)), classes.get(name)) for name in names]
        for values in zip(*columns, strict=True):
            number += 1
            yield number, dict(zip(names, values, strict=True))


def _values(column: Any) -> list[object]:
    """Python values of a column; text that is not UTF-8 stays bytes, value by value."""
    try:
        return list(column.to_pylist())
    except UnicodeDecodeError:
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        return [_text_or_bytes(value) for value in column.cast(pa.large_binary()).to_pylist()]


def _text_or_bytes(value: bytes | None) -> object:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return value


def _named(values: list[object], names: Sequence[str] | None) -> list[object]:
    """Class numbers as names; -1, the `datasets` mark for no label, becomes None."""
    if names is None:
        return values
    return [_name(value, names) for value in values]


def _name(value: object, names: Sequence[str]) -> object:
    if isinstance(value, list):
        return [_name(one, names) for one in value]
    if isinstance(value, int) and 0 <= value < len(names):
        return names[value]
    return None if value == -1 else value


def _plain(kind: Any) -> Any:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _usable(kind: Any) -> bool:
    plain = _plain(kind)
    tests = (
        pa.types.is_string,
        pa.types.is_large_string,
        pa.types.is_string_view,
        pa.types.is_integer,
        pa.types.is_null,
    )
    return any(test(plain) for test in tests)


def _holds_lists(kind: Any) -> bool:
    tests = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(test(kind) for test in tests) and _usable(kind.value_type)


def _class_names(metadata: Mapping[bytes, bytes] | None) -> dict[str, list[str]]:
    """Names of the classes of each `ClassLabel` column, from the metadata that `datasets` writes."""
    try:
        info = json.loads((metadata or {}).get(b"huggingface", b"{}"))
        features = info["info"]["features"]
        specs = {name: _item(spec) for name, spec in features.items()}
        return {name: list(spec["names"]) for name, spec in specs.items() if _is_class(spec)}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _item(spec: Any) -> Any:
    """What a list (`Sequence`, `List`, or a list of one) holds; another feature as it is."""
    if isinstance(spec, list):
        return spec[0]
    lists = ("Sequence", "List", "LargeList")
    return spec["feature"] if isinstance(spec, dict) and spec.get("_type") in lists else spec


def _is_class(spec: object) -> bool:
    return isinstance(spec, dict) and spec.get("_type") == "ClassLabel" and bool(spec.get("names"))
