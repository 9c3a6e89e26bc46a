"""Ghosts: events that the stream has and the log has lost. Each is told of, and who may have received it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Final, LiteralString
from uuid import UUID

from prometheus_client import Counter

from domain.webhook import matches
from eventstore.database import entering
from projections.webhook import WEBHOOKS
from workers.relay.stored import Stored
from workers.running.context import AsyncPool, pipeline

GHOSTS: Final = Counter("daybook_relay_ghosts", "Events in the stream that the log does not have.")

_ENDPOINTS: Final[LiteralString] = (
    f"SELECT id, events FROM {WEBHOOKS.table} WHERE workspace_id = %s AND active ORDER BY id"  # noqa: S608 - our own name
)

logger = logging.getLogger("daybook.relay")

Endpoints = Sequence[tuple[UUID, Sequence[str]]]
"""Of a workspace: each active webhook endpoint, and the types of events that it asks for."""


async def tell(pool: AsyncPool, ghosts: Sequence[Stored]) -> None:
    """Logs and counts each. The deliveries of what is lost are lost too: who may have it is who asks for its type now."""
    endpoints = await _endpoints(pool, {ghost.workspace_id for ghost in ghosts})
    for ghost in ghosts:
        logger.error(
            "the stream has an event that the log does not have: %s %s, seq %d of workspace %s, message %d; %s",
            ghost.type, ghost.event_id, ghost.seq, ghost.workspace_id, ghost.stream_seq,
            _receivers(ghost, endpoints[ghost.workspace_id]),
        )  # fmt: skip
    GHOSTS.inc(len(ghosts))


async def _endpoints(pool: AsyncPool, workspaces: Iterable[UUID]) -> dict[UUID, Endpoints]:
    async with pool.connection() as conn, pipeline(conn):
        cursors = {}
        for workspace_id in workspaces:
            await conn.say(entering(workspace_id))
            cursors[workspace_id] = await conn.execute(_ENDPOINTS, (workspace_id,))
        return {workspace_id: await cursor.fetchall() for workspace_id, cursor in cursors.items()}


def _receivers(ghost: Stored, endpoints: Endpoints) -> str:
    wanting = [str(endpoint) for endpoint, types in endpoints if any(matches(pattern, ghost.type) for pattern in types)]
    return f"webhooks that may have sent it: {', '.join(wanting)}" if wanting else "no webhook asks for it"
