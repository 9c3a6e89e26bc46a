from __future__ import annotations

import asyncio

from workers.running.ending import end


def test_a_task_that_loses_a_cancellation_is_ended_all_the_same() -> None:
    async def stubborn() -> None:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            await asyncio.sleep(3600)

    async def main() -> list[asyncio.Task[None]]:
        tasks = [asyncio.create_task(stubborn()) for _ in range(2)]
        await asyncio.sleep(0)
        async with asyncio.timeout(5):
            await end(tasks)
        return tasks

    assert all(task.cancelled() for task in asyncio.run(main()))


def test_what_a_task_raises_is_left_to_its_owner() -> None:
    async def failing() -> None:
        raise ValueError("its own")

    async def main() -> BaseException | None:
        task = asyncio.create_task(failing())
        await asyncio.sleep(0)
        await end([task])
        return task.exception()

    assert isinstance(asyncio.run(main()), ValueError)
