"""The expander: for each event of the log, one delivery per endpoint that wants it. A consumer of the log.

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

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, LiteralString
from uuid import UUID

from prometheus_client import Counter

from domain.webhook import WEBHOOK, Webhook, matches
from eventstore.consuming import Batch
from eventstore.ids import new_id
from eventstore.mapper import EventMapper, also_called, names_of
from workers.consuming.consumer import Committed, Consumer
from workers.running.context import AsyncDb

CONSUMER: Final = "webhooks"
BATCH: Final = 1000
"""Events in one transaction."""
DELIVERIES: Final = 10_000
"""Deliveries that one transaction may come to, and a few more: with many endpoints it takes fewer events."""
REMEMBERED: Final = 10_000
"""Workspaces whose endpoints are remembered."""
BELIEVED_SECONDS: Final = 1.0
"""How long a workspace that had no endpoints is believed to have none. Another process may have come to know of one."""
LINGER_SECONDS: Final = 0.02
"""How long messages are gathered behind others: many commits in quick succession are one transaction here."""

EXPANDED: Final = Counter("daybook_webhook_deliveries_made", "Deliveries made from events.")

_WEBHOOK_EVENTS: Final[LiteralString] = """
    SELECT type, stream_id, data::text FROM events
    WHERE workspace_id = %s AND seq > %s AND seq <= %s AND type = ANY(%s) ORDER BY seq
"""
_INSERT: Final[LiteralString] = """
    INSERT INTO webhook_deliveries (workspace_id, id, webhook_id, seq, event_id, event_type)
    SELECT h.workspace_id, made.*
    FROM log_heads h, unnest(%s::uuid[], %s::uuid[], %s::bigint[], %s::uuid[], %s::text[]) AS made
    WHERE h.workspace_id = %s
    ON CONFLICT (workspace_id, webhook_id, seq) DO NOTHING
"""
_TYPES: Final = sorted(names_of(WEBHOOK))

Hint = Callable[[UUID, set[UUID]], Awaitable[None]]
"""Says to deliverers for which endpoints of a workspace something is due."""


@dataclass
class Endpoints:
    """A workspace's endpoints as they stood behind the event ``seq``."""

    seq: int = 0
    webhooks: dict[UUID, Webhook] = field(default_factory=dict)
    believed_until: float = 0.0
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
            names = also_called(event_type)
            found = self._wanting[event_type] = tuple(
                webhook_id
                for webhook_id, webhook in self.webhooks.items()
                if webhook.active and any(matches(pattern, name) for pattern in webhook.events for name in names)
            )
        return found


class Expander:
    """For one event loop; several workspaces may be expanded at a time, each by one task."""

    def __init__(self, hint: Hint) -> None:
        self._hint = hint
        self._mapper = EventMapper()
        self._known: dict[UUID, Endpoints] = {}
        self.consumer: Final = Consumer(
            name=CONSUMER,
            apply=self._apply,
            reads=frozenset({WEBHOOK.stream_type}),
            limit=self._limit,
            forget=self._known.clear,
            linger=LINGER_SECONDS,
            ignores=self._ignores,
        )

    def _ignores(self, workspace_id: UUID, event_type: str) -> bool:
        """No delivery comes of an event of a workspace without endpoints; that it has one now, an event of its own says."""
        known = self._known.get(workspace_id)
        if known is None or known.webhooks or event_type in _TYPES:
            return False
        return time.monotonic() < known.believed_until

    async def _apply(self, conn: AsyncDb, batch: Batch) -> Committed:
        endpoints = await self._as_of(conn, batch.workspace_id, batch.after)
        made = self._deliveries(endpoints, batch)
        if made:
            columns = [list(column) for column in zip(*made, strict=True)]
            await conn.execute(_INSERT, (*columns, batch.workspace_id))

        async def committed() -> None:
            self._remember(batch.workspace_id, endpoints)
            EXPANDED.inc(len(made))
            if made:
                await self._hint(batch.workspace_id, {delivery[1] for delivery in made})

        return committed

    def _limit(self, workspace_id: UUID) -> int:
        known = self._known.get(workspace_id)
        return max(1, min(BATCH, DELIVERIES // max(1, len(known.webhooks) if known else 1)))

    async def _as_of(self, conn: AsyncDb, workspace_id: UUID, seq: int) -> Endpoints:
        known = self._known.get(workspace_id)
        endpoints = known.copy() if known is not None and known.seq <= seq else Endpoints()
        if endpoints.seq < seq:
            rows = await conn.execute(_WEBHOOK_EVENTS, (workspace_id, endpoints.seq, seq, _TYPES))
            for event_type, stream_id, data in await rows.fetchall():
                endpoints.apply(stream_id, self._mapper.decode(stream_id, event_type, data))
            endpoints.seq = seq
        return endpoints

    def _deliveries(self, endpoints: Endpoints, batch: Batch) -> list[tuple[UUID, UUID, int, UUID, str]]:
        """Takes the endpoints through these events, and answers who is to get which."""
        made = []
        for seq, event_id, event_type, _, stream_id, _, data, *_ in batch.entries:
            if data is not None:
                endpoints.apply(stream_id, self._mapper.decode(stream_id, event_type, data))
            made += [(new_id(), webhook_id, seq, event_id, event_type) for webhook_id in endpoints.wanting(event_type)]
        endpoints.seq = batch.seq
        return made

    def _remember(self, workspace_id: UUID, endpoints: Endpoints) -> None:
        if len(self._known) >= REMEMBERED and workspace_id not in self._known:
            self._known.clear()
        endpoints.believed_until = time.monotonic() + BELIEVED_SECONDS
        self._known[workspace_id] = endpoints
