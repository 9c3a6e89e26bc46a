"""Finding the contacts that a caller's rows are about, where an e-mail address does not say so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, LiteralString
from uuid import UUID

from domain.contact import Contact
from eventstore.database import Db
from eventstore.rows import Current
from projections.contact import CONTACTS

_PERSONS: Final[LiteralString] = """
    SELECT DISTINCT ON (name, phone, state->>'phoneExtension')
        id, state::text, version, created_at, updated_at, name, phone, state->>'phoneExtension'
    FROM contacts
    WHERE workspace_id = current_workspace() AND (name, phone) IN (SELECT * FROM unnest(%s::text[], %s::text[]))
        AND (%s::uuid IS NULL OR assigned_to = %s)
    ORDER BY name, phone, state->>'phoneExtension', id
"""
_KNOWN: Final[LiteralString] = """
    SELECT found.id, found.state, found.version, found.created_at, found.updated_at, wanted.n
    FROM unnest(%s::integer[], %s::text[], %s::jsonb[]) AS wanted(n, name, state) CROSS JOIN LATERAL (
        SELECT id, state::text, version, created_at, updated_at FROM contacts
        WHERE workspace_id = current_workspace() AND name = wanted.name AND state @> wanted.state
            AND (%s::uuid IS NULL OR assigned_to = %s)
        ORDER BY name, id LIMIT 1) AS found
"""

Person = tuple[str, str, str | None]
"""A folded name, a phone number and its extension."""


def by_persons(conn: Db, persons: Sequence[Person], visible_to: UUID | None) -> dict[Person, Current[Contact]]:
    """The contacts of these names with these phone numbers; of several the one that was there first."""
    names, phones = [name for name, _, _ in persons], [phone for _, phone, _ in persons]
    rows = conn.execute(_PERSONS, (names, phones, visible_to, visible_to))
    return {(row[5], row[6], row[7]): CONTACTS.current(row) for row in rows}


def by_content(conn: Db, wanted: Sequence[tuple[str, str]], visible_to: UUID | None) -> dict[int, Current[Contact]]:
    """For each folded name with values (JSON), by place: the first contact of that name that has all these values."""
    places = list(range(len(wanted)))
    names, values = [name for name, _ in wanted], [content for _, content in wanted]
    rows = conn.execute(_KNOWN, (places, names, values, visible_to, visible_to))
    return {row[5]: CONTACTS.current(row) for row in rows}
