"""Compares the kept groups of contacts that are alike with those that follow from the rows, and names the first difference.

What the log has behind the checkpoint is not looked at yet: of the contacts in it, and of those who were said to be two in it
or no longer are, nothing is compared. All else must be as it is found anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, LiteralString, NoReturn
from uuid import UUID

from domain.contact import CONTACT
from domain.contact_duplicate import CONTACT_DUPLICATE
from eventstore.database import Db, one
from eventstore.verify import MismatchError
from projections.contact_alike_kept import NAME, PAIRED
from projections.contact_alike_keys import grouped, keyed
from projections.table.asking.compiled import HERE, TRUE, Compiled
from schemas.verification import Finding

_SEQ: Final[LiteralString] = "SELECT seq FROM consumer_checkpoints WHERE workspace_id = %s AND consumer = %s"
_ANY: Final[LiteralString] = """
    (SELECT 'contact_keys' FROM contact_keys WHERE workspace_id = %s LIMIT 1)
    UNION ALL (SELECT 'contact_groups' FROM contact_groups WHERE workspace_id = %s LIMIT 1)
"""
_CHANGED: Final[LiteralString] = """
    SELECT coalesce(array_agg(DISTINCT stream_id), '{}') FROM events
    WHERE workspace_id = %s AND seq > %s AND stream_type = %s
"""
_KEYED: Final = keyed(TRUE)
_KEYS: Final = Compiled(
    f"""
    WITH built AS ({_KEYED.sql}),
    stored AS (SELECT score, key, contact_id AS id FROM contact_keys WHERE workspace_id = %s),
    differing AS (
        SELECT id, score, key, false AS is_there FROM (TABLE built EXCEPT TABLE stored) AS missing
        UNION ALL SELECT id, score, key, true FROM (TABLE stored EXCEPT TABLE built) AS surplus)
    SELECT id, score, key, is_there FROM differing WHERE NOT id = ANY(%s) ORDER BY id, score, is_there LIMIT 1
    """,
    (*_KEYED.params, HERE),
)
_GROUPED: Final = grouped(
    Compiled("SELECT score, key, contact_id AS id FROM contact_keys WHERE workspace_id = %s", (HERE,))
)
# Who is in a group that is stored, they say who have its first key.
_GROUPS: Final = Compiled(
    f"""
    WITH {_GROUPED.sql},
    built AS (SELECT place, ids[1] AS first_id, cardinality(ids)::bigint AS n, scores, key, ids FROM found),
    stored AS (SELECT place, first_id, n, scores, key FROM contact_groups WHERE workspace_id = %s),
    differing AS (SELECT place, first_id, to_jsonb(built) - 'ids' AS built, to_jsonb(stored) AS stored,
            coalesce(built.ids, ARRAY(SELECT contact_id FROM contact_keys AS own
                WHERE own.workspace_id = %s AND own.score = stored.scores[1] AND own.key = stored.key)) AS ids
        FROM built FULL JOIN stored USING (place, first_id)
        WHERE (built.n, built.scores, built.key) IS DISTINCT FROM (stored.n, stored.scores, stored.key))
    SELECT place, first_id, built, stored FROM differing WHERE NOT ids && %s ORDER BY place, first_id LIMIT 1
    """,
    (*_GROUPED.params, HERE, HERE),
)


def compare_groups(conn: Db, workspace_id: UUID) -> None:
    """Compares what a workspace has of them, inside a ``snapshot``; its rows must have been verified. Where nobody has asked
    for groups there must be none.

    Raises ``MismatchError`` at the first key or group that differs.
    """
    looked_at = one(conn, _SEQ, (workspace_id, NAME))
    if looked_at is None:
        _check_none(conn, workspace_id)
        return
    kinds = CONTACT.stream_type, CONTACT_DUPLICATE.stream_type
    contacts, pairs = (_changed(conn, workspace_id, looked_at[0], kind) for kind in kinds)
    _compare_keys(conn, workspace_id, contacts)
    paired = [row[0] for row in conn.execute(PAIRED, (workspace_id, pairs))] if pairs else []
    _compare_groups(conn, workspace_id, paired)


def _check_none(conn: Db, workspace_id: UUID) -> None:
    row = one(conn, _ANY, (workspace_id,) * 2)
    if row is not None:
        _wrong(workspace_id, row[0], "row", "none, as nobody has asked for duplicates", "one")


def _changed(conn: Db, workspace_id: UUID, seq: int, kind: str) -> list[UUID]:
    """The streams of this kind of which the log has something behind ``seq``."""
    (found,) = one(conn, _CHANGED, (workspace_id, seq, kind)) or ([],)
    return list(found)


def _compare_keys(conn: Db, workspace_id: UUID, changed: Sequence[UUID]) -> None:
    row = one(conn, _KEYS.sql, (*_KEYS.params_in(workspace_id), changed))
    if row is not None:
        contact_id, score, key, is_there = row
        what = f"row (score {score}, key {key}, contact_id {contact_id})"
        _wrong(workspace_id, "contact_keys", what, *_told(is_there=is_there))


def _compare_groups(conn: Db, workspace_id: UUID, paired: Sequence[UUID]) -> None:
    row = one(conn, _GROUPS.sql, (*_GROUPS.params_in(workspace_id), paired))
    if row is not None:
        place, first_id, built, stored = row
        what = f"row (place {place}, first_id {first_id})"
        if built is None or stored is None:
            _wrong(workspace_id, "contact_groups", what, *_told(is_there=built is None))
        column = next(name for name in built if built[name] != stored[name])
        _wrong(workspace_id, "contact_groups", what, str(built[column]), str(stored[column]), column)


def _told(*, is_there: bool) -> tuple[str, str]:
    """What was expected of a row that is there, or is not, and what was found."""
    return ("no such row", "one") if is_there else ("such a row", "none")


def _wrong(workspace_id: UUID, table: str, what: str, expected: str, found: str, column: str | None = None) -> NoReturn:
    raise MismatchError(
        Finding(workspace_id=workspace_id, table=table, column=column, what=what, expected=expected, found=found)
    )
