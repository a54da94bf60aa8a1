"""SQL over the log, read-only: one `SELECT` over what was compacted and what still lies in segments."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from coffey.core.errors import DataError, StoreUnavailable
from coffey.traffic.layout import parquet_folder
from coffey.traffic.selection import parquet_files, read_segments
from coffey.traffic.table import COLUMNS, to_table

MEMORY = "1GiB"
"""What a query may hold; a larger one goes on in temporary files."""
UNCOMPACTED = "uncompacted"
ALLOWED = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)


class QueryRefused(DataError):
    """A statement that is not run, or that DuckDB does not understand."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The query was refused: {reason}\nExpected one SELECT over the views traffic and audits; "
            "`SELECT * FROM traffic LIMIT 1` shows the columns."
        )


@dataclass(frozen=True, slots=True)
class Rows:
    """What a query found."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    more: bool
    """Whether there were more rows than were asked for."""


def query(root: Path, statement: str, *, beside: Mapping[str, pa.Table], limit: int = 1000) -> Rows:
    """At most `limit` rows of what `statement` selects from the view `traffic` and the tables in `beside`.

    Nothing can be written, and no other file and no network is reached.

    Raises:
        QueryRefused: it is not one SELECT, or DuckDB does not understand it.
        StoreUnavailable: a file of the log cannot be read.
    """
    with _asked(root, statement, beside) as found:
        cursor = found.execute(statement)
        columns = tuple(column[0] for column in cursor.description or ())
        rows = cursor.fetchmany(limit + 1)
    return Rows(columns, tuple(rows[:limit]), len(rows) > limit)


def query_arrow(root: Path, statement: str, *, beside: Mapping[str, pa.Table]) -> pa.Table:
    """All rows of what `query` selects, in memory.

    Raises:
        QueryRefused, StoreUnavailable: as `query`.
    """
    with _asked(root, statement, beside) as found:
        return found.sql(statement).to_arrow_table()


@contextmanager
def _asked(root: Path, statement: str, beside: Mapping[str, pa.Table]) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection on which `statement` may be run; what goes wrong there is said in Coffey's errors."""
    with tempfile.TemporaryDirectory(prefix="coffey-sql-") as spill, _connected(root, beside, spill) as found:
        try:
            _check(found, statement)
            yield found
        except duckdb.IOException as exc:
            raise StoreUnavailable(str(root), _first_line(exc)) from exc
        except duckdb.Error as exc:
            raise QueryRefused(_first_line(exc)) from exc


def _check(connection: duckdb.DuckDBPyConnection, statement: str) -> None:
    found = connection.extract_statements(statement)
    if len(found) != 1:
        raise QueryRefused(f"it holds {len(found)} statements.")
    if found[0].type not in ALLOWED:
        raise QueryRefused(f"{found[0].type.name} is not a SELECT.")


@contextmanager
def _connected(root: Path, beside: Mapping[str, pa.Table], spill: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory that sees the log and nothing else."""
    try:
        segments = read_segments(root)
        files = [str(path) for path in parquet_files(root) if path.stem not in segments]
    except OSError as exc:
        raise StoreUnavailable(str(root), exc.strerror or str(exc)) from exc
    recent = to_table([record for segment in segments.values() for record in segment.records])
    with duckdb.connect() as connection:
        connection.execute(f"SET memory_limit = '{MEMORY}'")
        connection.execute("SET temp_directory = ?", [spill])
        for name, table in {**beside, UNCOMPACTED: recent}.items():
            connection.register(name, table)
        folders = f"[{_quoted(str(parquet_folder(root)))}, {_quoted(spill)}]"
        connection.execute(f"SET allowed_directories = {folders}")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET python_enable_replacements = false")
        try:
            connection.execute(_view(files))
        except duckdb.Error as exc:
            raise StoreUnavailable(str(root), _first_line(exc)) from exc
        connection.execute("SET lock_configuration = true")
        yield connection


def _view(files: Sequence[str]) -> str:
    columns = ", ".join(COLUMNS)
    parts = [f"SELECT {columns} FROM {UNCOMPACTED}"]
    if files:
        listed = ", ".join(_quoted(file) for file in files)
        read = f"read_parquet([{listed}], hive_partitioning = false, union_by_name = true)"
        parts.append(f"SELECT * FROM {read}")  # files of an earlier version lack a column
    return f"CREATE VIEW traffic AS {' UNION ALL BY NAME '.join(parts)}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _first_line(exc: duckdb.Error) -> str:
    return str(exc).strip().splitlines()[0]
