"""Threads for requests: who is given one, and when it is given back."""

from __future__ import annotations

import asyncio
import threading
from typing import Any
from uuid import UUID

import pytest

from api.http.turns import Turns, Visit
from domain.kernel import Refused

MINE, THEIRS = UUID(int=1), UUID(int=2)


async def nothing_more() -> Any:
    await asyncio.Future()


def visit(turns: Turns, workspace_id: UUID) -> Visit:
    found = Visit(turns, nothing_more)
    found.lane = workspace_id
    return found


class Broke(Exception):  # noqa: N818 - says what is the case
    pass


def breaking() -> None:
    raise Broke


def test_what_is_answered_and_raised_in_a_thread_is_answered_and_raised_here() -> None:
    asyncio.run(answered_and_raised())


async def answered_and_raised() -> None:
    turns = Turns(2)
    assert await turns.run(visit(turns, MINE), threading.current_thread) is not threading.current_thread()
    with pytest.raises(Broke):
        await turns.run(visit(turns, MINE), breaking)
    turns.close()


def test_a_thread_is_not_given_to_another_while_abandoned_work_goes_on_in_it() -> None:
    """With two threads each of two workspaces has one; its client gone, the first still has it."""
    asyncio.run(abandoned())


async def abandoned() -> None:
    turns = Turns(2, seconds=0.2)
    begun, end = threading.Event(), threading.Event()

    def long() -> None:
        begun.set()
        end.wait(10)

    first = asyncio.create_task(turns.run(visit(turns, MINE), long))
    assert await asyncio.to_thread(begun.wait, 10)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    with pytest.raises(Refused, match="too much to do"):
        await turns.run(visit(turns, MINE), lambda: None)
    assert await turns.run(visit(turns, THEIRS), lambda: "theirs") == "theirs"
    end.set()
    assert await turns.run(visit(turns, MINE), lambda: "mine") == "mine"
    turns.close()
