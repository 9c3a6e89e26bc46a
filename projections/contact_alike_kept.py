"""Keeps the groups of contacts that are alike: behind the log, by whoever asks for them, and by a worker before that.

They follow from rows as they are, so that whatever is looked at twice comes to the same. What is between the checkpoint and
the end of the log says which contacts have to be looked at.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final, LiteralString, NamedTuple
from uuid import UUID

from domain.contact import CONTACT
from domain.contact_duplicate import CONTACT_DUPLICATE
from eventstore.consuming import ADVANCE, BEGIN, LOCK_CHECKPOINTS
from eventstore.database import Db
from projections.contact import CONTACTS
from projections.contact_alike_keys import grouped, keyed
from projections.contact_duplicate import CONTACT_DUPLICATES
from projections.table.asking.compiled import HERE, Compiled

NAME: Final = "contact_alike"
_FOLLOW_FROM: Final = {CONTACTS.name, CONTACT_DUPLICATES.name}
STEP: Final = 1_000
"""Events that are looked at at a time."""

_BEHIND: Final[LiteralString] = """
    SELECT head.seq - coalesce(kept.seq, 0) FROM log_heads AS head LEFT JOIN consumer_checkpoints AS kept
        ON kept.workspace_id = head.workspace_id AND kept.consumer = %s WHERE head.workspace_id = %s
"""
_ASKED: Final[LiteralString] = "SELECT FROM consumer_checkpoints WHERE workspace_id = %s AND consumer = %s"
_NEXT: Final[LiteralString] = """
    SELECT max(seq), array_agg(DISTINCT stream_id) FILTER (WHERE stream_type = %s),
        array_agg(DISTINCT stream_id) FILTER (WHERE stream_type = %s)
    FROM (SELECT seq, stream_type, stream_id FROM events
        WHERE workspace_id = %s AND seq > %s ORDER BY seq LIMIT %s) AS next
"""
# Of whom it was said, or was taken back, that they are two: all whom any event of such a pair has named.
PAIRED: Final[LiteralString] = """
    SELECT DISTINCT named.id::uuid FROM events, LATERAL (VALUES
        (data ->> 'contactId'), (data ->> 'otherId'),
        (data #>> '{changed,contactId}'), (data #>> '{changed,otherId}')) AS named (id)
    WHERE workspace_id = %s AND stream_id = ANY(%s) AND named.id IS NOT NULL
"""
_FIRST: Final[LiteralString] = """(SELECT kept.contact_id FROM contact_keys AS kept
    WHERE kept.workspace_id = %s AND kept.score = touched.score AND kept.key = touched.key
    ORDER BY kept.contact_id LIMIT 1)"""
_KEYED: Final = keyed(Compiled("id = ANY(%s)", (None,)))
# The keys that these contacts have and had, where any has changed or they are among those paired: of each, the oldest contact
# that had it before, the oldest and how many of those who have come to it, and whether any has gone from it.
_CHANGE: Final = f"""
    WITH now AS ({_KEYED.sql}),
    before AS (SELECT score, key, contact_id AS id FROM contact_keys WHERE workspace_id = %s AND contact_id = ANY(%s)),
    gone AS (TABLE before EXCEPT TABLE now),
    come AS (TABLE now EXCEPT TABLE before),
    changed AS (SELECT id FROM gone UNION SELECT id FROM come UNION SELECT unnest(%s::uuid[])),
    deleted AS (DELETE FROM contact_keys AS kept USING gone WHERE kept.workspace_id = %s
        AND kept.score = gone.score AND kept.key = gone.key AND kept.contact_id = gone.id),
    inserted AS (INSERT INTO contact_keys SELECT head.workspace_id, score, key, id
        FROM log_heads AS head, come WHERE head.workspace_id = %s),
    touched AS (SELECT score, key, (array_agg(come.id ORDER BY come.id))[1] AS first, count(come.id) AS coming,
        count(gone.id) > 0 AS going FROM (TABLE before UNION TABLE now) AS had
        LEFT JOIN come USING (score, key, id) LEFT JOIN gone USING (score, key, id)
        WHERE id IN (SELECT id FROM changed) GROUP BY score, key)
    SELECT score, key, {_FIRST}, first, coming, going FROM touched
"""
_OLDEST: Final = f"""
    SELECT DISTINCT {_FIRST} FROM unnest(%s::smallint[], %s::bigint[]) AS touched (score, key)
"""
_CLEAR: Final[LiteralString] = "DELETE FROM contact_groups WHERE workspace_id = %s AND first_id = ANY(%s)"
_GROUPED: Final = grouped(
    Compiled(
        "SELECT other.score, other.key, other.contact_id AS id FROM (SELECT DISTINCT score, key FROM contact_keys"
        " WHERE workspace_id = %s AND contact_id = ANY(%s)) AS own JOIN contact_keys AS other"
        " ON other.workspace_id = %s AND other.score = own.score AND other.key = own.key",
        (HERE, None, HERE),
    )
)
_GROUP: Final = f"""
    WITH {_GROUPED.sql} INSERT INTO contact_groups (workspace_id, place, first_id, n, scores, key)
    SELECT head.workspace_id, place, ids[1], cardinality(ids), scores, key
    FROM log_heads AS head, found WHERE head.workspace_id = %s AND ids[1] = ANY(%s)
"""


class _Touched(NamedTuple):
    """A key: the oldest contact that had it, the oldest and how many of those who come to it, whether any goes from it."""

    score: int
    key: int
    before: UUID | None
    first: UUID | None
    coming: int
    going: bool


def behind(conn: Db) -> int:
    """How many events of the workspace's log have not been looked at."""
    row = conn.execute(_BEHIND, (NAME, conn.workspace_id)).fetchone()
    return 0 if row is None else int(row[0])


def begin(conn: Db) -> None:
    """From here on a worker looks at what happens in the workspace: somebody has asked."""
    conn.execute(BEGIN, (conn.workspace_id, NAME))


def catch_up(conn: Db) -> bool:
    """Looks at the next events, in a transaction that writes; answers whether there may be more."""
    begin(conn)
    workspace_id = conn.workspace_id
    ((_, after),) = conn.execute(LOCK_CHECKPOINTS, (workspace_id, [NAME])).fetchall()
    kinds = CONTACT.stream_type, CONTACT_DUPLICATE.stream_type
    found = conn.execute(_NEXT, (*kinds, workspace_id, after, STEP)).fetchone()
    if found is None or found[0] is None:
        return False
    seq, contacts, pairs = found
    _look_at(conn, contacts or [], _paired(conn, pairs or []))
    conn.execute(ADVANCE, (seq, workspace_id, [NAME]))
    return bool(seq - after >= STEP)


def look_again(conn: Db, contacts: Sequence[UUID]) -> None:
    """Looks at these contacts at once, where somebody has asked: of those whose rows are gone nothing is left then. Who has
    others look at none meanwhile (``FOR UPDATE`` of the checkpoint) knows that it does not come back.
    """
    if conn.execute(_ASKED, (conn.workspace_id, NAME)).fetchone() is not None:
        _look_at(conn, contacts, [])


def forget_groups(conn: Db, built: Collection[str]) -> None:
    """Lets the groups of all workspaces begin anew where the rows that they follow from are among those ``built`` anew, by
    name; on the owner's connection. Meanwhile they are found by who asks.
    """
    if _FOLLOW_FROM.isdisjoint(built):
        return
    with conn.transaction():
        conn.execute("DELETE FROM consumer_checkpoints WHERE consumer = 'contact_alike'")
        conn.execute("DELETE FROM contact_groups")
        conn.execute("DELETE FROM contact_keys")


def _paired(conn: Db, pairs: Sequence[UUID]) -> list[UUID]:
    if not pairs:
        return []
    return [row[0] for row in conn.execute(PAIRED, (conn.workspace_id, list(pairs)))]


def _look_at(conn: Db, contacts: Sequence[UUID], paired: Sequence[UUID]) -> None:
    """Each group is made anew that one of these contacts has come to or gone from: those of the oldest in it, before and
    now.
    """
    oldest = _oldest(conn, _touched(conn, sorted({*contacts, *paired}), list(paired)))
    if not oldest:
        return
    conn.execute(_CLEAR, (conn.workspace_id, oldest))
    conn.execute(_GROUP.encode(), (*_with(conn, _GROUPED, oldest), conn.workspace_id, oldest))


def _touched(conn: Db, contacts: Sequence[UUID], paired: Sequence[UUID]) -> list[_Touched]:
    here, ids = conn.workspace_id, list(contacts)
    params = (*_with(conn, _KEYED, ids), here, ids, list(paired), here, here, here)
    rows = conn.execute(_CHANGE.encode(), params) if ids else ()
    return [_Touched._make(row) for row in rows]


def _oldest(conn: Db, touched: Sequence[_Touched]) -> list[UUID]:
    """The oldest in each group that there was or is. A key that one contact alone has come to makes none."""
    groups = [one for one in touched if one.before is not None or one.coming > 1]
    left = [one for one in groups if one.going]
    columns = [one.score for one in left], [one.key for one in left]
    rows = conn.execute(_OLDEST.encode(), (conn.workspace_id, *columns)) if left else ()
    found = {row[0] for row in rows}.union(*((one.before, one.first) for one in groups))
    return sorted(key for key in found if key is not None)


def _with(conn: Db, query: Compiled, ids: Sequence[UUID]) -> tuple[Any, ...]:
    """Its parameters, with the ids where it leaves room for them."""
    return tuple(list(ids) if param is None else param for param in query.params_in(conn.workspace_id))
