"""The queue of webhook deliveries in Postgres: claimed by a lease, and their results written in batches.

A claim is a lease: when its worker dies, the deliveries are due again as soon as it has run out. A result counts only
while the lease is held, so of two workers that both sent something one is believed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any, Final, Literal, LiteralString
from uuid import UUID

from eventstore.database import NO_WAITING, entering
from gateways.webhook import Sent
from projections.webhook import WEBHOOKS
from workers.running.context import AsyncDb, AsyncPool, transaction
from workers.webhook.claimed import Claimed, Due, Endpoint, by_workspace
from workers.webhook.letter import Letter

LOOK: Final = 1000
"""Deliveries in one look for what is due."""

# Over all workspaces, and only a look: along the index (webhook_id, next_attempt_at), which passes over what is not yet due.
_DUE: Final[LiteralString] = """
    SELECT workspace_id, webhook_id, count(*) FROM (
        SELECT workspace_id, webhook_id FROM webhook_deliveries
        WHERE status = 'pending' AND webhook_id > %s AND next_attempt_at <= now()
            AND (leased_until IS NULL OR leased_until <= now())
        ORDER BY webhook_id LIMIT %s) AS found
    GROUP BY workspace_id, webhook_id ORDER BY webhook_id
"""
# Of one workspace, and asking again: another worker may have been here since.
_CLAIM: Final[LiteralString] = """
    WITH due AS MATERIALIZED (
        SELECT found.id FROM unnest(%(endpoints)s::uuid[], %(counts)s::int[]) AS asked(webhook_id, count)
        CROSS JOIN LATERAL (
            SELECT id FROM webhook_deliveries
            WHERE workspace_id = %(workspace)s AND webhook_id = asked.webhook_id AND status = 'pending'
                AND next_attempt_at <= now() AND (leased_until IS NULL OR leased_until <= now())
            ORDER BY next_attempt_at LIMIT asked.count FOR UPDATE SKIP LOCKED
        ) AS found
    )
    UPDATE webhook_deliveries AS d SET leased_until = now() + make_interval(secs => %(seconds)s), lease = %(lease)s
    FROM due WHERE d.workspace_id = %(workspace)s AND d.id = due.id
    RETURNING d.workspace_id, d.id, d.webhook_id, d.seq, d.event_id, d.tries, d.lease
"""

_CANCEL: Final[LiteralString] = f"""
    UPDATE webhook_deliveries AS d SET status = 'cancelled', completed_at = now(), leased_until = NULL, lease = NULL
    WHERE workspace_id = %s AND webhook_id = ANY(%s) AND status = 'pending' AND NOT EXISTS (
        SELECT FROM {WEBHOOKS.table} w WHERE w.workspace_id = d.workspace_id AND w.id = d.webhook_id AND w.active)
"""  # noqa: S608 - our own name
# One that was cancelled while it was on its way stays so, unless it arrived.
_RECORD: Final[LiteralString] = """
    WITH result AS (
        SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::float8[], %s::timestamptz[], %s::int[], %s::int[],
            %s::text[], %s::text[])
            AS result(id, lease, status, delay, started_at, duration_ms, status_code, error, excerpt)
    ), done AS (
        UPDATE webhook_deliveries AS d SET
            status = CASE WHEN d.status = 'cancelled' AND result.status <> 'succeeded' THEN d.status ELSE result.status END,
            attempts = d.attempts + 1,
            tries = d.tries + 1,
            next_attempt_at = now() + make_interval(secs => result.delay),
            leased_until = NULL,
            lease = NULL,
            last_status = result.status_code,
            last_error = result.error,
            last_attempt_at = result.started_at,
            completed_at = CASE WHEN d.status = 'pending' AND result.status = 'pending' THEN NULL ELSE now() END
        FROM result
        WHERE d.workspace_id = %s AND d.id = result.id AND d.lease = result.lease
        RETURNING d.id, d.attempts
    )
    INSERT INTO webhook_attempts
        (workspace_id, delivery_id, attempt, started_at, duration_ms, status_code, error, response_excerpt)
    SELECT h.workspace_id, done.id, done.attempts, result.started_at, result.duration_ms, result.status_code,
        result.error, result.excerpt
    FROM log_heads h, done JOIN result ON result.id = done.id WHERE h.workspace_id = %s
"""
_HEALTH: Final[LiteralString] = f"""
    INSERT INTO webhook_health AS health (workspace_id, webhook_id, last_delivery_at, last_status, failing_since)
    SELECT h.workspace_id, found.*
    FROM log_heads h, unnest(%s::uuid[], %s::timestamptz[], %s::int[], %s::timestamptz[])
        AS found(webhook_id, at, status, since)
    WHERE h.workspace_id = %s
        AND EXISTS (SELECT FROM {WEBHOOKS.table} w WHERE w.workspace_id = h.workspace_id AND w.id = found.webhook_id)
    ON CONFLICT (workspace_id, webhook_id) DO UPDATE SET
        last_delivery_at = excluded.last_delivery_at, last_status = excluded.last_status, failing_since =
"""  # noqa: S608 - our own name
_FARED_WELL: Final[LiteralString] = f"{_HEALTH} excluded.failing_since"
"""For endpoints with a success among the results: what failed before it counts no more."""
_FAILED_ONLY: Final[LiteralString] = f"""
    {_HEALTH} coalesce(health.failing_since, excluded.failing_since)
    RETURNING webhook_id, failing_since <= now() - make_interval(secs => %s)
"""


@dataclass(frozen=True, slots=True)
class Result:
    """What an attempt came to: ``pending`` again in ``delay`` seconds, or done."""

    letter: Letter
    sent: Sent
    status: Literal["pending", "succeeded", "failed"]
    delay: float = 0.0


async def look(pool: AsyncPool, after: UUID | None) -> tuple[list[Due], bool]:
    """The endpoints behind ``after``, in order of their ids, that something is due for; and whether these are all.

    However long one's queue is, it takes up one look at most: the next goes on behind it.
    """
    async with pool.connection() as conn:
        rows = await (await conn.execute(_DUE, (after or UUID(int=0), LOOK))).fetchall()
    found = [Due(Endpoint(row[0], row[1]), row[2]) for row in rows]
    return found, sum(due.waiting for due in found) < LOOK


async def claim(pool: AsyncPool, lease: UUID, asked: Mapping[Endpoint, int], *, seconds: float) -> list[Claimed]:
    """Leases what is due, of each of these endpoints up to so many; in order of endpoint and ``seq``."""
    claimed: list[Claimed] = []
    async with transaction(pool) as conn:
        await conn.execute(NO_WAITING)
        cursors = []
        for workspace_id, group in by_workspace(asked, attrgetter("workspace_id")).items():
            bounds = {
                "workspace": workspace_id,
                "endpoints": [endpoint.webhook_id for endpoint in group],
                "counts": [asked[endpoint] for endpoint in group],
                "lease": lease,
                "seconds": seconds,
            }
            await conn.say(entering(workspace_id))
            cursors.append(await conn.execute(_CLAIM, bounds))
        for cursor in cursors:
            claimed += [Claimed(*row) for row in await cursor.fetchall()]
    return sorted(claimed, key=attrgetter("webhook_id", "seq"))


async def cancel(pool: AsyncPool, stranded: Iterable[Claimed]) -> None:
    """Cancels all that is pending for these endpoints, where they are still switched off or gone."""
    groups = by_workspace(stranded, attrgetter("workspace_id"))
    async with transaction(pool) as conn:
        for workspace_id, group in groups.items():
            await conn.say(entering(workspace_id))
            await conn.execute(_CANCEL, (workspace_id, list({item.webhook_id for item in group})))


async def record(pool: AsyncPool, results: Sequence[Result], failing_seconds: float) -> list[Result]:
    """Writes results, the attempts and how the endpoints fare, in one transaction.

    Answers a result for each endpoint that has done nothing but fail for ``failing_seconds``.
    """
    groups = by_workspace(results, lambda result: result.letter.claimed.workspace_id)
    async with transaction(pool) as conn:
        asked = []
        for workspace_id, group in sorted(groups.items()):
            await conn.say(entering(workspace_id))
            await conn.execute(_RECORD, (*_columns(group), workspace_id, workspace_id))
            asked.append((group, await _record_health(conn, workspace_id, group, failing_seconds)))
        exhausted = []
        for group, cursor in asked:
            if cursor is not None:
                ids = {row[0] for row in await cursor.fetchall() if row[1]}
                last = {result.letter.claimed.webhook_id: result for result in group}
                exhausted += [last[webhook_id] for webhook_id in ids]
    return exhausted


def _columns(results: Sequence[Result]) -> tuple[list[Any], ...]:
    return (
        [result.letter.claimed.id for result in results],
        [result.letter.claimed.lease for result in results],
        [result.status for result in results],
        [result.delay for result in results],
        [result.sent.started_at for result in results],
        [result.sent.duration_ms for result in results],
        [result.sent.status for result in results],
        [result.sent.error for result in results],
        [result.sent.excerpt for result in results],
    )


async def _record_health(conn: AsyncDb, workspace_id: UUID, results: Sequence[Result], failing_seconds: float) -> Any:
    well: list[tuple[Any, ...]] = []
    badly: list[tuple[Any, ...]] = []
    by_id = attrgetter("letter.claimed.webhook_id")
    for webhook_id, found in groupby(sorted(results, key=by_id), by_id):
        group = sorted(found, key=attrgetter("sent.started_at"))
        last = group[-1].sent
        since = None
        for result in reversed(group):
            if result.sent.error is None:
                break
            since = result.sent.started_at
        row = (webhook_id, last.started_at, last.status, since)
        (badly if all(result.sent.error is not None for result in group) else well).append(row)
    if well:
        await conn.execute(_FARED_WELL, (*_transposed(well), workspace_id))
    if not badly:
        return None
    return await conn.execute(_FAILED_ONLY, (*_transposed(badly), workspace_id, failing_seconds))


def _transposed(rows: list[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
