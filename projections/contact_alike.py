"""Contacts that may be the same person: grouped by what they have in common, those most alike first.

The groups of a workspace are kept; those among what a member sees who does not see everything, and those of a workspace of
which very much is not looked at yet, are found anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from domain.contact import Contact
from eventstore.database import Db
from eventstore.rows import Current
from projections import contact_alike_kept as kept
from projections.contact import CONTACTS
from projections.contact_alike_keys import REASONS, grouped, keyed
from projections.table import keyset
from projections.table.asking.compiled import HERE, TRUE, Compiled
from projections.table.seeing import seen
from schemas.contact_duplicate import MOST, DuplicateGroup, LikeContact
from schemas.wire.page import PageRequest

SOON: Final = 2_000
"""So many events that were not looked at yet are looked at by who asks; more are left to the worker."""

_ORDER: Final = "duplicates"


def listed(conn: Db, request: PageRequest) -> tuple[list[DuplicateGroup], int, str | None]:
    """A page of the groups that the caller may see, how many there are in all, and the cursor of the next page."""
    rows = _found(conn, request)
    page, cursor = keyset.page(rows, request.limit, lambda row: keyset.written(_ORDER, *row[1:3]))
    known = CONTACTS.load(conn, list({contact_id for row in page if row[1] is not None for contact_id in row[3]}))
    groups = [_group(row, known) for row in page if row[1] is not None]
    return [group for group in groups if len(group.contacts) > 1], rows[0][0], cursor


def _found(conn: Db, request: PageRequest) -> list[tuple[Any, ...]]:
    behind, skipped = TRUE, request.skipped
    if request.cursor is not None:
        behind, skipped = Compiled("(place, first_id) > (%s, %s)", keyset.read(request.cursor, _ORDER, int, UUID)), 0
    query = _kept(behind) if conn.visible_to is None and _is_kept(conn) else _anew(conn, behind)
    return conn.execute(
        query.sql.encode(), (*query.params_in(conn.workspace_id), request.limit + 1, skipped)
    ).fetchall()


def _is_kept(conn: Db) -> bool:
    """Whether the groups that are kept are those of now: what is missing is looked at, unless it is very much."""
    behind = kept.behind(conn)
    if behind > SOON:
        kept.begin(conn)
    elif behind:
        while kept.catch_up(conn):
            continue
    return behind <= SOON


def _kept(behind: Compiled) -> Compiled:
    sql = f"""
        SELECT total.n, place, first_id, ids, count, scores
        FROM (SELECT count(*) AS n FROM contact_groups WHERE workspace_id = %s) AS total LEFT JOIN (
            SELECT place, first_id, n AS count, scores, ARRAY(
                SELECT contact_id FROM contact_keys AS own
                WHERE own.workspace_id = %s AND own.score = kept.scores[1] AND own.key = kept.key
                ORDER BY contact_id LIMIT {MOST}) AS ids
            FROM contact_groups AS kept WHERE workspace_id = %s AND {behind.sql}
            ORDER BY place, first_id LIMIT %s OFFSET %s
        ) AS page ON true ORDER BY place, first_id
    """
    return Compiled(sql, (HERE, HERE, HERE, *behind.params))


def _anew(conn: Db, behind: Compiled) -> Compiled:
    """All groups among what the caller sees."""
    conn.say(b"SET LOCAL work_mem = '32MB'")
    groups = grouped(keyed(seen(CONTACTS, conn.visible_to)))
    sql = f"""
        WITH {groups.sql}, listed AS (
            SELECT place, ids[1] AS first_id, ids[1:{MOST}] AS ids, cardinality(ids) AS count, scores FROM found
        ), page AS (
            SELECT * FROM listed WHERE {behind.sql} ORDER BY place, first_id LIMIT %s OFFSET %s
        )
        SELECT total.n, place, first_id, ids, count, scores
        FROM (SELECT count(*) AS n FROM found) AS total LEFT JOIN page ON true ORDER BY place, first_id
    """
    return Compiled(sql, (*groups.params, *behind.params))


def _group(row: Sequence[Any], known: Mapping[UUID, Current[Contact]]) -> DuplicateGroup:
    _, place, _, ids, count, scores = row
    alike = [_like(known[contact_id]) for contact_id in ids if contact_id in known]
    return DuplicateGroup(score=-place / 100, reasons=[REASONS[score] for score in scores], count=count, contacts=alike)


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
