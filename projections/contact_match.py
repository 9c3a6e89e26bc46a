"""Finding the contacts that a caller's rows may be about, where an e-mail address does not say so.

Of one name there may be very many contacts, such as the branches of a chain. Each is looked at once: these statements are
planned anew each time, so that Postgres makes hash tables of the lists.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, LiteralString
from uuid import UUID

from domain.contact import Contact
from eventstore.database import Db, planned_anew
from eventstore.rows import Current
from projections.contact import CONTACTS

_MATCHING: Final[LiteralString] = f"""
    SELECT id, state::text, version, created_at, updated_at, name FROM {CONTACTS.table}
    WHERE workspace_id = %(workspace)s AND name = ANY(%(names)s)
        AND (%(visible_to)s::uuid IS NULL OR assigned_to = %(visible_to)s)
"""
_WITH_PHONES: Final[LiteralString] = f"{_MATCHING} AND phone = ANY(%(phones)s) ORDER BY id"
_WITH_TEXTS: Final[LiteralString] = f"{_MATCHING} AND state #>> %(path)s = ANY(%(texts)s) ORDER BY id"

Named = tuple[str, Current[Contact]]
"""A contact behind its folded name."""


def with_phones(conn: Db, names: Sequence[str], phones: Sequence[str], visible_to: UUID | None) -> list[Named]:
    """The contacts of any of these folded names with any of these phone numbers, the oldest first."""
    params = {"workspace": conn.workspace_id, "names": list(names), "phones": list(phones), "visible_to": visible_to}
    return _found(conn, _WITH_PHONES, params)


def with_texts(
    conn: Db, path: Sequence[str], names: Sequence[str], texts: Sequence[str], visible_to: UUID | None
) -> list[Named]:
    """The contacts of any of these folded names with any of these texts there, the oldest first.

    ``path``: where in a contact, such as ``("customFields", "Account Id")``.
    """
    params = {
        "workspace": conn.workspace_id,
        "names": list(names),
        "path": list(path),
        "texts": list(texts),
        "visible_to": visible_to,
    }
    return _found(conn, _WITH_TEXTS, params)


def _found(conn: Db, query: LiteralString, params: Mapping[str, Any]) -> list[Named]:
    with planned_anew(conn):
        return [(row[5], CONTACTS.current(row)) for row in conn.execute(query, params)]
