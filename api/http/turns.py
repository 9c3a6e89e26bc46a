"""Turns: what a request does in a thread begins when one is free for its workspace, in turn, soon enough, or never.

A thread has a connection to Postgres with it, so that sharing out threads shares out connections too.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, ContextVar, copy_context
from functools import partial
from typing import Any, Final, ParamSpec, TypeVar
from uuid import UUID

from litestar.concurrency import sync_to_thread
from litestar.types import Receive
from litestar.utils.sync import AsyncCallable

from domain.kernel import Refused

P = ParamSpec("P")
T = TypeVar("T")

PLACES: Final = 1000
"""Requests that may wait for a thread, all workspaces together."""
WAIT_SECONDS: Final = 10.0
"""No client is taken to wait for longer: what has waited so long is answered, and does not begin."""

_Lane = UUID | None
"""A workspace, or nobody's yet."""


class Busy(Refused):
    """Nothing has been done: there is no thread to be had, or the process is about to end."""

    def __init__(self) -> None:
        super().__init__("unavailable", "There is too much to do; try again in a moment.")
        self.headers = {"retry-after": "1"}


class Visit:
    """A request that is being answered: ``lane`` is the workspace that it is for, as soon as that is known."""

    __slots__ = ("_kept", "_receive", "lane", "turns")

    def __init__(self, turns: Turns, receive: Receive) -> None:
        self.turns = turns
        self.lane: _Lane = None
        self._receive = receive
        self._kept: deque[Any] = deque()

    async def receive(self) -> Any:
        """What the client sends, for the application."""
        return self._kept.popleft() if self._kept else await self._receive()

    async def gone(self) -> None:
        """Returns when the client has gone away. What it sends meanwhile is kept: one piece of a body that has more."""
        message: Any = {}
        while message.get("type") != "http.disconnect":
            if message.get("more_body"):
                await asyncio.Future()
            message = await self._receive()
            self._kept.append(message)


VISIT: Final[ContextVar[Visit]] = ContextVar("VISIT")


class Turns:
    """Threads for the requests of one event loop.

    A workspace gets one more as long as more are free than it has: alone it gets half of them, and beside others that
    are stuck always some. Places to wait are shared out in the same way.
    """

    def __init__(self, threads: int, *, places: int = PLACES, seconds: float = WAIT_SECONDS) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="request")
        self._seconds = seconds
        self._free = threads
        self._places = places
        self._running: Counter[_Lane] = Counter()
        self._waiting: OrderedDict[_Lane, deque[asyncio.Future[bool]]] = OrderedDict()
        self.ended = False

    async def run(self, visit: Visit, work: Callable[[], T]) -> T:
        """What ``work`` answers in a thread; refuses (``busy``) when it does not begin."""
        lane = visit.lane
        if self.ended:
            raise self.busy()
        if lane in self._waiting or not self._has_thread(lane):
            await self._wait(visit)
        else:
            self._take(lane)
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._executor.submit(self._carry_out, copy_context(), work, lane, answer)
        return await answer

    def end(self) -> None:
        """Nothing begins any more; what waits is refused."""
        self.ended = True
        for places in self._waiting.values():
            for place in places:
                place.set_result(False)
        self._waiting.clear()

    def busy(self) -> Refused:
        """Why nothing has begun."""
        return Busy()

    def close(self) -> None:
        """Lets threads end when they are done."""
        self._executor.shutdown(wait=False)

    def _carry_out(self, context: Context, work: Callable[[], T], lane: _Lane, answer: asyncio.Future[T]) -> None:
        """In a thread, which is given back when the work has ended, even where nobody waits for it any more."""
        loop = answer.get_loop()
        try:
            found = context.run(work)
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            loop.call_soon_threadsafe(self._ended, lane, answer, answer.set_exception, error)
        else:
            loop.call_soon_threadsafe(self._ended, lane, answer, answer.set_result, found)

    def _ended(self, lane: _Lane, answer: asyncio.Future[T], said: Callable[[Any], None], what: Any) -> None:
        self._give_back(lane)
        if not answer.done():
            said(what)

    def _has_thread(self, lane: _Lane) -> bool:
        return self._running[lane] < self._free

    def _take(self, lane: _Lane) -> None:
        self._running[lane] += 1
        self._free -= 1

    def _give_back(self, lane: _Lane) -> None:
        self._free += 1
        self._running[lane] -= 1
        if not self._running[lane]:
            del self._running[lane]
        self._call_next()

    def _call_next(self) -> None:
        """Gives out free threads, to one workspace after the other."""
        for lane in list(self._waiting):
            if self._has_thread(lane):
                places = self._waiting[lane]
                self._take(lane)
                places.popleft().set_result(True)
                self._tidy(lane)
                if lane in self._waiting:
                    self._waiting.move_to_end(lane)

    async def _wait(self, visit: Visit) -> None:
        """Until the request has a thread; refuses when there is no place to wait for it, or none comes."""
        lane = visit.lane
        places = self._waiting.get(lane, ())
        if len(places) >= self._places:
            raise self.busy()
        place: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(lane, deque()).append(place)
        self._places -= 1
        begins = False
        try:
            begins = await self._called(place, visit)
        finally:
            self._places += 1
            if not begins:
                self._leave(lane, place)
        if not begins:
            raise self.busy()

    async def _called(self, place: asyncio.Future[bool], visit: Visit) -> bool:
        """Whether there is a thread in time, and somebody still waits for what it would do."""
        gone: asyncio.Future[Any] = asyncio.ensure_future(visit.gone())
        try:
            await asyncio.wait((place, gone), timeout=self._seconds, return_when=asyncio.FIRST_COMPLETED)
            return place.done() and place.result() and not gone.done()
        finally:
            gone.cancel()

    def _leave(self, lane: _Lane, place: asyncio.Future[bool]) -> None:
        """Gives up a place, or the thread that it has been given."""
        if place in self._waiting.get(lane, ()):
            self._waiting[lane].remove(place)
            self._tidy(lane)
        elif place.done() and place.result():
            self._give_back(lane)

    def _tidy(self, lane: _Lane) -> None:
        if not self._waiting[lane]:
            del self._waiting[lane]


async def in_turn(work: Callable[P, T], *args: P.args, **given: P.kwargs) -> T:
    """Has ``work`` done in a thread, when it is the turn of the request in hand."""
    visit = VISIT.get(None)
    if visit is None:  # outside of our application, in another's
        return await sync_to_thread(work, *args, **given)
    return await visit.turns.run(visit, partial(work, *args, **given))


class InTurn(AsyncCallable):
    """A function that is awaited, and runs in a thread when it is its request's turn."""

    async def __call__(self, *args: Any, **given: Any) -> Any:
        return await in_turn(self.func, *args, **given)
