"""Growth of logs, for those who wait for it: told by commits of this process, and by nudges about all others."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID


class Growth:
    """For one event loop."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._awaited: dict[UUID, set[asyncio.Event]] = {}
        self.awaited = asyncio.Event()
        """Set while somebody waits for any workspace's log."""
        self.ended = False
        """Whether nobody is to wait any longer."""

    @contextmanager
    def of(self, workspace_id: UUID) -> Iterator[asyncio.Event]:
        """An event that is set whenever the workspace's log has grown, and when the wait should end; it may be cleared."""
        self._loop = asyncio.get_running_loop()
        grown = asyncio.Event()
        self._awaited.setdefault(workspace_id, set()).add(grown)
        self.awaited.set()
        try:
            yield grown
        finally:
            self._forget(workspace_id, grown)

    def tell(self, workspace_id: UUID) -> None:
        """From any thread; neither waits nor raises."""
        if self._loop is not None and workspace_id in self._awaited:
            self._loop.call_soon_threadsafe(self._set, workspace_id)

    def end(self) -> None:
        """Nobody waits any longer."""
        self.ended = True
        for workspace_id in self._awaited:
            self._set(workspace_id)

    def _set(self, workspace_id: UUID) -> None:
        for grown in self._awaited.get(workspace_id, ()):
            grown.set()

    def _forget(self, workspace_id: UUID, grown: asyncio.Event) -> None:
        self._awaited[workspace_id].discard(grown)
        if not self._awaited[workspace_id]:
            del self._awaited[workspace_id]
        if not self._awaited:
            self.awaited.clear()
