"""A row table as it is made: its columns, its key and its indexes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from projections.table.column import IDS, Column
from projections.table.projecting import SEARCH
from projections.table.rows import RowTable

_COMMON_DDL: Final = """
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    state jsonb NOT NULL"""


def create_table(table: RowTable[Any], name: str) -> str:
    """The table alone, under any name: its columns. It is filled fastest as long as it has no index, and so no key."""
    columns = "".join(f",\n    {column} {kind}" for column, kind in table.definitions.items())
    return f"CREATE TABLE {name} ({_COMMON_DDL}{columns}\n)"


def create_indexes(table: RowTable[Any], name: str) -> dict[str, str]:
    """Index name → statement, for the table under any name; the first is its primary key's."""
    key = {f"{table.name}_pkey": f"ALTER TABLE {name} ADD CONSTRAINT {{index}} PRIMARY KEY (workspace_id, id)"}
    made = key | {
        index: f"CREATE UNIQUE INDEX {{index}} ON {name} (workspace_id, {column.name})"
        + (f" WHERE {column.name} <> ''" if column.kind.sql == "text" else "")
        for index, column in table.uniques.items()
    }
    return made | {
        f"{table.name}_{index}": f"CREATE INDEX {{index}} ON {name} {using}" for index, using in _indexes(table)
    }


def past_indexes(table: RowTable[Any], *, listed: bool, since: str) -> dict[str, str]:
    """Index name → what stands behind the table's name, of the table of all versions: those of a list only where there are
    lists; what is unique among rows is looked up, by the index of its order if there is one, but not unique among versions.

    What is in order has at its end ``since`` when a version stood, so that later ones are passed over without being read.
    """
    unique = (column.name for column in table.columns if column.unique and not (listed and column.sort))
    looked_up = {f"with_{name}": f"(workspace_id, {name}, {since})" for name in unique}
    indexes = _indexes(table, f", {since}")
    found = looked_up | {index: using for index, using in indexes if listed or not index.startswith("by_")}
    return {f"past_{table.name}_{index}": using for index, using in found.items()}


def _indexes(table: RowTable[Any], last: str = "") -> Iterator[tuple[str, str]]:
    """What is sorted by, looked up, referred to and searched; ``last`` stands at the end of what is in order."""
    first = "workspace_id" if table.within is None else f"workspace_id, {table.within}"
    for name in table.times:
        yield f"by_{name.removesuffix('_at')}", f"({first}, {name}, id{last})"
    referring = {reference.field for reference in table.references}
    for column in table.columns:
        if column.sort and not column.by_key:
            yield f"by_{column.name}", f"({first}, {column.order}, id{last})"
        if column.name in referring:
            yield f"referring_by_{column.name}", _looked_up(column, last)
        elif column.by_key:
            yield f"with_{column.name}", f"USING gin (workspace_id, {column.name} jsonb_path_ops)"
        elif column.indexed:
            yield f"with_{column.name}", f"(workspace_id, {column.name}{last})"
    if table.searched:
        yield f"by_{SEARCH}", f"USING gin (workspace_id, {SEARCH} gin_trgm_ops)"


def _looked_up(column: Column[Any], last: str) -> str:
    if column.kind is not IDS:
        return f"(workspace_id, {column.name}, id{last}) WHERE {column.name} IS NOT NULL"
    # An id is of one workspace anyway; of versions there are so many that going through all of the workspace's takes longest.
    return f"USING gin ({column.name})" if last else f"USING gin (workspace_id, {column.name})"
