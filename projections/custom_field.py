"""Custom field rows: the definitions of a workspace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, LiteralString
from uuid import UUID

from domain.custom_field import CUSTOM_FIELD, CustomField
from domain.kernel.values import folded
from eventstore.database import Db
from eventstore.rows import Current
from projections.table.column import FOLDED, TEXT, WHOLE, Column
from projections.table.rows import RowTable
from projections.table.showing import shown
from schemas.custom_field import CustomFieldView

CUSTOM_FIELDS: RowTable[CustomField] = RowTable(
    name="custom_fields",
    decider=CUSTOM_FIELD,
    version=1,
    columns=(
        Column("name", FOLDED),
        Column(
            "qualified",
            TEXT,
            lambda field: f"{field.entity}.{field.key}",
            unique="A custom field of this key exists already.",
        ),
        Column("entity", TEXT),
        Column("contact_type", TEXT),
        Column("folder", FOLDED),
        Column("sort_order", WHOLE),
    ),
)

_LIST: Final[LiteralString] = f"""
    SELECT id, state::text, version, created_at, updated_at FROM {CUSTOM_FIELDS.table}
    WHERE workspace_id = %(workspace)s AND (%(entity)s::text IS NULL OR entity = %(entity)s)
        AND (%(contact_type)s::text IS NULL OR entity = 'contact' AND contact_type IN ('', %(contact_type)s))
        AND (%(folder)s::text IS NULL OR folder = %(folder)s)
    ORDER BY entity, sort_order, created_at, id
"""
_OF_KEY: Final[LiteralString] = f"""
    SELECT id, state::text, version, created_at, updated_at FROM {CUSTOM_FIELDS.table} WHERE workspace_id = %s AND qualified = %s
"""
_HOW_MANY: Final[LiteralString] = f"SELECT count(*) FROM {CUSTOM_FIELDS.table} WHERE workspace_id = %s AND entity = %s"


def listed(
    conn: Db, entity: str | None = None, contact_type: str | None = None, folder: str | None = None
) -> list[Current[CustomField]]:
    """All definitions, or those of an entity, of persons or organizations, in a folder; in their order."""
    asked = {
        "workspace": conn.workspace_id,
        "entity": entity,
        "contact_type": contact_type,
        "folder": None if folder is None else folded(folder.strip()),
    }
    return [CUSTOM_FIELDS.current(row) for row in conn.execute(_LIST, asked)]


def keys(conn: Db, entity: str) -> list[str]:
    """The keys that are defined of an entity, in their order."""
    return [field.state.key for field in listed(conn, entity)]


def with_key(conn: Db, entity: str, key: str) -> UUID | None:
    """The id of the definition that has this key of an entity."""
    found = of_key(conn, entity, key)
    return None if found is None else found.id


def of_key(conn: Db, entity: str, key: str) -> Current[CustomField] | None:
    """The definition that has this key of an entity."""
    row = conn.execute(_OF_KEY, (conn.workspace_id, f"{entity}.{key}")).fetchone()
    return None if row is None else CUSTOM_FIELDS.current(row)


def how_many(conn: Db, entity: str) -> int:
    row = conn.execute(_HOW_MANY, (conn.workspace_id, entity)).fetchone()
    return 0 if row is None else int(row[0])


def views(conn: Db, fields: Sequence[Current[CustomField]]) -> list[CustomFieldView]:
    return [shown(CustomFieldView, field, workspace_id=_workspace(conn, field.state)) for field in fields]


def _workspace(conn: Db, field: CustomField) -> UUID | None:
    return conn.workspace_id if field.scope == "workspace" else None
