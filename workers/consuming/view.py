"""Keeps a view: a consumer of the log whose effects are the view's rows."""

from __future__ import annotations

from eventstore.consuming import Batch
from projections.view.keeper import Keeper
from projections.view.view import View
from workers.consuming.consumer import Committed, Consumer
from workers.consuming.feed import RECONCILE_SECONDS, feed
from workers.running.context import AsyncDb, WorkerContext


async def keep(context: WorkerContext, view: View, *, reconcile: float = RECONCILE_SECONDS) -> None:
    """Keeps a view until asked to stop. Any number of processes may."""
    await feed(context, consumer_of(view), reconcile=reconcile)


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
        linger=view.linger,
    )
