"""Contacts that may be the same person: grouped by what they have in common, those most alike first.

Each contact has at most one key of each kind, and a group is of all that have the same: one pass over the workspace's contacts,
however many are alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from domain.contact import Contact
from eventstore.database import Db
from eventstore.rows import Current
from projections.contact import CONTACTS
from projections.contact_duplicate import CONTACT_DUPLICATES
from projections.table import keyset
from projections.table.asking.compiled import HERE, TRUE, Compiled
from projections.table.seeing import seen
from schemas.contact_duplicate import MOST, DuplicateGroup, LikeContact
from schemas.wire.page import PageRequest

_BOTH: Final = 4
"""By so many per cent are those more alike who have one more thing in common."""
_ORDER: Final = "duplicates"

_DOMAIN: Final = "split_part(email, '@', 2)"
_MAILBOX: Final = f"replace(split_part(split_part(email, '@', 1), '+', 1), '.', '') || '@' || {_DOMAIN}"
_NAMED: Final = "first_name <> '' AND last_name <> ''"
_KEYS: Final = {
    "mailbox": (90, _MAILBOX, "email <> ''"),
    "phone": (80, "phone", "phone <> ''"),
    "name_company": (70, "name || chr(10) || company", f"{_NAMED} AND company <> ''"),
    "name_domain": (60, f"name || chr(10) || {_DOMAIN}", f"{_NAMED} AND email <> ''"),
}
"""By kind: how likely those are the same who have the same key, in per cent; the key; and who has one."""


def _keyed(where: Compiled) -> Compiled:
    """The keys of all contacts: as numbers, which are sorted many times faster than text."""
    parts = [
        f"SELECT '{kind}' AS kind, {score} AS score, hashtextextended({key}, 0) AS key, id FROM {CONTACTS.table}"
        f" WHERE workspace_id = %s AND ({where.sql}) AND {has}"
        for kind, (score, key, has) in _KEYS.items()
    ]
    return Compiled(" UNION ALL ".join(parts), (HERE, *where.params) * len(parts))


def _groups(where: Compiled, behind: Compiled) -> Compiled:
    keyed = _keyed(where)
    sql = f"""
        WITH keyed AS (
            {keyed.sql}
        ), told AS (
            SELECT one.kind, one.key, count(DISTINCT (least(one.id, other.id), greatest(one.id, other.id))) AS pairs
            FROM {CONTACT_DUPLICATES.table} AS said JOIN keyed AS one ON one.id = said.contact_id
            JOIN keyed AS other ON other.id = said.other_id AND other.kind = one.kind AND other.key = one.key
            WHERE said.workspace_id = %s AND said.contact_id <> said.other_id GROUP BY one.kind, one.key
        ), alike AS (
            SELECT kind, score, array_agg(id ORDER BY id) AS ids
            FROM keyed LEFT JOIN told USING (kind, key) GROUP BY score, kind, key
            HAVING count(*) * (count(*) - 1) / 2 > coalesce(max(pairs), 0)
        ), found AS (
            SELECT -least(max(score) + {_BOTH} * (count(*) - 1), 99)::bigint AS place, ids[1] AS id, md5(ids::text) AS digest,
                ids, array_agg(kind ORDER BY score DESC) AS reasons
            FROM alike GROUP BY ids
        ), page AS (
            SELECT * FROM found WHERE {behind.sql} ORDER BY place, id, digest LIMIT %s OFFSET %s
        )
        SELECT total.n, place, id, digest, ids[1:{MOST}], cardinality(ids), reasons
        FROM (SELECT count(*) AS n FROM found) AS total LEFT JOIN page ON true ORDER BY place, id, digest
    """
    return Compiled(sql, (*keyed.params, HERE, *behind.params))


def listed(conn: Db, request: PageRequest) -> tuple[list[DuplicateGroup], int, str | None]:
    """A page of the groups that the caller may see, how many there are in all, and the cursor of the next page."""
    rows = _found(conn, request)
    page, cursor = keyset.page(rows, request.limit, lambda row: keyset.written(_ORDER, *row[1:4]))
    known = CONTACTS.load(conn, list({contact_id for row in page if row[2] is not None for contact_id in row[4]}))
    groups = [_group(row, known) for row in page if row[2] is not None]
    return groups, rows[0][0], cursor


def _found(conn: Db, request: PageRequest) -> list[tuple[Any, ...]]:
    where, behind, skipped = seen(CONTACTS, conn.visible_to), TRUE, request.skipped
    if request.cursor is not None:
        place = keyset.read(request.cursor, _ORDER, int, UUID, str)
        behind, skipped = Compiled("(place, id, digest) > (%s, %s, %s)", place), 0
    query = _groups(where, behind)
    params = (*query.params_in(conn.workspace_id), request.limit + 1, skipped)
    conn.say(b"SET LOCAL work_mem = '32MB'")
    return conn.execute(query.sql.encode(), params).fetchall()


def _group(row: tuple[Any, ...], known: Mapping[UUID, Current[Contact]]) -> DuplicateGroup:
    _, place, _, _, ids, count, reasons = row
    alike = [_like(known[contact_id]) for contact_id in ids]
    return DuplicateGroup(score=-place / 100, reasons=reasons, count=count, contacts=alike)


def _like(contact: Current[Contact]) -> LikeContact:
    state = contact.state
    return LikeContact(
        id=contact.id,
        name=state.name,
        email=state.email,
        phone=state.phone,
        company=state.company,
        created_at=contact.created_at,
        version=contact.version,
    )
