"""The recorder: a workspace's log behind the eventsourcing library's interface.

Whatever of the library works on an ``ApplicationRecorder`` works on the log: its event store, its notification log,
its subscriptions. A notification's id is the entry's ``seq``.

It is the way for a Python program to read the log, follow it, and append to streams of kinds of its own (docs/python.md).
What is inserted here reaches the log and nothing else. Streams that have rows change by commands, through the unit of
work, which writes row and log together; events of theirs are refused here.
"""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final, LiteralString
from uuid import UUID

import msgspec
import psycopg
import rfc8785
from eventsourcing import persistence
from eventsourcing.persistence import ApplicationRecorder, Notification, StoredEvent, Subscription

from domain.kernel.values import MAX_SAFE_INTEGER
from eventstore.append import Origin, Staged, append
from eventstore.chain import canonical
from eventstore.database import Db, Pool, Unavailable, reading, writing
from eventstore.ids import new_id
from eventstore.mapper import SHARED, EventMapper
from eventstore.reader import LogGapError, head
from eventstore.sealing import READABLE, is_sealed
from schemas.log import Actor

BYTES: Final = "$bytes"
"""The one key of an object that stands for bytes which are no JSON object."""

_EVENTS: Final[LiteralString] = f"""
    SELECT stream_id, version, type, {READABLE} FROM events
    WHERE workspace_id = %s AND stream_id = %s AND version > %s AND version <= %s
"""  # noqa: S608 - constants only
_NOTIFICATIONS: Final[LiteralString] = f"""
    SELECT seq, stream_id, version, type, {READABLE} FROM events
    WHERE workspace_id = %s AND seq > %s AND seq <= %s AND (%s::text[] IS NULL OR type = ANY(%s))
    ORDER BY seq LIMIT %s
"""  # noqa: S608 - constants only
_OF_OTHER_KINDS: Final[LiteralString] = """
    SELECT e.stream_id, e.stream_type FROM events e
    JOIN unnest(%s::uuid[], %s::text[]) AS given (id, kind) ON e.stream_id = given.id AND e.stream_type <> given.kind
    WHERE e.workspace_id = %s LIMIT 1
"""
_TOPIC: Final = re.compile(r"[A-Za-z0-9_:-]+(\.[A-Za-z0-9_:-]+)*")
"""It becomes part of a subject on NATS, where other characters have a meaning."""
_TOPIC_LENGTH: Final = 200
NO_KIND: Final = "stream"
"""The kind of streams whose topics have no dot."""
_FIRST_VERSION: Final = -(2**31)
_LAST_VERSION: Final = 2**31 - 1
_LAST: Final = 2**63 - 1
_POLL_SECONDS: Final = 0.02

_ERRORS: Final = (
    (psycopg.IntegrityError, persistence.IntegrityError),
    (psycopg.DataError, persistence.DataError),
    (psycopg.OperationalError, persistence.OperationalError),
    (psycopg.ProgrammingError, persistence.ProgrammingError),
    (psycopg.NotSupportedError, persistence.NotSupportedError),
    (psycopg.InternalError, persistence.InternalError),
    (psycopg.InterfaceError, persistence.InterfaceError),
)


class WorkspaceRecorder(ApplicationRecorder):
    """Records events in, and reads them from, the log of one workspace."""

    def __init__(self, pool: Pool, workspace_id: UUID) -> None:
        self._pool = pool
        self.workspace_id = workspace_id

    def insert_events(
        self, stored_events: Sequence[StoredEvent], *, origin: Origin | None = None, **_: Any
    ) -> Sequence[int] | None:
        """Appends the events, all or none, and answers their ``seq``; ``origin`` says who acts (else: the system).

        The stream's type is what stands before the topic's last dot, ``acme:visit`` of ``acme:visit.logged``, and
        ``stream`` where there is none. Raises ``ProgrammingError`` when it is a kind that Daybook's own may have, and
        ``IntegrityError`` when a stream has an event of such a version already, or is of another kind.
        """
        if not stored_events:
            return None
        origin = origin or Origin(self.workspace_id, Actor(type="system"))
        if origin.workspace_id != self.workspace_id:
            message = f"the recorder is of workspace {self.workspace_id}, the origin of {origin.workspace_id}"
            raise persistence.ProgrammingError(message)
        staged = [_staged(event, origin) for event in stored_events]
        with _library_errors(), writing(self._pool, self.workspace_id) as conn:
            _check_kinds(conn, self.workspace_id, staged)
            row = append(conn, origin, staged, datetime.now(UTC), {}).fetchone()
        assert row is not None
        return list(range(row[0] - len(staged) + 1, row[0] + 1))

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """The events of one stream in order of version, or the other way round."""
        order: LiteralString = "ORDER BY version DESC LIMIT %s" if desc else "ORDER BY version LIMIT %s"
        first = _FIRST_VERSION if gt is None else gt
        last = _LAST_VERSION if lte is None else lte
        with _library_errors(), reading(self._pool, self.workspace_id) as conn:
            rows = conn.execute(
                _EVENTS + order, (self.workspace_id, _stream_id(originator_id), first, last, limit)
            ).fetchall()
        return [StoredEvent(row[0], row[1], row[2], _opened(row[0], row[2], row[3])) for row in rows]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Entries of the log from ``start`` to ``stop``, in order of ``seq``."""
        after = 0 if start is None else start - inclusive_of_start
        wanted = list(topics) or None
        with _library_errors(), reading(self._pool, self.workspace_id) as conn:
            params = (self.workspace_id, after, _LAST if stop is None else stop, wanted, wanted, limit)
            rows = conn.execute(_NOTIFICATIONS, params).fetchall()
        return [Notification(row[1], row[2], row[3], _opened(row[1], row[3], row[4]), id=row[0]) for row in rows]

    def max_notification_id(self) -> int | None:
        """The ``seq`` of the log's last entry; ``None`` of an empty one."""
        with _library_errors(), reading(self._pool, self.workspace_id) as conn:
            seq, _ = head(conn)
        return seq or None

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> LogSubscription:
        return LogSubscription(self, gt, topics)


class LogSubscription(Subscription[WorkspaceRecorder]):
    """Follows the log by polling, from behind ``gt`` on; waits at its end until it grows or ``stop`` is called.

    Without topics it makes sure that no entry is missing, and raises ``LogGapError`` where one is.
    """

    def __init__(self, recorder: WorkspaceRecorder, gt: int | None = None, topics: Sequence[str] = ()) -> None:
        super().__init__(recorder, gt, topics)
        self._found: Iterator[Notification] = iter(())
        self._stopped = threading.Event()

    def stop(self) -> None:
        super().stop()
        self._stopped.set()

    def __next__(self) -> Notification:
        while not self._has_been_stopped:
            for notification in self._found:
                return self._in_order(notification)
            after = self._last_notification_id or 0
            self._found = iter(
                self._recorder.select_notifications(after, 500, None, self._topics, inclusive_of_start=False)
            )
            for notification in self._found:
                return self._in_order(notification)
            self._stopped.wait(_POLL_SECONDS)
        raise StopIteration

    def _in_order(self, notification: Notification) -> Notification:
        expected = (self._last_notification_id or 0) + 1
        if not self._topics and notification.id != expected:
            raise LogGapError(self._recorder.workspace_id, expected)
        self._last_notification_id = notification.id
        return notification


def eventstore_for(recorder: WorkspaceRecorder, mapper: EventMapper) -> persistence.EventStore[UUID]:
    """The library's event store over the workspace's log: ``get(stream_id)`` iterates over a stream's events."""
    return persistence.EventStore(mapper, recorder)


def is_programs_own(stream_type: str) -> bool:
    """Whether streams of this kind are a program's own, so that Daybook has no decider and no rows for them, ever."""
    return ":" in stream_type or stream_type == NO_KIND


def _stream_type(topic: str) -> str:
    if len(topic) > _TOPIC_LENGTH or not _TOPIC.fullmatch(topic):
        message = f"a topic is at most {_TOPIC_LENGTH} letters, digits, _ - : and single dots, not {topic!r}"
        raise persistence.ProgrammingError(message)
    stream_type = topic.rpartition(".")[0] or NO_KIND
    if not is_programs_own(stream_type):
        raise persistence.ProgrammingError(
            f"{topic!r}: what happens to a {stream_type} is decided by commands; a program's own kinds have a colon,"
            " such as acme:visit.logged"
        )
    return stream_type


def _check_kinds(conn: Db, workspace_id: UUID, staged: Sequence[Staged]) -> None:
    """No stream has events of two kinds: behind one of another kind, its next command would find its version taken."""
    kinds: dict[UUID, str] = {}
    for event in staged:
        if kinds.setdefault(event.stream_id, event.stream_type) != event.stream_type:
            raise persistence.IntegrityError(f"stream {event.stream_id} cannot be of two kinds")
    found = conn.execute(_OF_OTHER_KINDS, (list(kinds), list(kinds.values()), workspace_id)).fetchone()
    if found is not None:
        raise persistence.IntegrityError(f"stream {found[0]} is of kind {found[1]}, not {kinds[found[0]]}")


def _staged(event: StoredEvent, origin: Origin) -> Staged:
    return Staged(
        stream_type=_stream_type(event.topic),
        stream_id=_stream_id(event.originator_id),
        version=event.originator_version,
        event_type=event.topic,
        data=_data(event.state),
        event_id=new_id(),
        causation_id=origin.causation_id,
    )


def _stream_id(originator_id: UUID | str) -> UUID:
    if not isinstance(originator_id, UUID):
        raise persistence.DataError(f"an originator id must be a UUID, not {originator_id!r}")
    return originator_id


def _data(state: bytes) -> str:
    """State as the log keeps it: canonical JSON objects as they are, other bytes as ``{"$bytes": "<base64>"}``.

    ``_state`` gives back exactly these bytes.
    """
    if _is_kept(state):
        return state.decode()
    return f'{{"{BYTES}":"{base64.b64encode(state).decode()}"}}'


def _opened(stream_id: UUID, event_type: str, data: str) -> bytes:
    """State, of which what is sealed is opened, as far as it is not erased."""
    if not is_sealed(data):
        return _state(data)
    return canonical(msgspec.json.encode(SHARED.opened(stream_id, event_type, data).data))


def _state(data: str) -> bytes:
    found = canonical(data)
    if found.startswith(b'{"$bytes":'):
        return base64.b64decode(msgspec.json.decode(found)[BYTES])
    return found


def _is_kept(state: bytes) -> bool:
    """Whether these bytes are a JSON object that Postgres gives back to the letter once it is canonical."""
    if not state.startswith(b"{") or state.startswith(b'{"$bytes":') or b"\\u0000" in state or is_sealed(state):
        return False
    try:
        found = msgspec.json.decode(state)
        return canonical(state) == rfc8785.dumps(found) == state and _numbers_are_kept(found)
    except (msgspec.MsgspecError, rfc8785.CanonicalizationError):
        return False


def _numbers_are_kept(value: Any) -> bool:
    match value:
        case dict():
            return all(_numbers_are_kept(entry) for entry in value.values())
        case list():
            return all(_numbers_are_kept(entry) for entry in value)
        case float():
            return abs(value) <= MAX_SAFE_INTEGER
        case _:
            return True


@contextmanager
def _library_errors() -> Iterator[None]:
    """Whatever goes wrong in the database, as the library's exception for it."""
    try:
        yield
    except Unavailable as error:
        raise persistence.OperationalError(str(error)) from error
    except psycopg.Error as error:
        for theirs, ours in _ERRORS:
            if isinstance(error, theirs):
                raise ours(str(error)) from error
        raise persistence.DatabaseError(str(error)) from error
