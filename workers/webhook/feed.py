"""Runs the expander, and tells deliverers what is due."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

from nats.errors import Error as NatsError

from workers.consuming.feed import RECONCILE_SECONDS, feed
from workers.running.context import WorkerContext
from workers.webhook import wake as webhook_wake
from workers.webhook.expander import Expander


async def run(context: WorkerContext, *, reconcile: float = RECONCILE_SECONDS) -> None:
    """Makes deliveries of events until asked to stop. Any number of processes may."""

    async def hint(workspace_id: UUID, endpoints: set[UUID]) -> None:
        with suppress(NatsError, OSError):  # deliverers look every so often anyway
            await context.broker.publish(webhook_wake.SUBJECT, webhook_wake.named(workspace_id, endpoints))

    await feed(context, [Expander(hint).consumer], reconcile=reconcile)
