"""A file that a thread fills as fast as it can, while a client reads it as slowly as it may."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from tempfile import TemporaryFile
from typing import Final

log = logging.getLogger("daybook.api")

BLOCK: Final = 64 * 1024
MAX_BYTES: Final = 2 * 1024 * 1024 * 1024


class AbandonedError(Exception):
    """Nobody reads any longer what is written."""


class TooLargeError(Exception):
    """There is more than a file may have."""


class Spool:
    """For one answer: written by one thread, read by the event loop. The file has no name, and goes with the process."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._file = TemporaryFile(buffering=0)  # noqa: SIM115 - closed when neither side needs it any longer
        self._size = 0
        self._grown = asyncio.Event()
        self._ended = False
        self.abandoned = False
        """Whether nobody reads it any longer."""
        self.broken = False
        """Whether it ended before all was written."""
        self.begun: asyncio.Future[int] = self._loop.create_future()
        """Where the log was that is read, as soon as there is something to send; or why there is nothing."""

    # In the thread that writes.

    def begin(self, seq: int) -> None:
        self._loop.call_soon_threadsafe(self._begin, seq)

    def write(self, piece: bytes) -> None:
        """Raises ``AbandonedError`` when nobody reads any longer, and ``TooLargeError`` when it is too much."""
        if self.abandoned:
            raise AbandonedError
        self._size += len(piece)
        if self._size > MAX_BYTES:
            raise TooLargeError
        left = memoryview(piece)
        while left:
            left = left[self._file.write(left) or 0 :]
        self._loop.call_soon_threadsafe(self._grown.set)

    # In the event loop.

    def _begin(self, seq: int) -> None:
        if not self.begun.done():
            self.begun.set_result(seq)

    def end(self, writing: asyncio.Future[None]) -> None:
        """Nothing more is written: all is there, unless the thread has failed."""
        failed = None if writing.cancelled() else writing.exception()
        self.broken = writing.cancelled() or failed is not None
        self._ended = True
        self._grown.set()
        if not self.begun.done():
            self.begun.set_exception(failed or AbandonedError())
        elif failed is not None and not isinstance(failed, AbandonedError):
            log.warning("an export has ended before all was written", exc_info=failed)
        if self.abandoned:
            self._file.close()

    def abandon(self) -> None:
        """Nobody reads any longer; what is being written stops at the next piece."""
        self.abandoned = True
        self.begun.cancel()
        self._grown.set()
        if self._ended:
            self._file.close()

    async def pieces(self) -> AsyncIterator[bytes]:
        """What is written, to its end; it stands still while nothing more is."""
        at = 0
        while not self.abandoned:
            self._grown.clear()
            ended = self._ended
            if piece := os.pread(self._file.fileno(), BLOCK, at):
                at += len(piece)
                yield piece
            elif ended:
                return
            else:
                await self._grown.wait()
