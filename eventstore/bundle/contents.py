"""What is in a bundle: its files, in order and in words, and how large each may be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from importlib.metadata import version
from typing import Final, Literal
from uuid import UUID

import msgspec

from domain.catalogue import EVENTS
from domain.kernel import Value
from eventstore.chain import canonical
from schemas.log import Actor
from schemas.verification import Checkpoint

FORMAT: Final = "daybook-audit-bundle"
VERSION: Final = 1

DECLARATION: Final = "bundle.json"
KEYS: Final = "checkpoint-keys.json"
CHECKPOINTS: Final = "checkpoints.ndjson"
MANIFEST: Final = "manifest.json"
"""The files in their order, which is that of their names; between the last two come those of events."""

MAX_CHECKPOINTS: Final = 10_000
"""The newest: the last of them proves what the others do."""
PART_EVENTS: Final = 5_000
PART_BYTES: Final = 8 * 1024 * 1024
"""A file of events has so many at most, and ends behind the event with which it has come to so many bytes."""
MAX_LINE: Final = 8 * 1024 * 1024
MAX_FILE: Final = 2 * (PART_BYTES + MAX_LINE)
"""Of any file as it is in the bundle, but the manifest: what does not get smaller by packing gets hardly larger."""
MAX_MANIFEST: Final = 64 * 1024 * 1024
"""That of some 300,000 files of events."""


class Declaration(Value, forbid_unknown_fields=True):
    """What the bundle is of, said before the rest: entries ``first`` to ``last`` of a workspace's log.

    ``previousHash`` is the hash of the entry before the first (64 zeros before entry 1), ``lastHash`` that of the last;
    ``logEnd`` is where the log itself ended when the bundle was made.
    """

    workspace_id: UUID
    first: int
    last: int
    previous_hash: str
    last_hash: str
    log_end: int
    made_at: str
    made_by: Actor
    software: str
    format: Literal["daybook-audit-bundle"] = FORMAT
    format_version: Literal[1] = VERSION


class File(Value, forbid_unknown_fields=True):
    """A file with its sum; of events, which they are."""

    name: str
    bytes: int
    sha256: str
    first: int | None = None
    last: int | None = None


class Listed(Value, forbid_unknown_fields=True):
    """A type of event in the bundle: how many, and the ``$id`` of the JSON Schema that it has in ``schemas/events``."""

    events: int
    schema: str | None


class Manifest(Value, forbid_unknown_fields=True):
    """The last file: what all those before it are. It repeats what was declared, now that it is there."""

    declaration: Declaration
    events: int
    types: dict[str, Listed]
    files: list[File]


def events_name(number: int) -> str:
    """The name of the part of this number, from 1; the names' order is that of the parts."""
    return f"events/{number:08d}.ndjson.gz"


def file_of(name: str, content: bytes) -> File:
    return File(name=name, bytes=len(content), sha256=sha256(content).hexdigest())


def manifest(declaration: Declaration, files: Sequence[File], types: Mapping[str, int]) -> bytes:
    """It follows from the other files alone, so that each byte of it can be checked."""
    listed = {name: Listed(events=count, schema=_schema(name)) for name, count in types.items()}
    made = Manifest(declaration=declaration, events=sum(types.values()), types=listed, files=list(files))
    return written(made)


def keys_of(checkpoints: Iterable[Checkpoint]) -> bytes:
    """The file of the public keys that have signed these."""
    return written({"publicKeys": sorted({checkpoint.public_key for checkpoint in checkpoints})})


def written(content: Value | Mapping[str, object]) -> bytes:
    """A file of JSON as it is in a bundle: in the form of RFC 8785, with a line's end."""
    return canonical(msgspec.json.encode(content)) + b"\n"


def software() -> str:
    return f"daybook {version('daybook')}"


def _schema(event_type: str) -> str | None:
    return f"{event_type}.json" if event_type in EVENTS else None
