"""Timelines: everything that touches a thing, newest first, in human terms.

An event touches a thing when its stream is the thing's own, or when the state of its stream refers to the thing
before or after it. So what happens to a contact is on the contact's timeline and on its company's; and when it changes
companies, on both companies'. Where what it refers to has a timeline and referred itself to another such thing by then,
it touches that, too: a note about a contact is on the timeline of the company that the contact belonged to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final
from uuid import UUID

from psycopg import Cursor

from domain.catalogue import DECIDERS
from domain.kernel import Decider, State, not_found
from domain.kernel.fields import Reference, references
from eventstore.database import Db
from projections import activity
from projections.table import keyset
from projections.table.asking.compiled import TRUE, Compiled, every
from projections.table.rows import RowTable
from projections.view.view import Moment, Put, Spread, Table, View, states
from schemas.activity import ActivityView
from schemas.wire.page import PageRequest

SUBJECTS: Final = ("contact", "company", "deal")
"""The kinds of thing that have a timeline. One more, and the view's version goes up."""

LINKS: Final = Table(
    "timeline_links",
    columns={"subject_id": "uuid", "seq": "bigint", "leads_to": "uuid[] NOT NULL"},
    key=("subject_id", "seq"),
)
"""What a thing that has a timeline refers to of others that have one, from this entry of the log on."""

ITEMS: Final = Table(
    "timeline_items", columns={"subject_id": "uuid", "seq": "bigint"}, key=("subject_id", "seq"), leads=LINKS
)


def timeline(name: str, version: int, subjects: tuple[str, ...], items: Table = ITEMS) -> View:
    """The view of the timelines of things of these kinds."""
    referring = {kind: found for kind, decider in DECIDERS.items() if (found := _referring(decider, subjects))}
    leading = referring.keys() & {*subjects} if items.leads is not None else set[str]()

    def touch(moment: Moment) -> Iterator[Put | Spread]:
        entry = moment.entry
        if entry.stream_type in subjects:
            yield Put(items, (entry.stream_id, entry.seq))
        for reference in referring.get(entry.stream_type, ()):
            effect = Spread if reference.to.kind in leading else Put
            for subject_id in {*reference.ids(moment.before), *reference.ids(moment.after)}:
                yield effect(items, (subject_id, entry.seq))

    def lead(moment: Moment) -> Iterator[Put]:
        before, after = (_led_to(referring[moment.entry.stream_type], state) for state in (moment.before, moment.after))
        if items.leads is not None and before != after:
            yield Put(items.leads, (moment.entry.stream_id, moment.entry.seq, after))

    return View(
        name=name,
        version=version,
        tables=(items,) if items.leads is None else (items.leads, items),
        apply={
            event.event_name: (lambda moment: (*touch(moment), *lead(moment))) if kind in leading else touch
            for kind, decider in DECIDERS.items()
            if kind in subjects or kind in referring
            for event in decider.events
        },
        folds={kind: states(DECIDERS[kind]) for kind in referring},
    )


def _referring(decider: Decider[Any, Any, State], subjects: tuple[str, ...]) -> tuple[Reference, ...]:
    return tuple(reference for reference in references(decider.state) if reference.to.kind in subjects)


def _led_to(found: tuple[Reference, ...], state: State | None) -> list[UUID]:
    return [subject_id for reference in found for subject_id in reference.ids(state)]


TIMELINE: Final = timeline("timeline", 6, SUBJECTS)
KINDS: Final = frozenset({*SUBJECTS, *TIMELINE.folds})
"""The kinds of thing whose events are on timelines."""

_TOUCHING: Final = (
    f"{activity.FROM} JOIN {ITEMS.name} t ON t.workspace_id = e.workspace_id AND t.seq = e.seq"
    " WHERE t.workspace_id = %s AND t.subject_id = %s"
)
_COUNT: Final = f"SELECT count(*) FROM {ITEMS.name} WHERE workspace_id = %s AND subject_id = %s"
_ORDER: Final = "-seq"


def listed(
    conn: Db,
    rows: Mapping[str, RowTable[Any]],
    kind: str,
    subject_id: UUID,
    request: PageRequest,
    visible_to: UUID | None,
    kinds: AbstractSet[str] = KINDS,
) -> tuple[list[ActivityView], int, str | None]:
    """A page of the timeline, how many items it has in all, and the cursor of the next page.

    Refuses (``not_found``) for what is not there, or not to be seen by who sees only what is assigned to them. Of what
    touches it, they are not shown what happened to something that is assigned to others, and nobody what happened to
    things of other ``kinds``.
    """
    seen = _told(kinds)
    if visible_to is not None:
        seen = every(seen, *(_seen(table, visible_to) for table in rows.values() if table.limited))
    found = _found(conn, subject_id, request, seen)
    total = _total(conn, subject_id, seen)
    subject = rows[kind].load(conn, [subject_id]).get(subject_id)
    if subject is None or not rows[kind].visible(conn, subject, visible_to):
        raise not_found(kind)
    page, cursor = keyset.page(found.fetchall(), request.limit, lambda row: keyset.written(_ORDER, row[1]))
    count = total.fetchone()
    return activity.views(conn, page), count[0] if count else 0, cursor


def _found(conn: Db, subject_id: UUID, request: PageRequest, seen: Compiled) -> Cursor[Any]:
    behind = TRUE if request.cursor is None else Compiled("t.seq < %s", keyset.read(request.cursor, _ORDER, int))
    where = every(seen, behind)
    query = f"SELECT {activity.COLUMNS}{_TOUCHING} AND {where.sql} ORDER BY t.seq DESC LIMIT %s OFFSET %s"
    limit = (request.limit + 1, 0 if request.cursor else request.skipped)
    return conn.execute(query.encode(), (conn.workspace_id, subject_id, *where.params_in(conn.workspace_id), *limit))


def _total(conn: Db, subject_id: UUID, seen: Compiled) -> Cursor[Any]:
    query = _COUNT if seen is TRUE else f"SELECT count(*){_TOUCHING} AND {seen.sql}"
    return conn.execute(query.encode(), (conn.workspace_id, subject_id, *seen.params_in(conn.workspace_id)))


def _told(kinds: AbstractSet[str]) -> Compiled:
    return TRUE if kinds >= KINDS else Compiled("e.stream_type = ANY(%s)", (sorted(kinds),))


def _seen(table: RowTable[Any], visible_to: UUID) -> Compiled:
    """Not what happened to a row of this table that is not assigned to the user."""
    kind, theirs = table.decider.stream_type, activity.assigned(table, visible_to)
    return Compiled(f"(e.stream_type <> '{kind}' OR e.stream_id IN ({theirs.sql}))", theirs.params)
