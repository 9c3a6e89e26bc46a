"""What auditors are given: signed heads of the log, and the first thing that is wrong."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final
from uuid import UUID

from msgspec import Meta

from domain.kernel import JSON, Value
from schemas.log import LogEntry, Stream
from schemas.wire.words import WorkspaceId

CHECKPOINT_SIGNED: Final = "log.checkpoint_signed"
"""What webhooks are sent when a head is signed. It is about the log and beside it: an event of it would move its head."""


class Checkpoint(Value):
    """The head of a workspace's log as it was signed: whoever kept one can prove later tampering.

    ``signature`` is Ed25519 by ``publicKey`` over the RFC 8785 form of ``{hash, previous, seq, signedAt, workspaceId}``,
    in UTF-8. ``previous`` is of the checkpoint before: sha256(its ``publicKey`` ‖ its ``signature`` ‖ what was signed of
    it), and 64 zeros where there is none; it is null and not signed of those from before checkpoints were chained. All four
    are in hex; ``keyFingerprint`` is what an auditor knows the key by.
    """

    workspace_id: WorkspaceId
    seq: Annotated[int, Meta(description="Its place in the workspace's log, from 1 without a gap.")]
    hash: Annotated[
        str,
        Meta(
            description="In hex: sha256(hash of the entry before ‖ sha256(RFC 8785 form of the entry without `hash`))."
        ),
    ]
    signed_at: Annotated[str, Meta(description="When it was signed.")]
    public_key: Annotated[str, Meta(description="The Ed25519 key that signed it, in hex.")]
    signature: Annotated[
        str,
        Meta(description="Ed25519 over the RFC 8785 form of `{hash, previous, seq, signedAt, workspaceId}`, in hex."),
    ]
    key_fingerprint: Annotated[
        str | None, Meta(description="`SHA256:` and the base64 of the SHA-256 of `publicKey`'s bytes, without padding.")
    ] = None
    previous: Annotated[
        str | None,
        Meta(
            description="Of the checkpoint before, in hex: sha256(its `publicKey` ‖ its `signature` ‖ what was signed of it);"
            " 64 zeros of the first, null of those from before checkpoints were chained."
        ),
    ] = None

    example: ClassVar[JSON] = {
        "workspaceId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0010",
        "seq": 1204,
        "hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "signedAt": "2026-03-15T11:00:00.000123Z",
        "publicKey": "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "signature": (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe"
            "24655141438e7a100b"
        ),
        "keyFingerprint": "SHA256:If4x36FUomFia/hUBG/SJxt77UtqvkWqWId+9H+XIbk",
        "previous": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
    }


class Proof(Value):
    """That an entry is in a log, for who has a signed head of it and not the log.

    The entry's ``hash`` follows from ``previousHash`` and its content; with each of ``leaves``, the hash is sha256(the hash
    so far ‖ leaf), and behind the last of them it is the ``hash`` of the checkpoint, which is signed.
    """

    entry: Annotated[LogEntry, Meta(description="The entry, as `GET /log` answers it.")]
    previous_hash: Annotated[str, Meta(description="The hash of the entry before, in hex; 64 zeros before the first.")]
    leaves: Annotated[
        list[str],
        Meta(
            description="Of each entry behind it, up to that of the checkpoint: sha256(RFC 8785 form of the entry without"
            " `hash`), in hex."
        ),
    ]
    checkpoint: Annotated[Checkpoint, Meta(description="The next signed head.")]

    example: ClassVar[JSON] = {
        "entry": LogEntry.example,
        "previousHash": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
        "leaves": [],
        "checkpoint": Checkpoint.example,
    }


class Finding(Value):
    """What is wrong: what was looked at and where, what was expected there, and what was found.

    ``table``, ``rowId`` and ``column`` say where in a table, ``line`` where in a file; ``seq``, ``stream`` and
    ``eventType`` where in the log.
    """

    what: str
    expected: str
    found: str
    workspace_id: WorkspaceId | None = None
    line: Annotated[int | None, Meta(description="Where the row begins in its file, from 1.")] = None
    seq: Annotated[int | None, Meta(description="Its place in the workspace's log, from 1 without a gap.")] = None
    stream: Annotated[Stream | None, Meta(description="The thing that it happened to.")] = None
    event_type: Annotated[str | None, Meta(description="The event's public name, such as `contact.created`.")] = None
    table: str | None = None
    row_id: UUID | None = None
    column: str | None = None

    def __str__(self) -> str:
        places = {
            "workspace": self.workspace_id,
            "line": self.line,
            "table": self.table,
            "row": self.row_id,
            "column": self.column,
            "seq": self.seq,
            "stream": None if self.stream is None else f"{self.stream.type} {self.stream.id}",
            "event": self.event_type,
        }
        where = ", ".join(f"{name} {place}" for name, place in places.items() if place is not None)
        return f"{where}: {self.what}: expected {self.expected}, found {self.found}".removeprefix(": ")
