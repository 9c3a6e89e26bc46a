"""Who is let in: callers by their token, remembered for a moment, and the requests they have left."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final
from uuid import UUID

from api.http.limits import RateLimiter
from api.http.turns import in_turn
from application.calling.caller import Caller
from application.calling.services import Services
from application.identity import ACCESS_EVENTS, authenticate, hashed

REMEMBERED_SECONDS: Final = 1.0
"""How long a caller is known without asking the database again. A revoked key or ended session is forgotten at once in
the process that revoked it and, told over NATS, within milliseconds in the others; without NATS, after this long."""

_MOST: Final = 20_000

_Key = tuple[bytes, UUID | None]


class Admission:
    """For one event loop. ``announce`` tells the other API processes that a workspace's callers have changed."""

    def __init__(self, services: Services, limiter: RateLimiter) -> None:
        self._services = services
        self._limiter = limiter
        self._known: dict[_Key, tuple[float, Caller]] = {}
        self._changed: dict[UUID, float] = {}
        self.announce: Callable[[UUID], None] = lambda _: None

    async def admit(self, token: str, wanted: UUID | None) -> tuple[Caller, dict[str, str]]:
        """The caller and the ``RateLimit`` headers; refuses as ``authenticate`` and ``RateLimiter.take`` do."""
        key = (hashed(token), wanted)
        found = self._known.get(key)
        if found is None or found[0] < time.monotonic():
            caller = await in_turn(self._ask, token, key)
        else:
            caller = found[1]
        limits = self._limiter.take(caller.workspace_id, caller.plan, lease=False)
        if limits is None:
            limits = await in_turn(self._limiter.take, caller.workspace_id, caller.plan)
        return caller, limits or {}

    def forget(self, workspace_id: UUID) -> None:
        """From any thread: who acts in this workspace, or with a key made in it, is asked for anew."""
        self._changed[workspace_id] = time.monotonic()
        gone = [key for key, (_, caller) in list(self._known.items()) if workspace_id in caller.workspaces]
        for key in gone:
            self._known.pop(key, None)

    def _ask(self, token: str, key: _Key) -> Caller:
        asked_at = time.monotonic()
        caller = authenticate(self._services, token, key[1])
        if len(self._known) >= _MOST:
            self._known.clear()
        # An answer from before the change must not be remembered behind it.
        if all(self._changed.get(workspace_id, 0.0) < asked_at for workspace_id in caller.workspaces):
            self._known[key] = (asked_at + REMEMBERED_SECONDS, caller)
        return caller

    def committed(self, workspace_id: UUID, events: frozenset[str]) -> None:
        """From any thread: something was written in this workspace."""
        if events & ACCESS_EVENTS:
            self.forget(workspace_id)
            self.announce(workspace_id)
