from __future__ import annotations

import asyncio

import psycopg

from eventstore.database import SET_WORKSPACE
from tests.workers.running import Installation
from workers.relay import checkpoints
from workers.relay.checkpoints import Place
from workers.running.context import async_pool


def test_a_checkpoint_moves_neither_back_nor_beyond_the_end_of_the_log(installation: Installation) -> None:
    workspace = installation.workspace()
    installation.commit(workspace, times=5)

    async def advance() -> list[int]:
        seen = []
        async with async_pool(installation.config.database_url) as pool:
            for seq in (3, 2, 6, 5):
                await checkpoints.advance(pool, {workspace: Place(seq, 100 + seq)})
                seen.append(installation.checkpoint(workspace))
        return seen

    assert asyncio.run(advance()) == [3, 3, 3, 5]


def test_finding_what_is_new_does_not_read_what_is_old(installation: Installation) -> None:
    workspace = installation.workspace()
    installation.import_contacts(workspace, 3_000)

    async def publish_most() -> None:
        async with async_pool(installation.config.database_url) as pool:
            await checkpoints.advance(pool, {workspace: Place(2_990, 2_990)})
            assert len((await checkpoints.unpublished(pool, [workspace], 4))[workspace]) == 4

    asyncio.run(publish_most())
    with psycopg.connect(installation.config.database_url) as conn:
        conn.execute(SET_WORKSPACE, (str(workspace),))
        query = f"EXPLAIN (ANALYZE) {checkpoints._NEXT}".encode()
        plan = "\n".join(row[0] for row in conn.execute(query, (workspace, workspace, workspace, 500)))
    assert "actual" in plan
    assert "Rows Removed by Filter" not in plan
