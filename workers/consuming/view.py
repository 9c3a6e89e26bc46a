"""Keeps views: consumers of the log whose effects are the views' rows, fed together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from eventstore.consuming import Batch
from projections.view.keeper import Keeper
from projections.view.view import View
from workers.consuming.consumer import Committed, Consumer
from workers.consuming.feed import RECONCILE_SECONDS, feed
from workers.running.context import AsyncDb, WorkerContext

NAME: Final = "views"
"""What NATS knows the views by."""
LINGER_SECONDS: Final = 0.1
"""So long is gathered what comes behind something else: many commits in quick succession are one transaction here."""


async def keep(context: WorkerContext, views: Sequence[View], *, reconcile: float = RECONCILE_SECONDS) -> None:
    """Keeps views until asked to stop. Any number of processes may."""
    await feed(context, [*map(consumer_of, views)], name=NAME, reconcile=reconcile)


def consumer_of(view: View) -> Consumer:
    """The view's consumer. It waits while the database has the view in another version, or one is put in its place."""
    keeper = Keeper(view)

    async def apply(conn: AsyncDb, batch: Batch) -> Committed:
        past = keeper.unknown(batch)
        kept = keeper.kept(batch, await (await conn.execute(*past)).fetchall() if past is not None else ())
        for statement in kept.statements:
            await conn.execute(*statement)

        async def committed() -> None:
            keeper.remember(kept)

        return committed

    return Consumer(
        name=view.name,
        apply=apply,
        reads=frozenset(view.folds),
        begin=("SELECT hold_view(%s, %s)", (view.name, view.version)),
        forget=keeper.forget,
        linger=LINGER_SECONDS,
    )
