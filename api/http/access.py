"""Who reads what: noted when it is answered, and written some at a time behind the requests (docs/adr/0048).

What is noted follows from what an operation declares: reads of the log and files of all that there is, whoever asks; and
contacts that people are shown, by whichever operation.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, Literal, get_args, get_origin
from uuid import UUID

import msgspec
from litestar.handlers import HTTPRouteHandler
from litestar.types import Message, Scope, Send

from api.http.ask import SHOWN
from api.http.download import Download
from api.http.exporting import Streamed
from api.http.turns import Busy
from application.calling.caller import Caller
from eventstore.database import Pool, Unavailable, writing
from eventstore.ids import new_id
from projections import access_log as rows
from schemas.access_log import AccessView

log = logging.getLogger("daybook.api")

EVERY_SECONDS: Final = 0.25
"""Between two looks at what was noted."""
MOST: Final = 20_000
"""Notes that wait to be written; where there are more, what would have to be noted is not answered (503)."""
AT_ONCE: Final = 1_000
MOST_SHOWN: Final = 100
"""Contacts that a note names."""
LAST_SECONDS: Final = 2.0

Noted = Literal["nothing", "people", "all"]


@cache
def noted(handler: HTTPRouteHandler) -> Noted:
    """Whose reads by this operation are noted: everybody's, or those of people, or nobody's."""
    scope, answered = str(handler.opt.get("scope")), handler.parsed_fn_signature.return_type.annotation
    if scope == "log:read" or answered in (Streamed, Download):
        return "all"
    return (
        "people" if scope == "contacts:read" or (scope.endswith(":read") and _shows_contacts(answered)) else "nothing"
    )


def _shows_contacts(kind: Any, above: frozenset[Any] = frozenset()) -> bool:
    """Whether a contact is anywhere in answers of this type."""
    found = get_origin(kind) or kind
    if getattr(found, "shows", None) in ("contact", "entity"):
        return True
    inner = [*get_args(kind)]
    if isinstance(found, type) and issubclass(found, msgspec.Struct) and found not in above:
        inner += [field.type for field in msgspec.structs.fields(found)]
    return any(_shows_contacts(one, above | {found}) for one in inner)


class Accesses:
    """For one process. Notes wait in memory for a moment: what is killed outright loses those of ``EVERY_SECONDS``."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._waiting: deque[tuple[UUID, AccessView]] = deque()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def heeds(self, scope: Scope, caller: Caller) -> bool:
        """Whether it is to be noted that this caller reads by this operation; refuses (503) where it cannot be."""
        handler = scope["route_handler"]
        found = noted(handler) if isinstance(handler, HTTPRouteHandler) else "nothing"
        if scope.get("method") == "HEAD" or found == "nothing" or (found == "people" and caller.api_key_id is not None):
            return False
        if len(self._waiting) >= MOST:
            raise Busy
        return True

    def noting(self, scope: Scope, caller: Caller, send: Send) -> Send:
        """Notes what is answered; what is refused is not read."""

        async def answering(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < 400:
                self._waiting.append((caller.workspace_id, _entry(scope, caller)))
                self._begin()
            await send(message)

        return answering

    def close(self) -> None:
        """Writes what waits."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(LAST_SECONDS)

    def _begin(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="accesses", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while not self._ended.wait(EVERY_SECONDS):
            self._write()
        self._write()

    def _write(self) -> None:
        """All that waits; what cannot be written goes on waiting."""
        while self._waiting:
            some = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
            for workspace_id in dict.fromkeys(of for of, _ in some):
                try:
                    self._write_of(workspace_id, [entry for of, entry in some if of == workspace_id])
                except Unavailable:
                    self._waiting.extendleft(reversed(some))
                    return
                some = [(of, entry) for of, entry in some if of != workspace_id]

    def _write_of(self, workspace_id: UUID, entries: list[AccessView]) -> None:
        try:
            with writing(self._pool, workspace_id) as conn:
                rows.write(conn, entries)
        except Unavailable:
            raise
        except Exception:  # else nothing would be noted any more
            log.exception("could not note %d reads", len(entries))


def _entry(scope: Scope, caller: Caller) -> AccessView:
    state, path = scope["state"], [value for value in _parsed(scope).values() if isinstance(value, UUID)]
    shown = list(dict.fromkeys(_contacts(state.get(SHOWN, ())))) or [
        value for name, value in _parsed(scope).items() if name == "contact_id"
    ]
    return AccessView(
        id=new_id(),
        at=datetime.now(UTC),
        user_id=caller.account_id,
        api_key_id=caller.api_key_id,
        operation=str(getattr(scope["route_handler"], "operation_id", "")),
        subject_id=path[0] if path else None,
        contact_ids=shown[:MOST_SHOWN],
        request_id=state["request_id"],
    )


def _parsed(scope: Scope) -> Mapping[str, Any]:
    """What is in the path, as the kind that the route says."""
    return scope["path_params"]


def _contacts(views: Iterable[Any]) -> Iterator[UUID]:
    """The ids of contacts among what is shown, and in it."""
    for view in views:
        shows = getattr(view, "shows", None)
        if shows == "contact":
            yield view.id
        elif shows == "entity":
            yield from (view.entity_id,) if view.entity_type == "contact" else ()
        elif isinstance(view, msgspec.Struct):
            yield from _contacts(
                inner
                for value in msgspec.structs.astuple(view)
                for inner in (value if isinstance(value, list) else (value,))
                if isinstance(inner, msgspec.Struct)
            )
