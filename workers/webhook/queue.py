"""The queue of webhook deliveries in Postgres: claimed by a lease, loaded, and their results written in batches.

A claim is a lease: when its worker dies, the deliveries are due again as soon as it has run out. A result counts only
while the lease is held, so of two workers that both sent something one is believed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any, Final, Literal, LiteralString, NamedTuple
from uuid import UUID

import msgspec
from msgspec import UNSET

from eventstore.chain import timestamp
from eventstore.checkpoint import COLUMNS, as_checkpoint
from eventstore.database import NO_WAITING, entering
from eventstore.mapper import SHARED, UPCASTERS, upcast
from eventstore.sealing import READABLE, is_sealed
from gateways.webhook import Sent
from projections.webhook import WEBHOOKS
from projections.webhook_delivery import beside
from schemas.verification import CHECKPOINT_SIGNED
from schemas.webhook import Subject, WebhookEnvelope
from workers.running.context import AsyncDb, AsyncPool, transaction

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

_EVENTS: Final[LiteralString] = f"""
    SELECT seq, event_id, type, recorded_at, stream_type, stream_id, {READABLE}, correlation_id
    FROM events WHERE workspace_id = %s AND seq = ANY(%s)
"""  # noqa: S608 - constants only
_CHECKPOINTS: Final[LiteralString] = f"""
    SELECT {COLUMNS} FROM log_checkpoints WHERE workspace_id = %s AND seq = ANY(%s)
"""  # noqa: S608 - constants only
_RECEIVERS: Final[LiteralString] = f"""
    SELECT w.id, w.url, array(
        SELECT s.sealed FROM webhook_secrets s
        WHERE s.workspace_id = w.workspace_id AND s.webhook_id = w.id AND (s.expires_at IS NULL OR s.expires_at > now())
        ORDER BY s.created_at DESC)
    FROM {WEBHOOKS.table} w WHERE w.workspace_id = %s AND w.id = ANY(%s) AND w.active
"""  # noqa: S608 - our own name
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


class Endpoint(NamedTuple):
    workspace_id: UUID
    webhook_id: UUID


class Due(NamedTuple):
    """That there are deliveries to make to an endpoint: so many, as far as one has looked."""

    endpoint: Endpoint
    waiting: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that is this worker's to send while the lease lasts."""

    workspace_id: UUID
    id: UUID
    webhook_id: UUID
    seq: int
    event_id: UUID
    tries: int
    lease: UUID

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(self.workspace_id, self.webhook_id)


@dataclass(frozen=True, slots=True)
class Letter:
    """A delivery with all that it takes to send it: sealed secrets, and a body unless the log has lost the event."""

    claimed: Claimed
    correlation_id: UUID
    url: str
    sealed: tuple[bytes, ...]
    body: bytes | None


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
        for workspace_id, group in _by_workspace(asked, attrgetter("workspace_id")).items():
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


async def load(pool: AsyncPool, claimed: Iterable[Claimed]) -> tuple[list[Letter], list[Claimed]]:
    """The deliveries ready to send, and those whose endpoint is switched off or gone."""
    groups = _by_workspace(claimed, attrgetter("workspace_id"))
    letters: list[Letter] = []
    stranded: list[Claimed] = []
    async with transaction(pool) as conn:
        asked = []
        for workspace_id, group in groups.items():
            await conn.say(entering(workspace_id))
            events = await conn.execute(_EVENTS, (workspace_id, list({item.seq for item in group})))
            signed = await _signed(conn, workspace_id, group)
            receivers = await conn.execute(_RECEIVERS, (workspace_id, list({item.webhook_id for item in group})))
            asked.append((group, events, signed, receivers))
        for group, events, signed, receivers in asked:
            written = {row[0]: row for row in await events.fetchall()}
            known = {row[0]: row for row in await receivers.fetchall()}
            bodies = {} if signed is None else _bodies_beside(group, await signed.fetchall())
            for item in group:
                if item.webhook_id not in known:
                    stranded.append(item)
                    continue
                if item.seq not in bodies and item.seq in written:
                    bodies[item.seq] = _body(item.workspace_id, written[item.seq])
                letters.append(_letter(item, known[item.webhook_id], written.get(item.seq), bodies.get(item.seq)))
    return letters, stranded


def _letter(item: Claimed, receiver: Sequence[Any], event: Sequence[Any] | None, body: bytes | None) -> Letter:
    _, url, sealed = receiver
    correlation_id = item.event_id if event is None else event[7]
    return Letter(item, correlation_id, url, tuple(bytes(secret) for secret in sealed), body)


async def _signed(conn: AsyncDb, workspace_id: UUID, group: Iterable[Claimed]) -> Any:
    """The signed heads that are among these, if any: they are beside the log."""
    wanted = [beside(item.seq) for item in group if item.seq < 0]
    return await conn.execute(_CHECKPOINTS, (workspace_id, wanted)) if wanted else None


def _bodies_beside(group: Iterable[Claimed], rows: Iterable[Sequence[Any]]) -> dict[int, bytes]:
    found = {row[0]: row for row in rows}
    return {item.seq: _checkpoint(item, found[beside(item.seq)]) for item in group if beside(item.seq) in found}


def _checkpoint(item: Claimed, row: Sequence[Any]) -> bytes:
    seq, hashed, signed_at, *rest = row
    checkpoint = as_checkpoint(item.workspace_id, seq, hashed, timestamp(signed_at), *rest)
    return _encode(
        WebhookEnvelope(
            id=item.event_id,
            type=CHECKPOINT_SIGNED,
            timestamp=checkpoint.signed_at,
            workspace_id=item.workspace_id,
            seq=seq,
            subject=Subject(type="log", id=item.workspace_id),
            data=msgspec.Raw(_encode(checkpoint)),
        )
    )


def _body(workspace_id: UUID, event: Sequence[Any]) -> bytes:
    seq, event_id, event_type, recorded_at, stream_type, stream_id, data, _ = event
    opened = SHARED.opened(stream_id, event_type, data) if is_sealed(data) else None
    if opened is not None:
        data = _encode(opened.data)
    if event_type in UPCASTERS:
        event_type, now = upcast(event_type, msgspec.json.decode(data))
        data = msgspec.json.encode(now)
    return _encode(
        WebhookEnvelope(
            id=event_id,
            type=event_type,
            timestamp=timestamp(recorded_at),
            workspace_id=workspace_id,
            seq=seq,
            subject=Subject(type=stream_type, id=stream_id),
            data=msgspec.Raw(data),
            erased=True if opened is not None and opened.erased else UNSET,
        )
    )


_encode = msgspec.json.Encoder().encode


async def cancel(pool: AsyncPool, stranded: Iterable[Claimed]) -> None:
    """Cancels all that is pending for these endpoints, where they are still switched off or gone."""
    groups = _by_workspace(stranded, attrgetter("workspace_id"))
    async with transaction(pool) as conn:
        for workspace_id, group in groups.items():
            await conn.say(entering(workspace_id))
            await conn.execute(_CANCEL, (workspace_id, list({item.webhook_id for item in group})))


async def record(pool: AsyncPool, results: Sequence[Result], failing_seconds: float) -> list[Result]:
    """Writes results, the attempts and how the endpoints fare, in one transaction.

    Answers a result for each endpoint that has done nothing but fail for ``failing_seconds``.
    """
    groups = _by_workspace(results, lambda result: result.letter.claimed.workspace_id)
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


def _by_workspace(items: Iterable[Any], key: Any) -> dict[UUID, list[Any]]:
    groups: dict[UUID, list[Any]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return groups
