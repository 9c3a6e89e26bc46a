"""Finding the contacts that a caller's rows are about, where an e-mail address does not say so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, LiteralString
from uuid import UUID

from domain.contact import Contact
from eventstore.database import Db
from eventstore.rows import Current
from projections.contact import CONTACTS

# Of one name there may be very many contacts (the branches of a chain), so each is looked at once, not for each row.
_PERSONS: Final[LiteralString] = """
    WITH named AS MATERIALIZED (
        SELECT id, name, phone FROM contacts
        WHERE workspace_id = current_workspace() AND name = ANY(%(names)s) AND phone <> ''
            AND (%(visible_to)s::uuid IS NULL OR assigned_to = %(visible_to)s))
    SELECT DISTINCT ON (name, phone, contact.state->>'phoneExtension')
        id, contact.state::text, version, created_at, updated_at, name, phone, contact.state->>'phoneExtension'
    FROM (SELECT DISTINCT name, phone FROM unnest(%(names)s::text[], %(phones)s::text[]) AS given(name, phone)) AS wanted
    JOIN named USING (name, phone) JOIN contacts contact USING (id, name, phone)
    WHERE contact.workspace_id = current_workspace()
    ORDER BY name, phone, contact.state->>'phoneExtension', id
"""
_LIKE: Final[LiteralString] = """
    WITH named AS MATERIALIZED (
        SELECT id, name, state #>> %(path)s::text[] AS mark FROM contacts
        WHERE workspace_id = current_workspace() AND name = ANY(%(names)s)
            AND (%(visible_to)s::uuid IS NULL OR assigned_to = %(visible_to)s))
    SELECT DISTINCT ON (wanted.n) id, contact.state::text, version, created_at, updated_at, wanted.n
    FROM unnest(%(places)s::integer[], %(names)s::text[], %(marks)s::text[], %(states)s::jsonb[])
        AS wanted(n, name, mark, state)
    JOIN named USING (name, mark) JOIN contacts contact USING (id, name)
    WHERE contact.workspace_id = current_workspace() AND contact.state @> wanted.state
    ORDER BY wanted.n, id
"""

Person = tuple[str, str, str | None]
"""A folded name, a phone number and its extension."""


@dataclass(frozen=True)
class Likeness:
    """A folded name, values as JSON, and the one of these values that tells most."""

    name: str
    mark: str
    values: str


def by_persons(conn: Db, persons: Sequence[Person], visible_to: UUID | None) -> dict[Person, Current[Contact]]:
    """The contacts of these names with these phone numbers; of several the one that was there first."""
    names, phones = [name for name, _, _ in persons], [phone for _, phone, _ in persons]
    rows = conn.execute(_PERSONS, {"names": names, "phones": phones, "visible_to": visible_to})
    return {(row[5], row[6], row[7]): CONTACTS.current(row) for row in rows}


def by_likeness(
    conn: Db, path: Sequence[str], wanted: Sequence[Likeness], visible_to: UUID | None
) -> dict[int, Current[Contact]]:
    """For each likeness, by place: the first contact of its name that has all of its values.

    ``path``: where in a contact the marks are, such as ``("customFields", "Account Id")``.
    """
    found = conn.execute(
        _LIKE,
        {
            "path": list(path),
            "places": list(range(len(wanted))),
            "names": [likeness.name for likeness in wanted],
            "marks": [likeness.mark for likeness in wanted],
            "states": [likeness.values for likeness in wanted],
            "visible_to": visible_to,
        },
    )
    return {row[5]: CONTACTS.current(row) for row in found}
