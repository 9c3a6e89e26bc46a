"""Many rows in one statement: as one JSON document, of which Postgres makes a recordset."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import msgspec

from eventstore.database import Db

_encode: Final = msgspec.json.Encoder().encode


def insert_many(
    conn: Db,
    table: str,
    columns: Mapping[str, str],
    rows: Iterable[Sequence[Any]],
    same: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Many rows of the transaction's workspace, in one statement, by one document that has them all.

    ``columns`` have their types; a value for ``jsonb`` is its text. ``same``: further columns, with the value that all
    rows have in them. It reads from the workspace's head, so it is carried out where the workspace's rows are, and every
    row is checked against the tenant policy (docs/adr/0015).
    """
    names = list(columns)
    into = ", ".join(["workspace_id", *same, *names])
    found = ", ".join(["h.workspace_id", *["%s"] * len(same), *(f"r.{name}" for name in names)])
    typed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    query = (
        f"INSERT INTO {table} ({into}) SELECT {found}"  # noqa: S608 - our own names
        f" FROM log_heads h, json_to_recordset(%s::json) AS r({typed}) WHERE h.workspace_id = %s"
    )
    conn.execute(query.encode(), (*same.values(), document(columns, rows), conn.workspace_id))


def document(columns: Mapping[str, str], rows: Iterable[Sequence[Any]]) -> str:
    """Rows as the JSON that Postgres makes a recordset of; ``columns`` have their types, a value for ``jsonb`` is its text."""
    names = list(columns)
    return _encode([dict(zip(names, row, strict=True)) for row in _written(columns, rows)]).decode()


def _written(columns: Mapping[str, str], rows: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
    """The rows as Postgres reads them from JSON."""
    documents = [place for place, kind in enumerate(columns.values()) if kind == "jsonb"]
    hashes = [place for place, kind in enumerate(columns.values()) if kind == "bytea"]
    for row in rows:
        values = list(row)
        for place in documents:
            if values[place] is not None:
                values[place] = msgspec.Raw(values[place].encode())
        for place in hashes:
            if values[place] is not None:
                values[place] = f"\\x{values[place].hex()}"
        yield values
