"""A bundle taken apart and put together again: the tools of who tampers with one."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from eventstore.bundle import cloudevent
from eventstore.bundle.archive import END, member, packed
from eventstore.bundle.contents import (
    CHECKPOINTS,
    DECLARATION,
    KEYS,
    MANIFEST,
    Declaration,
    File,
    events_name,
    file_of,
    keys_of,
    manifest,
    written,
)
from eventstore.bundle.making import declared, pieces
from eventstore.bundle.verifying import Verified, verify_bundle
from eventstore.chain import GENESIS
from eventstore.database import Pool, reading
from schemas.log import Actor, LogEntry
from schemas.verification import Checkpoint

NOW = datetime(2036, 1, 1, tzinfo=UTC)
Files = dict[str, bytes]
Edit = Callable[[list[LogEntry]], list[LogEntry]]


def exported(pool: Pool, workspace: UUID, **bounds: Any) -> bytes:
    """The workspace's bundle as it is exported."""
    with reading(pool, workspace) as conn:
        declaration = declared(conn, Actor(type="system"), NOW, **bounds)
    return b"".join(piece.content for piece in pieces(lambda: reading(pool, workspace), declaration))


def unpacked(bundle: bytes) -> Files:
    """Its files by name, as any tar reads them."""
    with tarfile.open(fileobj=io.BytesIO(bundle)) as archive:
        return {info.name: archive.extractfile(info).read() for info in archive}  # type: ignore[union-attr]


def tarred(files: Files) -> bytes:
    return b"".join(member(name, content) for name, content in files.items()) + END


def entries_of(files: Files) -> list[LogEntry]:
    parts = (gzip.decompress(content) for name, content in files.items() if name.startswith("events/"))
    return [cloudevent.read(line) for part in parts for line in part.splitlines()]


def checkpoints_of(files: Files) -> list[Checkpoint]:
    return [msgspec.json.decode(line, type=Checkpoint) for line in files[CHECKPOINTS].splitlines()]


def remade(
    bundle: bytes,
    edit: Edit = lambda entries: entries,
    *,
    checkpoints: Sequence[Checkpoint] | None = None,
    declaration: Callable[[Declaration], Declaration] = lambda declaration: declaration,
    part_size: int = 1_000_000,
) -> bytes:
    """The bundle with other events, and every sum, count and list of files made to fit again."""
    files = unpacked(bundle)
    entries = edit(entries_of(files))
    signed = checkpoints_of(files) if checkpoints is None else checkpoints
    said = declaration(msgspec.json.decode(files[DECLARATION], type=Declaration))
    made = {
        DECLARATION: written(said),
        KEYS: keys_of(signed),
        CHECKPOINTS: b"".join(msgspec.json.encode(checkpoint) + b"\n" for checkpoint in signed),
    }
    listed = [file_of(name, content) for name, content in made.items()]
    for number, start in enumerate(range(0, len(entries), part_size), 1):
        part = entries[start : start + part_size]
        name = events_name(number)
        made[name] = packed(b"".join(cloudevent.written(entry) + b"\n" for entry in part))
        file = file_of(name, made[name])
        listed.append(File(name=name, bytes=file.bytes, sha256=file.sha256, first=part[0].seq, last=part[-1].seq))
    made[MANIFEST] = manifest(said, listed, Counter(entry.type for entry in entries))
    return tarred(made)


def chained(entries: Sequence[LogEntry], previous: bytes = GENESIS) -> list[LogEntry]:
    """The entries numbered and hashed anew, as who forges a log would."""
    made = []
    for seq, entry in enumerate(entries, 1):
        numbered = msgspec.structs.replace(entry, seq=seq)
        previous = cloudevent.hash_behind(numbered, previous)
        made.append(msgspec.structs.replace(numbered, hash=previous.hex()))
    return made


def ending(entries: Sequence[LogEntry]) -> Callable[[Declaration], Declaration]:
    """The declaration that says that the log had these entries and no others."""

    def changed(said: Declaration) -> Declaration:
        last = entries[-1]
        return msgspec.structs.replace(said, last=last.seq, log_end=last.seq, last_hash=last.hash)

    return changed


def verified(bundle: bytes, **how: Any) -> Verified:
    return verify_bundle(io.BytesIO(bundle), **how)
