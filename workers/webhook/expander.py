"""The expander: for each event of the log, one delivery per endpoint that wants it.

Messages of NATS only say that a log has grown. What is expanded is read from the log in Postgres, strictly in order of
``seq`` behind a checkpoint per workspace, and deliveries and checkpoint are committed together: so each event is expanded
once, however many expanders run, and whether its message comes twice, late or never. For messages that never come, the
checkpoints are compared with the logs' ends every so often.

Which endpoints want an event is decided by how they stood when it happened, and that is in the log as well: the events
of webhooks have their own ``seq``. An endpoint gets the first event behind its creation and all after it, whatever was
cached where, because

- all that is known of a workspace's endpoints is the fold of its webhook events up to a ``seq``, and is kept with
  that ``seq``;
- it is used at the checkpoint only, which is locked, and is first brought to that ``seq`` from the log where it is behind
  (another expander got there) or folded anew where it is ahead (the database was put back to an earlier state);
- the log has no gaps below a ``seq`` that can be seen, so that fold is whole;
- on the way forward each webhook event is applied before the endpoints are asked who wants it. So an endpoint gets
  its own ``webhook.created`` if it asked for it, and nothing from the event on that deleted it or switched it off.

The rows of ``webhooks`` would not do: they are as of now, and an event that is expanded late would go to an endpoint
that was made after it, or not go to one that wanted it then.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, LiteralString
from uuid import UUID

from prometheus_client import Counter

from domain.webhook import WEBHOOK, Webhook, matches
from eventstore.database import SET_WORKSPACE
from eventstore.ids import new_id
from eventstore.mapper import EventMapper, UnreadableEventError
from eventstore.reader import LogGapError
from workers.running.context import AsyncDb, AsyncPool

CONSUMER: Final = "webhooks"
BATCH: Final = 1000
"""Events in one transaction."""
DELIVERIES: Final = 10_000
"""Deliveries that one transaction may come to, and a few more: with many endpoints it takes fewer events."""
REMEMBERED: Final = 10_000
"""Workspaces whose endpoints are remembered."""
PUT_OFF_SECONDS: Final = 60.0
"""After which a workspace is tried again whose log cannot be read."""

EXPANDED: Final = Counter("daybook_webhook_deliveries_made", "Deliveries made from events.")

# Losing the end of this in a crash of Postgres loses deliveries and checkpoint alike: it is done again.
_FAST: Final[LiteralString] = "SELECT set_config('synchronous_commit', 'off', true)"
_LOCK: Final[LiteralString] = """
    SELECT seq FROM consumer_checkpoints WHERE workspace_id = %s AND consumer = 'webhooks' FOR UPDATE
"""
_BEGIN: Final[LiteralString] = """
    INSERT INTO consumer_checkpoints (workspace_id, consumer, seq) VALUES (%s, 'webhooks', 0) ON CONFLICT DO NOTHING
"""
_ADVANCE: Final[LiteralString] = """
    UPDATE consumer_checkpoints SET seq = %s WHERE workspace_id = %s AND consumer = 'webhooks'
"""
_NEXT: Final[LiteralString] = """
    SELECT seq, event_id, type, stream_id, CASE WHEN stream_type = 'webhook' THEN data::text END FROM events
    WHERE workspace_id = %s AND seq > (
        SELECT seq FROM consumer_checkpoints WHERE workspace_id = %s AND consumer = 'webhooks')
    ORDER BY seq LIMIT %s
"""
_WEBHOOK_EVENTS: Final[LiteralString] = """
    SELECT seq, event_id, type, stream_id, data::text FROM events
    WHERE workspace_id = %s AND seq > %s AND seq <= %s AND type = ANY(%s) ORDER BY seq
"""
_INSERT: Final[LiteralString] = """
    INSERT INTO webhook_deliveries (workspace_id, id, webhook_id, seq, event_id, event_type)
    SELECT %s, made.* FROM unnest(%s::uuid[], %s::uuid[], %s::bigint[], %s::uuid[], %s::text[]) AS made
    ON CONFLICT (workspace_id, webhook_id, seq) DO NOTHING
"""
_BEHIND: Final[LiteralString] = """
    SELECT h.workspace_id FROM log_heads h
    LEFT JOIN consumer_checkpoints c ON c.workspace_id = h.workspace_id AND c.consumer = 'webhooks'
    WHERE h.seq > coalesce(c.seq, 0)
"""
_TYPES: Final = [event.event_name for event in WEBHOOK.events]

logger = logging.getLogger("daybook.webhooks")


@dataclass
class Endpoints:
    """A workspace's endpoints as they stood behind the event ``seq``."""

    seq: int = 0
    webhooks: dict[UUID, Webhook] = field(default_factory=dict)
    _wanting: dict[str, tuple[UUID, ...]] = field(default_factory=dict)

    def copy(self) -> Endpoints:
        return Endpoints(self.seq, dict(self.webhooks))

    def apply(self, stream_id: UUID, event: Any) -> None:
        webhook = WEBHOOK.evolve(self.webhooks.pop(stream_id, None), event)
        if webhook is not None:
            self.webhooks[stream_id] = webhook
        self._wanting = {}

    def wanting(self, event_type: str) -> tuple[UUID, ...]:
        """The active endpoints that asked for events of this type."""
        found = self._wanting.get(event_type)
        if found is None:
            found = self._wanting[event_type] = tuple(
                webhook_id
                for webhook_id, webhook in self.webhooks.items()
                if webhook.active and any(matches(pattern, event_type) for pattern in webhook.events)
            )
        return found


@dataclass
class Expansion:
    """What one step came to: where the checkpoint is, for which endpoints something is due, and whether there is more."""

    seq: int
    endpoints: set[UUID]
    more: bool = False


class Expander:
    """For one event loop; several tasks may use it at a time. Ends between two transactions when ``stop`` is set."""

    def __init__(self, pool: AsyncPool, stop: asyncio.Event | None = None) -> None:
        self._pool = pool
        self._stop = stop or asyncio.Event()
        self._mapper = EventMapper()
        self._known: dict[UUID, Endpoints] = {}
        self._put_off: dict[UUID, float] = {}

    def reached(self, workspace_id: UUID) -> int:
        """How far a workspace was expanded, as far as this process knows."""
        known = self._known.get(workspace_id)
        return 0 if known is None else known.seq

    async def behind(self) -> list[UUID]:
        """The workspaces that have events to expand."""
        async with self._pool.connection() as conn:
            return [row[0] for row in await (await conn.execute(_BEHIND)).fetchall()]

    async def expand(self, workspace_id: UUID) -> set[UUID]:
        """Expands all that is in a workspace's log; answers the endpoints that something is due for."""
        due: set[UUID] = set()
        if time.monotonic() < self._put_off.get(workspace_id, 0.0):
            return due
        more = True
        while more and not self._stop.is_set():
            try:
                step = await self._step(workspace_id)
            except (LogGapError, UnreadableEventError) as error:
                logger.error("webhooks are held up: %s", error)  # noqa: TRY400 - its traceback says no more
                self._put_off[workspace_id] = time.monotonic() + PUT_OFF_SECONDS
                return due
            due |= step.endpoints
            more = step.more
        return due

    async def _step(self, workspace_id: UUID) -> Expansion:
        limit = self._limit(workspace_id)
        async with self._pool.connection() as conn, conn.transaction():
            checkpoint, rows = await self._next(conn, workspace_id, limit)
            if checkpoint is None:
                await conn.execute(_BEGIN, (workspace_id,))
                return Expansion(0, set(), more=True)
            endpoints = await self._as_of(conn, workspace_id, checkpoint)
            made = self._deliveries(workspace_id, endpoints, rows)
            if rows:
                async with conn.pipeline():
                    if made:
                        columns = [list(column) for column in zip(*made, strict=True)]
                        await conn.execute(_INSERT, (workspace_id, *columns))
                    await conn.execute(_ADVANCE, (endpoints.seq, workspace_id))
        self._remember(workspace_id, endpoints)
        EXPANDED.inc(len(made))
        return Expansion(endpoints.seq, {delivery[1] for delivery in made}, more=len(rows) == limit)

    def _limit(self, workspace_id: UUID) -> int:
        known = self._known.get(workspace_id)
        return max(1, min(BATCH, DELIVERIES // max(1, len(known.webhooks) if known else 1)))

    async def _next(self, conn: AsyncDb, workspace_id: UUID, limit: int) -> tuple[int | None, list[Any]]:
        """The checkpoint, locked to the end of the transaction, and the events behind it."""
        async with conn.pipeline():
            await conn.execute(_FAST)
            await conn.execute(SET_WORKSPACE, (str(workspace_id),))
            locked = await conn.execute(_LOCK, (workspace_id,))
            found = await conn.execute(_NEXT, (workspace_id, workspace_id, limit))
            row = await locked.fetchone()
            return (None if row is None else row[0]), await found.fetchall()

    async def _as_of(self, conn: AsyncDb, workspace_id: UUID, seq: int) -> Endpoints:
        known = self._known.get(workspace_id)
        endpoints = known.copy() if known is not None and known.seq <= seq else Endpoints()
        if endpoints.seq < seq:
            rows = await conn.execute(_WEBHOOK_EVENTS, (workspace_id, endpoints.seq, seq, _TYPES))
            for _, _, event_type, stream_id, data in await rows.fetchall():
                endpoints.apply(stream_id, self._mapper.decode(stream_id, event_type, data))
            endpoints.seq = seq
        return endpoints

    def _deliveries(
        self, workspace_id: UUID, endpoints: Endpoints, rows: Iterable[Sequence[Any]]
    ) -> list[tuple[UUID, UUID, int, UUID, str]]:
        """Takes the endpoints through these events, and answers who is to get which."""
        made = []
        for seq, event_id, event_type, stream_id, data in rows:
            if seq != endpoints.seq + 1:
                raise LogGapError(workspace_id, endpoints.seq + 1)
            if data is not None:
                endpoints.apply(stream_id, self._mapper.decode(stream_id, event_type, data))
            endpoints.seq = seq
            made += [(new_id(), webhook_id, seq, event_id, event_type) for webhook_id in endpoints.wanting(event_type)]
        return made

    def _remember(self, workspace_id: UUID, endpoints: Endpoints) -> None:
        if len(self._known) >= REMEMBERED and workspace_id not in self._known:
            self._known.clear()
        self._known[workspace_id] = endpoints
