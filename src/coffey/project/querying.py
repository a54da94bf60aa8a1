"""A project's traffic and audits as tables, and SQL over both."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING

from coffey.core.errors import MissingExtra
from coffey.core.records import Audit
from coffey.project.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

    from coffey.traffic.sql import Rows

_TYPES = {
    "str": "string",
    "float": "float64",
    "bool": "bool",
    "float | None": "float64",
    "int | None": "int64",
    "tuple[float, ...] | None": "list",
}


def query_traffic(space: Workspace, statement: str, *, limit: int = 1000) -> Rows:
    """At most `limit` rows of one SELECT over the views `traffic` and `audits`.

    Raises:
        QueryRefused: it is not one SELECT, or it is not understood.
        MissingExtra: DuckDB is not installed.
    """
    try:
        from coffey.traffic.sql import query
    except ModuleNotFoundError as exc:
        raise MissingExtra("`coffey traffic sql`", "watch", exc.name or "duckdb") from exc
    return query(space.store, statement, beside={"audits": audit_table(space)}, limit=limit)


def traffic_table(space: Workspace, statement: str = "SELECT * FROM traffic") -> pa.Table:
    """All rows of one SELECT over the views `traffic` and `audits`, in memory.

    Raises:
        QueryRefused: it is not one SELECT, or it is not understood.
        ModuleNotFoundError: DuckDB is not installed.
    """
    from coffey.traffic.sql import query_arrow

    return query_arrow(space.store, statement, beside={"audits": audit_table(space)})


def audit_table(space: Workspace) -> pa.Table:
    """Every audit, one row each; the columns are the record's fields."""
    import pyarrow as pa

    from coffey.control.audits import AuditLog

    rows = [asdict(audit) for audit in AuditLog(space.store / "audits").all()]
    listed = pa.list_(pa.float64())
    kinds = {field.name: _TYPES[str(field.type)] for field in fields(Audit)}
    schema = pa.schema(
        [(name, listed if kind == "list" else pa.type_for_alias(kind)) for name, kind in kinds.items()]
    )
    return pa.Table.from_pylist(rows, schema=schema)
