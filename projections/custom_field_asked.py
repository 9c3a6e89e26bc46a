"""What can be asked of custom fields: each as what the workspace has defined it to be, and others as they come."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from functools import cache, partial
from typing import Any, Final

from domain import custom_field
from domain.contact import CONTACT
from domain.custom_field import CustomField
from domain.custom_field_type import FieldType
from eventstore.database import Db
from projections import custom_field as rows
from projections.contact_merge import lead_to
from projections.table.asking import typed
from projections.table.asking.asked import Fields
from projections.table.asking.comparison import Field
from projections.table.asking.custom import Custom, custom
from projections.table.column import MAP
from projections.table.known import LAST_TEXT, MAX_SORTED, Order, or_last
from projections.table.rows import RowTable
from projections.workspace import WORKSPACES

_COMPARED: Final[dict[FieldType, Callable[[str, str], Custom]]] = {
    "text": typed.OfText,
    "email": typed.OfText,
    "url": typed.OfText,
    "number": typed.OfNumber,
    "date": typed.OfDay,
    "datetime": typed.OfTime,
    "boolean": typed.OfTruth,
    "related": typed.OfId,
}
"""What is told by the type alone."""


def defined(conn: Db, table: RowTable[Any], known: Fields | None = None) -> Fields:
    """What can be asked of a table, ``known`` if not all, in this workspace: with its custom fields by their types, and by
    the ids of contacts that were merged into others as by those of the others.
    """
    known = known or table.fields
    maps = [column for column in table.columns if column.by_key and column.kind is MAP]
    found = {column.field: cache(partial(_find, conn, table, column.name)) for column in maps}
    return replace(known, within={**known.within, **found}, led={CONTACT.stream_type: partial(lead_to, conn)})


def order(conn: Db, table: RowTable[Any], name: str) -> Order | None:
    """By what is under ``custom.<key>`` or the ``key`` alone, where the workspace has defined it and it has one value;
    without one last, as in columns that may be empty.
    """
    within, _, key = name.rpartition(".")
    for column in table.columns:
        if (
            column.by_key
            and within in ("", column.field)
            and (field := definition(conn, table, key))
            and not field.many
        ):
            return _numbers(column.name, key) if field.type == "number" else _texts(column.name, field)
    return None


def _numbers(column: str, key: str) -> Order:
    value = f"(CASE WHEN jsonb_typeof({column} -> '{key}') = 'number' THEN ({column} ->> '{key}')::numeric END)"
    return or_last(value, "numeric", Decimal | None, "'infinity'::numeric")


def _texts(column: str, field: CustomField) -> Order:
    """As it is compared; of what is long, how it begins."""
    written = f"(left({column} ->> '{field.key}', {MAX_SORTED}) COLLATE \"C\")"
    if field.type in typed.SHAPES:
        shape, end = typed.SHAPES[field.type]
        written = f"(CASE WHEN {written} ~ '^{shape}$' THEN rtrim({written}, '{end}') END)"
    return or_last(written, "text", str | None, LAST_TEXT)


def definition(conn: Db, table: RowTable[Any], key: str) -> CustomField | None:
    """What the workspace has defined under a key of the things in a table."""
    with suppress(ValueError):
        found = rows.of_key(conn, table.decider.stream_type, custom_field.key(key))
        return None if found is None else found.state
    return None


def _find(conn: Db, table: RowTable[Any], column: str, key: str) -> Field:
    found, untyped = definition(conn, table, key), custom(column, key)
    if found is None:
        return untyped
    return replace(untyped, comparison=_comparison(conn, found, column), of=found.refers)


def _comparison(conn: Db, field: CustomField, column: str) -> Custom:
    if field.options is not None:
        of = typed.OfOptions if field.many else typed.OfOption
        return of(column, field.key, field.options)
    if field.type == "phone":
        return typed.OfPhone(column, field.key, _region(conn))
    return _COMPARED[field.type](column, field.key)


def _region(conn: Db) -> str:
    """The country of phone numbers written without one."""
    found = WORKSPACES.load(conn, [conn.workspace_id]).get(conn.workspace_id)
    return "US" if found is None else found.state.phone_region
