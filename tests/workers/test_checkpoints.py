from __future__ import annotations

import asyncio
from uuid import UUID

import psycopg
import pytest

from eventstore.database import entering
from eventstore.ids import new_id
from tests.workers.running import Installation
from workers.relay import checkpoints
from workers.relay.checkpoints import Place, TimelineChangedError
from workers.running.context import async_pool


def test_a_checkpoint_moves_neither_back_nor_beyond_the_end_of_the_log(installation: Installation) -> None:
    workspace = installation.workspace()
    installation.commit(workspace, times=5)
    ids = {seq: UUID(found) for seq, found in enumerate(installation.event_ids(workspace), start=1)}

    async def advance() -> list[int]:
        seen = []
        async with async_pool(installation.config.database_url) as pool:
            timeline = await checkpoints.timeline(pool)
            for seq in (3, 2, 6, 5):
                await checkpoints.advance(pool, {workspace: Place(seq, ids.get(seq, new_id()), 100 + seq)}, timeline)
                seen.append(installation.checkpoint(workspace))
        return seen

    assert asyncio.run(advance()) == [3, 3, 3, 5]


def test_a_checkpoint_does_not_move_to_an_event_that_another_took_the_place_of(installation: Installation) -> None:
    workspace = installation.workspace()
    installation.commit(workspace, times=5)

    async def advance() -> None:
        async with async_pool(installation.config.database_url) as pool:
            await checkpoints.advance(pool, {workspace: Place(4, new_id(), 104)}, await checkpoints.timeline(pool))

    asyncio.run(advance())
    assert installation.checkpoint(workspace) == 0


def test_what_was_published_for_another_postgres_moves_no_checkpoint(installation: Installation) -> None:
    workspace = installation.workspace()
    installation.commit(workspace, times=5)
    place = Place(5, UUID(installation.event_ids(workspace)[4]), 105)

    async def advance() -> None:
        async with async_pool(installation.config.database_url) as pool:
            before = await checkpoints.timeline(pool) - 1
            with pytest.raises(TimelineChangedError):
                await checkpoints.advance(pool, {workspace: place}, before)

    asyncio.run(advance())
    assert installation.checkpoint(workspace) == 0


def test_finding_what_is_new_does_not_read_what_is_old(installation: Installation) -> None:
    workspace = installation.workspace()
    installation.import_contacts(workspace, 3_000)

    async def publish_most() -> None:
        async with async_pool(installation.config.database_url) as pool:
            place = Place(2_990, UUID(installation.event_ids(workspace)[2_989]), 2_990)
            await checkpoints.advance(pool, {workspace: place}, await checkpoints.timeline(pool))
            assert len((await checkpoints.unpublished(pool, [workspace], 4))[workspace]) == 4

    asyncio.run(publish_most())
    with psycopg.connect(installation.config.database_url) as conn:
        conn.execute(entering(workspace))
        query = f"EXPLAIN (ANALYZE) {checkpoints._NEXT}".encode()
        plan = "\n".join(row[0] for row in conn.execute(query, (workspace, workspace, workspace, 500)))
    assert "actual" in plan
    assert "Rows Removed by Filter" not in plan
