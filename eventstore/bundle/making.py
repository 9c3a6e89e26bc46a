"""Makes a bundle of a stretch of the log, piece by piece: what has been made need not be held to go on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Final

import msgspec

from domain.kernel import invalid
from eventstore.bundle import cloudevent
from eventstore.bundle.archive import END, member, packed
from eventstore.bundle.contents import (
    CHECKPOINTS,
    DECLARATION,
    KEYS,
    MANIFEST,
    MAX_CHECKPOINTS,
    PART_BYTES,
    PART_EVENTS,
    Declaration,
    File,
    events_name,
    file_of,
    keys_of,
    manifest,
    software,
    written,
)
from eventstore.chain import GENESIS, timestamp
from eventstore.checkpoint import read_checkpoints
from eventstore.database import Connected, Db
from eventstore.moment import seq_of
from eventstore.reader import head, read_log
from schemas.log import Actor
from schemas.verification import Checkpoint

_READ: Final = 200
"""Entries in one look: each may be as large as a request."""


@dataclass(frozen=True)
class Piece:
    """The next bytes of a bundle, the files that are in them, and how many events of each type."""

    content: bytes
    files: tuple[File, ...]
    types: Mapping[str, int] = field(default_factory=dict)


def declared(
    conn: Db, made_by: Actor, now: datetime, *, since: str | None = None, until: str | None = None
) -> Declaration:
    """What a bundle from one moment of the log to another is to have; inside ``reading``.

    ``since`` and ``until`` are the seq of the first and the last entry, or times: behind the one up to the other. Refuses
    what is no moment, and where there is nothing between the two.
    """
    log_end, _ = head(conn)
    first, last = stretch(conn, since, until)
    return Declaration(
        workspace_id=conn.workspace_id,
        first=first,
        last=last,
        previous_hash=_hash_at(conn, first - 1),
        last_hash=_hash_at(conn, last),
        log_end=log_end,
        made_at=timestamp(now),
        made_by=made_by,
        software=software(),
    )


def stretch(conn: Db, since: str | None, until: str | None) -> tuple[int, int]:
    """The seq of the first and of the last entry between two moments as ``declared`` takes them; refuses as that does."""
    last = head(conn)[0] if until is None else seq_of(conn, until, "to")
    first = 1 if since is None else _first(conn, since)
    if not 1 <= first <= last:
        raise invalid("to" if since is None else "from", "must leave something: there is no entry between the two")
    return first, last


def _first(conn: Db, since: str) -> int:
    """A seq is that of the first entry; with a time, the first is the one behind all that had been recorded by then."""
    found = seq_of(conn, since, "from")
    return found if since.isdigit() else found + 1


def _hash_at(conn: Db, seq: int) -> str:
    if seq == 0:
        return GENESIS.hex()
    (entry,) = read_log(conn, after=seq - 1, limit=1)
    return entry.hash


def opening(conn: Db, declaration: Declaration) -> Piece:
    """What comes before the events: the declaration, the signed heads of the range, and the keys that signed them."""
    signed = _checkpoints(conn, declaration)
    lines = b"".join(msgspec.json.encode(checkpoint) + b"\n" for checkpoint in signed)
    return _piece((DECLARATION, written(declaration)), (KEYS, keys_of(signed)), (CHECKPOINTS, lines))


def _checkpoints(conn: Db, declaration: Declaration) -> list[Checkpoint]:
    """In order of seq; the newest, where there are too many."""
    found, _ = read_checkpoints(conn, limit=MAX_CHECKPOINTS, before=declaration.last + 1)
    return [checkpoint for checkpoint in reversed(found) if checkpoint.seq >= declaration.first - 1]


def part(conn: Db, declaration: Declaration, number: int, after: int) -> Piece:
    """The file of events of this number: those behind ``after``, as many as go into one."""
    lines: list[bytes] = []
    types, size, last = Counter[str](), 0, after
    while len(lines) < PART_EVENTS and size < PART_BYTES and last < declaration.last:
        for entry in read_log(conn, after=last, limit=min(_READ, PART_EVENTS - len(lines)), upto=declaration.last):
            lines.append(cloudevent.written(entry) + b"\n")
            types[entry.type] += 1
            size, last = size + len(lines[-1]), entry.seq
            if size >= PART_BYTES:
                break
    made = _piece((events_name(number), packed(b"".join(lines))))
    file = msgspec.structs.replace(made.files[0], first=after + 1, last=last)
    return Piece(made.content, (file,), types)


def closing(declaration: Declaration, files: Sequence[File], types: Mapping[str, int]) -> Piece:
    """The manifest of all files before it, and the end."""
    made = _piece((MANIFEST, manifest(declaration, files, types)))
    return Piece(made.content + END, made.files)


def pieces(connected: Connected, declaration: Declaration) -> Iterator[Piece]:
    """The whole bundle; memory does not grow with it, but for some 200 bytes for each file of events.

    ``connected`` is asked for a connection inside ``reading`` for each piece: what has been written stays as it is.
    """
    with connected() as conn:
        made = opening(conn, declaration)
    files, types, after = [*made.files], Counter[str](), declaration.first - 1
    yield made
    for number in count(1):
        with connected() as conn:
            made = part(conn, declaration, number, after)
        yield made
        files += made.files
        types.update(made.types)
        after = made.files[0].last or after
        if after >= declaration.last:
            break
    yield closing(declaration, files, types)


def _piece(*files: tuple[str, bytes]) -> Piece:
    content = b"".join(member(name, content) for name, content in files)
    return Piece(content, tuple(file_of(name, content) for name, content in files))
