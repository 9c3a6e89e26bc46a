from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from eventstore.ids import new_id
from eventstore.nudge import Nudger, nudge_subject, nudged_workspace

Act = Callable[[Nudger], Awaitable[None]]


def sent_while(act: Act) -> list[str]:
    """The subjects of what is published meanwhile."""
    sent: list[str] = []

    async def publish(subject: str, payload: bytes) -> None:
        assert payload == b""
        sent.append(subject)

    async def main() -> None:
        nudger = Nudger(publish)
        await act(nudger)
        await nudger.close()

    asyncio.run(main())
    return sent


def test_a_nudge_names_its_workspace() -> None:
    workspace = new_id()
    assert nudge_subject(workspace) == f"daybook_nudge.{workspace}"
    assert nudged_workspace(f"daybook_nudge.{workspace}") == workspace


def test_what_is_not_a_nudge_names_none() -> None:
    assert nudged_workspace("daybook_nudge.everybody") is None
    assert nudged_workspace(f"daybook.{new_id()}") is None
    assert nudged_workspace(str(new_id())) is None


def test_many_nudges_at_once_are_one_for_each_workspace() -> None:
    workspaces = [new_id(), new_id()]

    async def nudge_often(nudger: Nudger) -> None:
        for workspace in workspaces * 50:
            nudger.nudge(workspace)

    assert sorted(sent_while(nudge_often)) == sorted(map(nudge_subject, workspaces))


def test_a_nudge_behind_one_that_was_sent_is_sent_too() -> None:
    workspace = new_id()

    async def nudge_twice(nudger: Nudger) -> None:
        nudger.nudge(workspace)
        await asyncio.sleep(0.0005)
        nudger.nudge(workspace)
        await asyncio.sleep(0.02)
        nudger.nudge(workspace)

    assert sent_while(nudge_twice) == [nudge_subject(workspace)] * 3


def test_of_nudges_from_many_threads_none_is_lost() -> None:
    workspaces = [new_id() for _ in range(2_000)]

    async def nudge_from_threads(nudger: Nudger) -> None:
        with ThreadPoolExecutor(8) as executor:
            for workspace in workspaces:
                executor.submit(nudger.nudge, workspace)
            await asyncio.to_thread(executor.shutdown)

    assert sorted(sent_while(nudge_from_threads)) == sorted(map(nudge_subject, workspaces))


def test_a_nudge_that_cannot_be_sent_is_dropped_and_counted() -> None:
    async def refuse(subject: str, payload: bytes) -> None:
        raise ConnectionError("NATS is not connected")

    async def main() -> None:
        nudger = Nudger(refuse)
        nudger.nudge(UUID(int=1))
        nudger.nudge(UUID(int=2))
        await nudger.close()
        assert nudger.dropped == 2

    asyncio.run(main())


def test_after_the_end_a_nudge_is_dropped_and_does_no_harm() -> None:
    kept: list[Nudger] = []

    async def keep(nudger: Nudger) -> None:
        kept.append(nudger)

    assert sent_while(keep) == []
    kept[0].nudge(new_id())
    assert kept[0].dropped == 1


def test_when_its_loop_was_closed_unawares_a_nudge_is_dropped_and_does_no_harm() -> None:
    async def publish(subject: str, payload: bytes) -> None:
        raise AssertionError(subject)

    async def make() -> Nudger:
        return Nudger(publish)

    nudger = asyncio.run(make())
    nudger.nudge(new_id())
    nudger.nudge(new_id())
    assert nudger.dropped == 2
