from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from tests.workers.hooks import Hooks
from tests.workers.running import Installation, eventually, running
from workers.running.context import async_pool
from workers.webhook import retention as webhook_retention
from workers.webhook.retention import KEEP_SECONDS, forget_old

DAY = 86_400_000
"""In milliseconds, as identifiers count time."""


def deliver(hooks: Hooks, webhook_id: UUID, days_ago: float, status: str) -> UUID:
    """A delivery with an attempt, that was made so long ago."""
    owner = hooks.installation.owner
    row = owner.execute(
        "SELECT gen_random_uuid(), extract(epoch FROM now()) * 1000, coalesce(max(seq), 0) + 1"
        " FROM webhook_deliveries WHERE webhook_id = %s",
        (webhook_id,),
    ).fetchone()
    assert row is not None
    milliseconds = int(row[1]) - int(days_ago * DAY)
    delivery_id = UUID(int=milliseconds << 80 | row[0].int & (1 << 80) - 1)
    owner.execute(
        "INSERT INTO webhook_deliveries (workspace_id, id, webhook_id, seq, event_id, event_type, status, created_at)"
        " VALUES (%s, %s, %s, %s, %s, 'contact.created', %s, to_timestamp(%s))",
        (hooks.workspace_id, delivery_id, webhook_id, row[2], delivery_id, status, milliseconds / 1000),
    )
    owner.execute(
        "INSERT INTO webhook_attempts VALUES (%s, %s, 1, now(), 5, 200, NULL, NULL)", (hooks.workspace_id, delivery_id)
    )
    return delivery_id


def kept(hooks: Hooks) -> tuple[set[UUID], set[UUID]]:
    owner = hooks.installation.owner
    deliveries = owner.execute("SELECT id FROM webhook_deliveries WHERE workspace_id = %s", (hooks.workspace_id,))
    attempts = owner.execute("SELECT delivery_id FROM webhook_attempts WHERE workspace_id = %s", (hooks.workspace_id,))
    return {row[0] for row in deliveries}, {row[0] for row in attempts}


def test_completed_deliveries_are_kept_for_30_days_and_pending_ones_until_they_are_completed(
    installation: Installation,
) -> None:
    hooks = Hooks(installation)
    webhook_id = hooks.create("http://127.0.0.1:9/hook")
    old = [deliver(hooks, webhook_id, 30.1, status) for status in ("succeeded", "failed", "cancelled")]
    young = {deliver(hooks, webhook_id, 29.9, "succeeded"), deliver(hooks, webhook_id, 31, "pending")}
    with running(hooks.config, webhook_retention.run):
        eventually(lambda: kept(hooks) == (young, young))
    assert not young & set(old)


def test_it_goes_through_all_workspaces_and_any_number(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_retention, "BATCH", 3)
    some = [Hooks(installation) for _ in range(3)]
    for hooks in some:
        webhook_id = hooks.create("http://127.0.0.1:9/hook")
        for _ in range(4):
            deliver(hooks, webhook_id, 40, "succeeded")

    async def main() -> int:
        async with async_pool(installation.config.database_url) as pool:
            return await forget_old(pool, KEEP_SECONDS)

    assert asyncio.run(main()) == 12
    assert all(kept(hooks) == (set(), set()) for hooks in some)
