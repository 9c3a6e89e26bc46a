from __future__ import annotations

import asyncio

from daybook.embedded import EmbeddedPostgres
from workers.running.context import AsyncPool, async_pool, transaction


async def _server(pool: AsyncPool) -> int:
    async with transaction(pool) as conn:
        found = await (await conn.execute("SELECT pg_backend_pid()")).fetchone()
    assert found is not None
    return int(found[0])


async def _wait_long(pool: AsyncPool, met: asyncio.Future[int]) -> None:
    async with transaction(pool) as conn:
        met.set_result(conn.info.backend_pid)
        await (await conn.execute("SELECT pg_sleep(%s)", (60,))).fetchone()


def test_what_is_asked_often_is_prepared(postgres: EmbeddedPostgres) -> None:
    async def main() -> list[str]:
        async with async_pool(postgres.url(user="daybook_worker"), size=2) as pool, pool.connection() as conn:
            for _ in range(5):
                await conn.execute("SELECT %s::integer", (7,))
            found = await conn.execute("SELECT statement FROM pg_prepared_statements")
            return [row[0] for row in await found.fetchall()]

    assert "SELECT $1::integer" in asyncio.run(main())


def test_a_connection_whose_work_was_cancelled_in_the_midst_is_nobodys_again(postgres: EmbeddedPostgres) -> None:
    async def main() -> tuple[int, list[int]]:
        async with async_pool(postgres.url(user="daybook_worker"), size=2) as pool:
            met = asyncio.get_running_loop().create_future()
            task = asyncio.create_task(_wait_long(pool, met))
            cancelled = await met
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return cancelled, await asyncio.gather(*(_server(pool) for _ in range(4)))

    cancelled, later = asyncio.run(main())
    assert cancelled not in later
