"""Pipelines that gather: what is asked in one goes out when somebody waits for an answer, all of it at once.

psycopg sends each statement of a pipeline by itself and looks each time whether an answer has come: several system calls for
every statement here, and Postgres wakes up for each. What is asked, answered and raised is the same, but an error is raised
where somebody waits, and never before.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from psycopg import AsyncPipeline, Pipeline
from psycopg._pipeline_base import BasePipeline
from psycopg.abc import PQGen
from psycopg.generators import send

from eventstore.patience import AsyncPatientConnection, PatientConnection


class GatheringConnection(PatientConnection):
    """Its pipelines gather."""

    @contextmanager
    def pipeline(self) -> Iterator[Pipeline]:
        with self.lock:
            self._check_connection_ok()
            self._pipeline = self._pipeline or _Pipeline(self)
        with super().pipeline() as pipeline:
            yield pipeline

    @property
    def pipeline_in_hand(self) -> Pipeline:
        assert self._pipeline is not None
        return self._pipeline

    def say(self, command: bytes) -> None:
        """Carries out a command that has neither parameters nor an answer, such as ``BEGIN``."""
        with self.lock:
            self.wait(self._exec_command(command))


class AsyncGatheringConnection(AsyncPatientConnection):
    """The same for event loops."""

    @asynccontextmanager
    async def pipeline(self) -> AsyncIterator[AsyncPipeline]:
        async with self.lock:
            self._check_connection_ok()
            self._pipeline = self._pipeline or _AsyncPipeline(self)
        async with super().pipeline() as pipeline:
            yield pipeline

    async def say(self, command: bytes) -> None:
        """As of a ``GatheringConnection``."""
        async with self.lock:
            await self.wait(self._exec_command(command))


class _Gathering(BasePipeline):
    _open = False
    """Whether something was asked since Postgres was last told to finish, which it must be at the end."""

    def _communicate_gen(self) -> PQGen[None]:
        """Puts what is asked where it waits to be sent."""
        while self.command_queue:
            self._open = True
            self.command_queue.popleft()()
        yield from ()

    def _fetch_gen(self, *, flush: bool) -> PQGen[None]:
        yield from self._communicate_gen()
        if not flush:  # which sends as well
            yield from send(self.pgconn)
        yield from super()._fetch_gen(flush=flush)

    def _sync_gen(self) -> PQGen[None]:
        yield from super()._sync_gen()
        self._open = False

    def _exit_gen(self) -> PQGen[None]:
        if self._open or self.command_queue:
            yield from self._sync_gen()


class _Pipeline(_Gathering, Pipeline): ...


class _AsyncPipeline(_Gathering, AsyncPipeline): ...
