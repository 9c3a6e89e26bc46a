"""Deliveries of webhooks: the lists that users look at, and sending again what they choose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, LiteralString
from uuid import UUID

from domain.kernel import invalid
from eventstore.database import Db
from eventstore.ids import new_id
from projections.table import keyset
from projections.table.asking.compiled import Compiled
from projections.webhook import WEBHOOKS
from schemas.verification import CHECKPOINT_SIGNED, Checkpoint
from schemas.webhook import AttemptView, DeliveryDetail, DeliveryStatus, DeliveryView, ReplayRange
from schemas.wire.page import PageRequest, Sort

_COLUMNS: Final[LiteralString] = (
    "id, webhook_id, event_id, event_type, seq, status, attempts, last_status, last_error, last_attempt_at,"
    " CASE WHEN status = 'pending' THEN next_attempt_at END, created_at, completed_at"
)
_NAMES: Final = tuple(DeliveryView.__struct_fields__)
_SEQ: Final = _NAMES.index("seq")
_WANTING: Final[LiteralString] = f"""
    SELECT id FROM {WEBHOOKS.table} WHERE workspace_id = %s AND active AND events && %s::text[]
"""
_ADD: Final[LiteralString] = """
    INSERT INTO webhook_deliveries (workspace_id, id, webhook_id, seq, event_id, event_type)
    VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (workspace_id, webhook_id, seq) DO NOTHING
"""
_ONE: Final[LiteralString] = f"""
    SELECT {_COLUMNS} FROM webhook_deliveries
    WHERE workspace_id = %s AND webhook_id = %s AND id = %s
"""
_ATTEMPTS: Final[LiteralString] = """
    SELECT attempt, started_at, duration_ms, status_code, error, response_excerpt FROM webhook_attempts
    WHERE workspace_id = %s AND delivery_id = %s ORDER BY attempt DESC
"""
# What is on its way this very moment keeps its lease: its result then counts as that of the replay.
_AGAIN: Final[LiteralString] = """
    UPDATE webhook_deliveries SET status = 'pending', tries = 0, next_attempt_at = now(), completed_at = NULL,
        leased_until = CASE WHEN status = 'pending' THEN leased_until END,
        lease = CASE WHEN status = 'pending' THEN lease END
"""
_REPLAY_ONE: Final[LiteralString] = f"""
    {_AGAIN} WHERE workspace_id = %s AND webhook_id = %s AND id = %s RETURNING {_COLUMNS}
"""
_REPLAY_RANGE: Final[LiteralString] = f"""
    WITH replayed AS (
        {_AGAIN} WHERE workspace_id = %s AND webhook_id = %s AND status <> 'pending'
            AND (%s::timestamptz IS NULL OR created_at >= %s::timestamptz)
            AND (%s::timestamptz IS NULL OR created_at < %s::timestamptz)
            AND (%s::text IS NULL OR status = %s::text)
        RETURNING true
    ) SELECT count(*) FROM replayed
"""
_CANCEL: Final[LiteralString] = """
    UPDATE webhook_deliveries SET status = 'cancelled', completed_at = now()
    WHERE workspace_id = %s AND webhook_id = %s AND status = 'pending'
"""


@dataclass(frozen=True)
class DeliveryQuery:
    status: DeliveryStatus | None = None
    event_type: str | None = None


def listed(
    conn: Db, webhook_id: UUID, request: PageRequest, wanted: DeliveryQuery
) -> tuple[list[DeliveryView], int, str | None]:
    """A page of an endpoint's deliveries, how many there are in all, and the cursor of the next page.

    In order of ``seq``, that is of the events: newest first, unless ``createdAt`` is asked for ascending. Signed heads,
    which are beside the log, are as if they were before it.
    """
    ascending = _ascending(request.sort)
    order = "seq" if ascending else "-seq"
    where = _where(webhook_id, wanted)
    here = (conn.workspace_id, *where.params)
    behind = Compiled("true", ())
    if request.cursor is not None:
        behind = Compiled("seq > %s" if ascending else "seq < %s", keyset.read(request.cursor, order, int))
    found = conn.execute(
        (
            f"SELECT {_COLUMNS} FROM webhook_deliveries WHERE workspace_id = %s AND {where.sql} AND {behind.sql}"
            f" ORDER BY seq {'ASC' if ascending else 'DESC'} LIMIT %s OFFSET %s"
        ).encode(),
        (*here, *behind.params, request.limit + 1, 0 if request.cursor else request.skipped),
    )
    counting = f"SELECT count(*) FROM webhook_deliveries WHERE workspace_id = %s AND {where.sql}"
    counted = conn.execute(counting.encode(), here)
    rows = found.fetchall()
    total = counted.fetchone()
    page, cursor = keyset.page(rows, request.limit, lambda row: keyset.written(order, row[_SEQ]))
    return [_view(row) for row in page], total[0] if total else 0, cursor


def beside(seq: int) -> int:
    """The ``seq`` of a delivery that is beside the log, of a head that was signed there, and back: an event has the other."""
    return -1 - seq


def add_checkpoint(conn: Db, checkpoint: Checkpoint) -> None:
    """A delivery to each endpoint that wants to be told of signed heads, all of one event id."""
    noun = CHECKPOINT_SIGNED.partition(".")[0]
    wanted = ["*", f"{noun}.*", CHECKPOINT_SIGNED]
    event_id, seq = new_id(), beside(checkpoint.seq)
    for (webhook_id,) in conn.execute(_WANTING, (conn.workspace_id, wanted)).fetchall():
        conn.execute(_ADD, (conn.workspace_id, new_id(), webhook_id, seq, event_id, CHECKPOINT_SIGNED))


def _ascending(sort: Sort | None) -> bool:
    if sort is not None and sort.field not in ("", "createdAt", "seq"):
        raise invalid("sort", "must be one of createdAt, seq")
    return sort is not None and not sort.descending


def _where(webhook_id: UUID, wanted: DeliveryQuery) -> Compiled:
    parts: list[str] = ["webhook_id = %s"]
    params: list[Any] = [webhook_id]
    for column, value in (("status", wanted.status), ("event_type", wanted.event_type)):
        if value is not None:
            parts.append(f"{column} = %s")
            params.append(value)
    return Compiled(" AND ".join(parts), tuple(params))


def latest(conn: Db, webhook_id: UUID, limit: int) -> list[DeliveryView]:
    return listed(conn, webhook_id, PageRequest(limit=limit), DeliveryQuery())[0]


def detail(conn: Db, webhook_id: UUID, delivery_id: UUID) -> DeliveryDetail | None:
    """One delivery with its attempts; ``None`` where the endpoint has no such."""
    found = conn.execute(_ONE, (conn.workspace_id, webhook_id, delivery_id))
    attempts = conn.execute(_ATTEMPTS, (conn.workspace_id, delivery_id))
    row = found.fetchone()
    if row is None:
        return None
    made = [AttemptView(**dict(zip(AttemptView.__struct_fields__, attempt, strict=True))) for attempt in attempts]
    return DeliveryDetail(**_fields(row), attempts=made)


def replay_one(conn: Db, webhook_id: UUID, delivery_id: UUID) -> DeliveryView | None:
    """Makes a delivery due now, from the beginning of the retry schedule; ``None`` where there is no such."""
    row = conn.execute(_REPLAY_ONE, (conn.workspace_id, webhook_id, delivery_id)).fetchone()
    return None if row is None else _view(row)


def replay_range(conn: Db, webhook_id: UUID, wanted: ReplayRange) -> int:
    """Makes completed deliveries due now; answers how many."""
    since, until, status = wanted.since, wanted.until, wanted.status
    bounds = (since, since, until, until, status, status)
    row = conn.execute(_REPLAY_RANGE, (conn.workspace_id, webhook_id, *bounds)).fetchone()
    return row[0] if row else 0


def cancel_pending(conn: Db, webhook_id: UUID) -> None:
    """Nothing more is sent; what is on its way this very moment may still arrive."""
    conn.execute(_CANCEL, (conn.workspace_id, webhook_id))


def _view(row: Sequence[Any]) -> DeliveryView:
    return DeliveryView(**_fields(row))


def _fields(row: Sequence[Any]) -> dict[str, Any]:
    fields = dict(zip(_NAMES, row, strict=True))
    return fields if fields["seq"] > 0 else {**fields, "seq": beside(fields["seq"])}
