"""Builds the state of a workspace from its bundle alone, as of any moment in it, by the deciders that made it."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from tempfile import TemporaryDirectory
from typing import BinaryIO, Final
from uuid import UUID

from domain.kernel import invalid
from eventstore.bundle.contents import Declaration
from eventstore.bundle.verifying import MAX_EVENTS, Verified, verify_bundle
from eventstore.chain import timestamp
from eventstore.moment import read
from eventstore.state import States, Stored
from eventstore.verify import Progress
from schemas.log import LogEntry
from schemas.verification import Checkpoint

# Nobody else reads it, and it is gone with the process: it need not survive anything.
_SCHEMA: Final = """
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA cache_size = -65536;
    CREATE TABLE taken (stream_id BLOB, version INTEGER, stream_type TEXT, type TEXT, data BLOB,
        PRIMARY KEY (stream_id, version)) WITHOUT ROWID;
"""
_INSERT: Final = "INSERT INTO taken VALUES (?, ?, ?, ?, ?)"
_SORTED: Final = "SELECT stream_id, version, stream_type, type, data FROM taken ORDER BY stream_id, version"
_BATCH: Final = 5_000


@dataclass(frozen=True)
class Replayed:
    """What the bundle was found to be, and the states as of entry ``seq``: none of a bundle that is not intact."""

    verified: Verified
    seq: int = 0
    states: States | None = None


@contextmanager
def replayed(
    file: BinaryIO,
    until: str | None = None,
    *,
    checkpoints: Sequence[Checkpoint] = (),
    trusted: Collection[str] | None = None,
    progress: Progress = lambda *_: None,
    max_events: int = MAX_EVENTS,
) -> Iterator[Replayed]:
    """Verifies a bundle and sorts its events up to a moment in a temporary file, to be gone through inside.

    ``until``: a seq or a time, the bundle's last entry by default. Refuses what is no moment, or none that the bundle has
    come to. Raises ``TooLargeError`` as ``verify_bundle``.
    """
    moment = None if until is None else read(until, "until")
    with TemporaryDirectory(prefix="daybook-replay-") as folder, closing(sqlite3.connect(f"{folder}/events")) as kept:
        sorting = _Sorting(kept, moment)
        verified = verify_bundle(
            file,
            checkpoints=checkpoints,
            trusted=trusted,
            progress=progress,
            each=sorting.take,
            max_events=max_events,
        )
        if verified.verdict == "intact" and verified.declaration is not None:
            yield _from_the_beginning(verified, verified.declaration, sorting)
        else:
            yield Replayed(verified)


def _from_the_beginning(verified: Verified, declaration: Declaration, sorting: _Sorting) -> Replayed:
    if declaration.first > 1:
        missing = f"events 1 to {declaration.first - 1} are not in it, so that no state can be built"
        return Replayed(replace(verified, incomplete=missing))
    _check_reached(declaration, sorting)
    return Replayed(verified, sorting.seq, States(sorting.events()))


def _check_reached(declaration: Declaration, sorting: _Sorting) -> None:
    """Of what came behind the bundle's end it knows nothing, unless the log had ended there."""
    until, end = sorting.until, sorting.end
    if declaration.last == declaration.log_end:
        end = max(end, declaration.made_at)
    if isinstance(until, int) and until > declaration.last:
        raise invalid("until", f"is ahead of the bundle, which ends with event {declaration.last}")
    if isinstance(until, datetime) and timestamp(until) > end:
        raise invalid("until", f"is ahead of the bundle, which goes up to {end}")


class _Sorting:
    """The events up to a moment, in a file that is asked for them stream by stream."""

    def __init__(self, kept: sqlite3.Connection, until: int | datetime | None) -> None:
        kept.executescript(_SCHEMA)
        self.until, self.seq, self.end = until, 0, ""
        self._time = timestamp(until) if isinstance(until, datetime) else None
        self._kept = kept
        self._batch: list[tuple[bytes, int, str, str, bytes]] = []

    def take(self, entry: LogEntry) -> None:
        self.end = entry.recorded_at
        if isinstance(self.until, int) and entry.seq > self.until:
            return
        if self._time is not None and entry.recorded_at > self._time:
            return
        self.seq = entry.seq
        stream = entry.stream
        self._batch.append((stream.id.bytes, entry.version, stream.type, entry.type, bytes(entry.data)))
        if len(self._batch) == _BATCH:
            self._keep()

    def events(self) -> Iterator[Stored]:
        self._keep()
        for packed, stream in groupby(self._kept.execute(_SORTED), key=itemgetter(0)):
            stream_id = UUID(bytes=packed)
            for _, version, stream_type, event_type, data in stream:
                yield Stored(stream_id, version, stream_type, event_type, data)

    def _keep(self) -> None:
        self._kept.executemany(_INSERT, self._batch)
        self._batch.clear()
