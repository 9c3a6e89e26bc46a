"""Signed heads of the log: whoever kept an old one can prove later tampering, even with a chain made anew."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final, LiteralString, Protocol
from uuid import UUID

import psycopg
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from eventstore.chain import GENESIS, timestamp
from eventstore.database import Db, Pool, connection, one, reading, writing
from schemas.verification import Checkpoint

_HEAD: Final[LiteralString] = "SELECT seq, hash FROM log_heads WHERE workspace_id = %s"
_LOCK: Final[LiteralString] = "SELECT seq FROM log_heads WHERE workspace_id = %s FOR UPDATE"
_INSERT: Final[LiteralString] = """
    INSERT INTO log_checkpoints (workspace_id, seq, hash, signed_at, public_key, signature, previous)
    VALUES (%s, %s, %s, %s, %s, %s, %s)
"""
COLUMNS: Final[LiteralString] = "seq, hash, signed_at, public_key, signature, previous"
"""The columns of ``log_checkpoints`` that ``as_checkpoint`` takes, behind the workspace."""
_LISTED: Final[LiteralString] = f"""
    SELECT {COLUMNS} FROM log_checkpoints
    WHERE workspace_id = %s AND seq < %s ORDER BY seq DESC LIMIT %s OFFSET %s
"""  # noqa: S608 - constants only
_BEYOND: Final = 2**63 - 1
"""A seq that no log comes to."""
_MOVED: Final[LiteralString] = """
    SELECT workspace_id FROM log_heads WHERE workspace_id > %s AND seq > signed_seq ORDER BY workspace_id LIMIT %s
"""
_SIGNED: Final[LiteralString] = "UPDATE log_heads SET signed_seq = greatest(signed_seq, %s) WHERE workspace_id = %s"
LOOK: Final = 1000
"""Heads in one look for those that moved."""
ATTEMPTS: Final = 5
"""How often a head is signed anew because another process signed one meanwhile."""
_KEY: Final = re.compile(r"[0-9a-fA-F]{64}")
_FINGERPRINT: Final = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")


def fingerprint(public_key: bytes) -> str:
    """What a public key is known by: ``SHA256:`` and the base64, without padding, of the SHA-256 of its 32 bytes."""
    return f"SHA256:{base64.b64encode(sha256(public_key).digest()).decode().rstrip('=')}"


def as_fingerprint(key: str) -> str:
    """The fingerprint of a key that is given by it, or as its 64 hex digits. Raises ``ValueError`` for anything else."""
    if _KEY.fullmatch(key):
        return fingerprint(bytes.fromhex(key))
    if not _is_fingerprint(key):
        raise ValueError("must be a public key of 64 hex digits, or a fingerprint: SHA256: and 43 characters of base64")
    return key


def _is_fingerprint(key: str) -> bool:
    """Whether it is written as ``fingerprint`` writes it: the last character has two bits that mean nothing."""
    if not _FINGERPRINT.fullmatch(key):
        return False
    digest = key.removeprefix("SHA256:")
    return base64.b64encode(base64.b64decode(f"{digest}=")).decode().rstrip("=") == digest


class Signer(Protocol):
    """A key that signs; an ``Ed25519PrivateKey`` is one."""

    def public_key(self) -> Ed25519PublicKey: ...

    def sign(self, data: bytes, /) -> bytes:
        """Raises ``SigningError`` when it cannot."""


class SigningError(Exception):
    """A checkpoint could not be signed; the message says why, and no secret."""


class LogCutError(SigningError):
    """A log ends before its last checkpoint: something was taken from it."""


def message(*, workspace_id: UUID, seq: int, hash_hex: str, signed_at: str, previous: str | None = None) -> bytes:
    """What is signed: ``{"hash":"…","previous":"…","seq":5,"signedAt":"…","workspaceId":"…"}`` in the form of RFC 8785.

    ``previous`` is missing from those that were signed before checkpoints were chained.
    """
    fields: dict[str, Any] = {"workspaceId": str(workspace_id), "seq": seq, "hash": hash_hex, "signedAt": signed_at}
    if previous is not None:
        fields["previous"] = previous
    return rfc8785.dumps(fields)


def message_of(checkpoint: Checkpoint) -> bytes:
    """What was signed of a checkpoint."""
    return message(
        workspace_id=checkpoint.workspace_id,
        seq=checkpoint.seq,
        hash_hex=checkpoint.hash,
        signed_at=checkpoint.signed_at,
        previous=checkpoint.previous,
    )


def digest(checkpoint: Checkpoint) -> str:
    """What the next checkpoint signs of this one, in hex: sha256(its public key ‖ its signature ‖ what was signed)."""
    signed = bytes.fromhex(checkpoint.public_key) + bytes.fromhex(checkpoint.signature) + message_of(checkpoint)
    return sha256(signed).hexdigest()


def signature_holds(checkpoint: Checkpoint) -> bool:
    """Whether the checkpoint was signed as it stands with the private half of its ``public_key``."""
    try:
        public_bytes = bytes.fromhex(checkpoint.public_key)
        public_key = Ed25519PublicKey.from_public_bytes(public_bytes)
        public_key.verify(bytes.fromhex(checkpoint.signature), message_of(checkpoint))
    except (InvalidSignature, ValueError):
        return False
    return checkpoint.key_fingerprint in (None, fingerprint(public_bytes))


Also = Callable[[Db, Checkpoint], None]
"""Told of a checkpoint in the transaction that stores it: what comes of it is committed with it."""


def sign_head(
    pool: Pool,
    workspace_id: UUID,
    signer: Signer,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    also: Also = lambda *_: None,
) -> Checkpoint:
    """Signs where the log ends now and keeps that in ``log_checkpoints``; a head signed before is answered as it was.

    Nothing is locked while it is signed, however long that takes. Raises ``SigningError``.
    """
    for _ in range(ATTEMPTS):
        with reading(pool, workspace_id) as conn:
            head, last = one(conn, _HEAD, (workspace_id,)), _last(conn)
        if head is None:
            raise psycopg.errors.NoDataFound(f"workspace {workspace_id} has no log")
        if last is not None and last.seq == head[0]:
            return last
        if last is not None and last.seq > head[0]:
            raise LogCutError(f"the log ends at {head[0]}, before its last checkpoint at {last.seq}")
        made = _signed(signer, workspace_id, head, last, clock())
        with writing(pool, workspace_id) as conn:
            if _stored(conn, made, last):
                also(conn, made)
                return made
    raise SigningError("others sign the same log at the same time; try again")


def _signed(
    signer: Signer, workspace_id: UUID, head: Sequence[Any], last: Checkpoint | None, at: datetime
) -> Checkpoint:
    seq, hashed = head
    previous = GENESIS if last is None else bytes.fromhex(digest(last))
    signed_at = timestamp(at)
    text = message(
        workspace_id=workspace_id, seq=seq, hash_hex=hashed.hex(), signed_at=signed_at, previous=previous.hex()
    )
    key, signature = signer.public_key().public_bytes_raw(), signer.sign(text)
    made = as_checkpoint(workspace_id, seq, hashed, signed_at, key, signature, previous)
    if not signature_holds(made):
        raise SigningError("the signature that was answered does not hold with the public key")
    return made


def _stored(conn: Db, made: Checkpoint, last: Checkpoint | None) -> bool:
    """Stores it behind ``last``, unless another came in between."""
    one(conn, _LOCK, (made.workspace_id,))
    if _last(conn) != last:
        return False
    in_bytes = [bytes.fromhex(given) for given in (made.public_key, made.signature, made.previous or "")]
    values = (made.workspace_id, made.seq, bytes.fromhex(made.hash), made.signed_at, *in_bytes)
    conn.execute(_INSERT, values)
    conn.execute(_SIGNED, (made.seq, made.workspace_id))
    return True


def _last(conn: Db) -> Checkpoint | None:
    found, _ = read_checkpoints(conn, limit=1, counted=False)
    return found[0] if found else None


def moved_heads(pool: Pool) -> Iterator[UUID]:
    """The workspaces whose log has grown since it was last signed; ``pool`` is a worker's."""
    after = UUID(int=0)
    while True:
        with connection(pool) as conn:
            moved = [row[0] for row in conn.execute(_MOVED, (after, LOOK))]
        yield from moved
        if len(moved) < LOOK:
            return
        after = moved[-1]


def sign_moved_heads(pool: Pool, signer: Signer, also: Also = lambda *_: None) -> list[Checkpoint]:
    """Signs the heads of all workspaces whose log has grown since it was last signed; ``pool`` is a worker's."""
    return [sign_head(pool, workspace_id, signer, also=also) for workspace_id in moved_heads(pool)]


def read_checkpoints(
    conn: Db, *, limit: int, offset: int = 0, before: int | None = None, counted: bool = True
) -> tuple[list[Checkpoint], int]:
    """A workspace's signed heads, newest first (those ``before`` a seq), and how many there are in all; inside ``reading``."""
    rows = conn.execute(_LISTED, (conn.workspace_id, _BEYOND if before is None else before, limit, offset))
    found = [
        as_checkpoint(conn.workspace_id, seq, hashed, timestamp(signed_at), key, signature, previous)
        for seq, hashed, signed_at, key, signature, previous in rows
    ]
    if not counted:
        return found, len(found)
    total = one(conn, "SELECT count(*) FROM log_checkpoints WHERE workspace_id = %s", (conn.workspace_id,))
    return found, 0 if total is None else int(total[0])


def as_checkpoint(
    workspace_id: UUID,
    seq: int,
    hashed: bytes,
    signed_at: str,
    public_key: bytes,
    signature: bytes,
    previous: bytes | None,
) -> Checkpoint:
    """A row of ``log_checkpoints`` as what it stands for."""
    return Checkpoint(
        workspace_id=workspace_id,
        seq=seq,
        hash=hashed.hex(),
        signed_at=signed_at,
        public_key=public_key.hex(),
        signature=signature.hex(),
        key_fingerprint=fingerprint(public_key),
        previous=None if previous is None else previous.hex(),
    )
