"""The audit trail: the log newest first, in human terms, with what changed from what to what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, LiteralString
from uuid import UUID

import msgspec
import psycopg
from msgspec import convert

from domain.catalogue import EVENTS
from domain.kernel import Action, Event
from domain.kernel.money import Money, amounts
from eventstore.database import Db
from eventstore.mapper import SHARED, upcast
from eventstore.sealing import READABLE, erased_fields, is_sealed
from projections import object_record_past
from projections.api_key import API_KEYS
from projections.table import keyset
from projections.table.asking.compiled import HERE, TRUE, Compiled
from projections.table.rows import RowTable
from projections.table.seeing import seen
from projections.user import USERS
from schemas.activity import ActivityView, FieldChange
from schemas.log import Actor
from schemas.wire.page import PageRequest

_TOLD_AS: Final = {"membership": "user"}
"""Kinds of stream that are told of as something else: what a user may do, as the user, whose id callers know."""
_ENTITY: Final[LiteralString] = """CASE WHEN e.stream_type <> 'membership' THEN e.stream_id ELSE (
    SELECT (g.data ->> 'userId')::uuid FROM events g
    WHERE g.workspace_id = e.workspace_id AND g.stream_id = e.stream_id AND g.version = 1) END"""
_OF_ENTITY: Final[LiteralString] = """e.stream_id = ANY(ARRAY(SELECT %s::uuid UNION ALL
    SELECT stream_id FROM events WHERE workspace_id = %s AND type = 'membership.granted' AND data ->> 'userId' = %s))"""
_DATA: Final = READABLE.replace("events.", "e.")
COLUMNS: Final = (
    f"e.event_id, e.seq, e.stream_type, {_ENTITY}, e.type, {_DATA}, e.actor_type, e.actor_id, e.request_id,"
    " e.recorded_at, coalesce(u.id, k.user_id), coalesce(u.name, creator.name)"
)
FROM: Final = (
    " FROM events e"
    f" LEFT JOIN {USERS.table} u ON u.workspace_id = e.workspace_id AND e.actor_type = 'user' AND u.id = e.actor_id"
    f" LEFT JOIN {API_KEYS.table} k ON k.workspace_id = e.workspace_id AND e.actor_type = 'api_key' AND k.id = e.actor_id"
    f" LEFT JOIN {USERS.table} creator ON creator.workspace_id = e.workspace_id AND creator.id = k.user_id"
)


_BY_USER: Final = (
    f"e.actor_id = ANY(ARRAY(SELECT %s::uuid UNION ALL SELECT id FROM {API_KEYS.table}"
    " WHERE workspace_id = %s AND user_id = %s))"
)
_END: Final[LiteralString] = "SELECT seq FROM log_heads WHERE workspace_id = %s"
_COUNTING: Final = "SELECT count(*) FROM events e WHERE e.workspace_id = %s AND {where}"
_COUNT_UP: Final[LiteralString] = "SELECT count_activities(%s, %s)"
# What is counted already, and what came since: one statement sees both as of one moment.
_ADDING_UP: Final = """
    WITH counted AS (
        SELECT coalesce(max(seq), 0) AS seq FROM consumer_checkpoints
        WHERE workspace_id = %s AND consumer = 'activity_counts')
    SELECT (
        SELECT coalesce(sum(n), 0)::bigint FROM activity_counts e
        WHERE e.workspace_id = %s AND {where}
    ) + (
        SELECT count(*) FROM events e
        WHERE e.workspace_id = %s AND e.seq > (SELECT seq FROM counted) AND {where})
"""
COUNT_STEP: Final = 1000
"""Behind so many uncounted events the counts are moved on."""

_ORDER: Final = "-seq"


@dataclass(frozen=True)
class ActivityQuery:
    """``visible_to``: a user who sees only what is assigned to them, and what they did themselves. ``untold``: kinds of
    stream that are left out.
    """

    entity_type: str | None = None
    entity_id: UUID | None = None
    action: Action | None = None
    user_id: UUID | None = None
    visible_to: UUID | None = None
    untold: frozenset[str] = frozenset()


def listed(
    conn: Db, tables: Iterable[RowTable[Any]], request: PageRequest, wanted: ActivityQuery
) -> tuple[list[ActivityView], int, str | None]:
    """A page of activities, how many there are in all, and the cursor of the next page.

    Which things are assigned to somebody, the ``tables`` say.
    """
    where = _where(wanted, tables)
    behind = (
        Compiled("true", ())
        if request.cursor is None
        else Compiled("e.seq < %s", keyset.read(request.cursor, _ORDER, int))
    )
    rows = conn.execute(
        (
            f"SELECT {COLUMNS}{FROM} WHERE e.workspace_id = %s AND {where.sql} AND {behind.sql}"
            " ORDER BY e.seq DESC LIMIT %s OFFSET %s"
        ).encode(),
        (
            conn.workspace_id,
            *where.params_in(conn.workspace_id),
            *behind.params,
            request.limit + 1,
            0 if request.cursor else request.skipped,
        ),
    )
    total = _total(conn, wanted, where)
    found = rows.fetchall()
    count = total.fetchone()
    page, cursor = keyset.page(found, request.limit, lambda row: keyset.written(_ORDER, row[1]))
    return views(conn, page), count[0] if count else 0, cursor


def _total(conn: Db, wanted: ActivityQuery, where: Compiled) -> psycopg.Cursor[tuple[int]]:
    """How many there are in all: the log's end, a few counts and what came since, or, of few events, all of them."""
    if where is TRUE:
        return conn.execute(_END, (conn.workspace_id,))
    workspace_id, params = conn.workspace_id, where.params_in(conn.workspace_id)
    if wanted.entity_id is not None or wanted.visible_to is not None:
        return conn.execute(_COUNTING.format(where=where.sql).encode(), (workspace_id, *params))
    conn.execute(_COUNT_UP, (workspace_id, COUNT_STEP))
    here = (workspace_id, *params)
    return conn.execute(_ADDING_UP.format(where=where.sql).encode(), (workspace_id, *here, *here))


def forget_counts(conn: Db) -> None:
    """Lets the counts of all workspaces begin anew, on the owner's connection; totals stay exact meanwhile."""
    with conn.transaction():
        conn.execute("DELETE FROM consumer_checkpoints WHERE consumer = 'activity_counts'")
        conn.execute("DELETE FROM activity_counts")


def _where(wanted: ActivityQuery, tables: Iterable[RowTable[Any]]) -> Compiled:
    parts: list[str] = []
    params: list[Any] = []
    if wanted.entity_id is not None:
        parts.append(_OF_ENTITY)
        params += [wanted.entity_id, HERE, str(wanted.entity_id)]
    types = [
        name
        for name, event in EVENTS.items()
        if (wanted.action is None or event.event_action == wanted.action)
        and (wanted.entity_type is None or _entity(name.split(".")[0]) == wanted.entity_type)
    ]
    if len(types) < len(EVENTS):
        parts.append("e.type = ANY(%s)")
        params.append(types)
    if untold := [name for name in EVENTS if name.split(".")[0] in wanted.untold]:
        parts.append("e.type <> ALL(%s)")
        params.append(untold)
    if wanted.user_id is not None:
        parts.append(_BY_USER)
        params += [wanted.user_id, HERE, wanted.user_id]
    if wanted.visible_to is not None:
        theirs = [assigned(table, wanted.visible_to) for table in tables if table.limited]
        parts.append(f"({' OR '.join([_BY_USER, *(f'e.stream_id IN ({each.sql})' for each in theirs)])})")
        params += [wanted.visible_to, HERE, wanted.visible_to, *(param for each in theirs for param in each.params)]
    return Compiled(" AND ".join(parts), tuple(params)) if parts else TRUE


def _entity(kind: str) -> str:
    """What a kind of stream is told of as."""
    return _TOLD_AS.get(kind, kind)


def assigned(table: RowTable[Any], user_id: UUID) -> Compiled:
    """The ids of the rows of a table that the user sees, who sees only what is theirs."""
    theirs = seen(table, user_id)
    return Compiled(f"SELECT id FROM {table.table} WHERE workspace_id = %s AND ({theirs.sql})", (HERE, *theirs.params))


class _Unknown(Event, name="", action="updated"):
    """What a program appended to a stream of its own: the log knows its name and data, and no more."""


def views(conn: Db, rows: Iterable[tuple[Any, ...]]) -> list[ActivityView]:
    """Events of ``COLUMNS`` in human terms."""
    return object_record_past.told(conn, [_view(row) for row in rows])


def _view(row: tuple[Any, ...]) -> ActivityView:
    event = EVENTS.get(row[4], _Unknown)
    return ActivityView(
        id=row[0],
        seq=row[1],
        entity_type=_entity(row[2]),
        entity_id=row[3],
        action=event.event_action,
        event=row[4],
        changes=changes(event, upcast(row[4], _data(row))[1]),
        erased=erased_fields(row[5]) if is_sealed(row[5]) else (),
        actor=Actor(type=row[6], id=row[7]),
        user_id=row[10],
        user_name=row[11],
        timestamp=row[9],
        request_id=row[8],
    )


def _data(row: tuple[Any, ...]) -> dict[str, Any]:
    found: dict[str, Any] = (
        SHARED.opened(row[3], row[4], row[5]).data if is_sealed(row[5]) else msgspec.json.decode(row[5])
    )
    return found


def changes(event: type[Event], data: dict[str, Any]) -> dict[str, FieldChange]:
    """From and to of every field: an update names both; what a creation sets comes from nothing. An amount of money is
    told in whole units, as callers know it, and its currency by itself.
    """
    found = _kept(event, data)
    for name in amounts(event):
        if (change := found.pop(name, None)) is not None:
            found |= _told(name, change)
    return found


def _told(name: str, change: FieldChange) -> dict[str, FieldChange]:
    """A change of money as callers know it."""
    was, now = ({} if side is None else convert(side, Money).told(name) for side in (change.from_, change.to))
    sides = {part: FieldChange(from_=was.get(part), to=now.get(part)) for part in {**was, **now}}
    return {part: side for part, side in sides.items() if side.from_ != side.to}


def _kept(event: type[Event], data: dict[str, Any]) -> dict[str, FieldChange]:
    """The same as the log has it."""
    if event.event_changes:
        return {name: FieldChange(from_=was, to=now) for name, (was, now) in event.event_changes.items()}
    if "changed" in data and "previous" in data:
        changed, previous = data["changed"], data["previous"]
        pairs = ((name, previous.get(name), value) for name, value in changed.items())
        return {name: FieldChange(from_=was, to=now) for name, was, now in pairs if was != now}
    if event.event_takes_away:
        return {name: FieldChange(from_=value, to=None) for name, value in data.items()}
    if event.event_action == "created":
        return {name: FieldChange(from_=None, to=value) for name, value in data.items() if value not in (None, [], {})}
    return {name: FieldChange(from_=None, to=value) for name, value in data.items()}
