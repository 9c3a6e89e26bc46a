"""Nudges: a hint, after a commit, that a workspace's log has grown. It may be lost; readers of the log poll as well.

A nudge is a core-NATS message without a body to ``daybook_nudge.<workspace>``.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

ALL_SUBJECTS: Final = "daybook_nudge.*"
"""What to subscribe to. Not under ``daybook.``: nudges are not to be stored."""

PAUSE_SECONDS: Final = 0.005
"""Between two rounds of nudges: many commits in quick succession are one."""

_PREFIX: Final = "daybook_nudge."


def nudge_subject(workspace_id: UUID) -> str:
    return f"{_PREFIX}{workspace_id}"


def nudged_workspace(subject: str) -> UUID | None:
    """The workspace that a nudge is for; ``None`` for what is not a nudge."""
    try:
        return UUID(subject.removeprefix(_PREFIX)) if subject.startswith(_PREFIX) else None
    except ValueError:
        return None


class Nudger:
    """Sends nudges on the event loop that it was made on; ``publish`` sends one message.

    The first nudge goes out at once; those for the same workspace within a few milliseconds behind it are one.
    """

    def __init__(self, publish: Callable[[str, bytes], Awaitable[None]]) -> None:
        self._publish = publish
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._due: set[UUID] = set()
        self._sending = False
        self._closed = False
        self._task: asyncio.Task[None] | None = None
        self.dropped = 0
        """How many could not be sent."""

    def nudge(self, workspace_id: UUID) -> None:
        """From any thread; neither waits nor raises."""
        with self._lock:
            if self._closed:
                self.dropped += 1
                return
            self._due.add(workspace_id)
            if self._sending:
                return
            self._sending = True
        try:
            self._loop.call_soon_threadsafe(self._start)
        except RuntimeError:  # the loop is closed: the process is about to end
            self._give_up()

    async def close(self) -> None:
        """Sends what is due; what comes later is dropped."""
        with self._lock:
            self._closed = True
        await asyncio.sleep(0)  # lets a start that was asked for happen
        if self._task is not None:
            await self._task

    def _start(self) -> None:
        self._task = self._loop.create_task(self._send())

    async def _send(self) -> None:
        while due := self._taken():
            for workspace_id in due:
                try:
                    await self._publish(nudge_subject(workspace_id), b"")
                except Exception:  # noqa: BLE001 - a nudge that cannot be sent, for whatever reason, is not missed
                    self.dropped += 1
            await asyncio.sleep(PAUSE_SECONDS)

    def _taken(self) -> set[UUID]:
        with self._lock:
            due, self._due = self._due, set()
            self._sending = bool(due)
            return due

    def _give_up(self) -> None:
        with self._lock:
            self.dropped += len(self._due)
            self._due = set()
            self._closed = True
