"""Rows of merges of contacts: where the id of one that was merged into another leads."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, LiteralString
from uuid import UUID

from domain.contact_merge import CONTACT_MERGE, ContactMerge, ContactMergeMoved, Moved
from eventstore.database import Db
from eventstore.mapper import EventMapper
from eventstore.reader import read_stream
from eventstore.rows import Current
from projections.table.column import BOOLEAN, ID, Column
from projections.table.rows import RowTable

CONTACT_MERGES: RowTable[ContactMerge] = RowTable(
    name="contact_merges",
    decider=CONTACT_MERGE,
    version=3,
    columns=(
        Column("winner_id", ID, indexed=True),
        Column("loser_id", ID, indexed=True),
        Column("undone", BOOLEAN),
        Column("under_way", BOOLEAN),
        Column("settled", BOOLEAN),
    ),
    called="merge",
)

_INTO: Final[LiteralString] = f"""
    SELECT loser_id, winner_id FROM {CONTACT_MERGES.table}
    WHERE workspace_id = %s AND loser_id = ANY(%s) AND NOT undone AND NOT under_way
"""
_OF: Final[LiteralString] = f"""
    SELECT id, state::text, version, created_at, updated_at FROM {CONTACT_MERGES.table}
    WHERE workspace_id = %s AND winner_id = ANY(%s) AND NOT undone AND NOT under_way
"""
_LAST: Final[LiteralString] = f"""
    SELECT id, state::text, version, created_at, updated_at FROM {CONTACT_MERGES.table}
    WHERE workspace_id = %(workspace)s AND winner_id = %(winner)s AND (%(loser)s::uuid IS NULL OR loser_id = %(loser)s)
    ORDER BY settled, under_way, undone, updated_at DESC, id DESC LIMIT 1
"""


def leads_to(conn: Db, contact_id: UUID) -> UUID:
    """The contact into which this one was merged, however often that was merged again; itself where it was not.

    A circle ends where it would begin again.
    """
    return lead_to(conn, [contact_id])[contact_id]


def lead_to(conn: Db, ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The same of each of these contacts, with one question for each time that any was merged again."""
    into: dict[UUID, UUID] = {}
    ahead = {*ids}
    while ahead and (found := _into(conn, ahead)):
        into |= found
        ahead = {*found.values()} - into.keys()
    return {contact_id: _followed(into, contact_id) for contact_id in ids}


def _into(conn: Db, ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Of those of these that were merged: into which one."""
    rows = conn.execute(_INTO, (conn.workspace_id, list(ids)))
    return {row[0]: row[1] for row in rows}


def _followed(into: Mapping[UUID, UUID], contact_id: UUID) -> UUID:
    passed: set[UUID] = set()
    while (led_to := into.get(contact_id)) is not None and led_to not in passed:
        passed.add(contact_id)
        contact_id = led_to
    return contact_id


def into(conn: Db, winner_id: UUID) -> list[Current[ContactMerge]]:
    """The merges by which others are this contact, directly or by way of others, the first first."""
    found: dict[UUID, Current[ContactMerge]] = {}
    winners = [winner_id]
    while winners:
        rows = [CONTACT_MERGES.current(row) for row in conn.execute(_OF, (conn.workspace_id, winners))]
        winners = [merge.state.loser_id for merge in rows if merge.id not in found]
        found |= {merge.id: merge for merge in rows}
    return sorted(found.values(), key=lambda merge: (merge.created_at, merge.id))


def part(conn: Db, merge_id: UUID, number: int, mapper: EventMapper) -> tuple[Moved, ...]:
    """What went over in a part of a merge, from 1: behind what began it, the log has one after the other."""
    (found,) = read_stream(conn, merge_id, mapper, after_version=number, upto_version=number + 1)
    assert isinstance(found.event, ContactMergeMoved), "parts follow each other right behind the beginning"
    return found.event.moved


def last(conn: Db, winner_id: UUID, loser_id: UUID | None) -> Current[ContactMerge] | None:
    """The last merge into a contact, or of these two, that is not undone; else one of which something has to go back yet, or
    that is under way; else the last that is undone.
    """
    row = conn.execute(_LAST, {"winner": winner_id, "loser": loser_id, "workspace": conn.workspace_id}).fetchone()
    return None if row is None else CONTACT_MERGES.current(row)
