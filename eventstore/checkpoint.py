"""Signed heads of the log: whoever kept an old one can prove later tampering, even with a chain made anew."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final, LiteralString
from uuid import UUID

import psycopg
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from eventstore.chain import timestamp
from eventstore.database import Db, Pool, connection, one, writing
from schemas.verification import Checkpoint

_HEAD: Final[LiteralString] = "SELECT seq, hash FROM log_heads WHERE workspace_id = %s"
_INSERT: Final[LiteralString] = """
    INSERT INTO log_checkpoints (workspace_id, seq, hash, signed_at, public_key, signature)
    VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
_STORED: Final[LiteralString] = """
    SELECT hash, signed_at, public_key, signature FROM log_checkpoints WHERE workspace_id = %s AND seq = %s
"""
_LISTED: Final[LiteralString] = """
    SELECT workspace_id, seq, hash, signed_at, public_key, signature FROM log_checkpoints
    WHERE workspace_id = %s AND seq < %s ORDER BY seq DESC LIMIT %s OFFSET %s
"""
_BEYOND: Final = 2**63 - 1
"""A seq that no log comes to."""
_MOVED: Final[LiteralString] = """
    SELECT workspace_id FROM log_heads WHERE workspace_id > %s AND seq > signed_seq ORDER BY workspace_id LIMIT %s
"""
_SIGNED: Final[LiteralString] = "UPDATE log_heads SET signed_seq = greatest(signed_seq, %s) WHERE workspace_id = %s"
LOOK: Final = 1000
"""Heads in one look for those that moved."""
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


def message(*, workspace_id: UUID, seq: int, hash_hex: str, signed_at: str) -> bytes:
    """What is signed: ``{"hash":"…","seq":5,"signedAt":"…","workspaceId":"…"}`` in the form of RFC 8785."""
    return rfc8785.dumps({"workspaceId": str(workspace_id), "seq": seq, "hash": hash_hex, "signedAt": signed_at})


def signature_holds(checkpoint: Checkpoint) -> bool:
    """Whether the checkpoint was signed as it stands with the private half of its ``public_key``."""
    try:
        public_bytes = bytes.fromhex(checkpoint.public_key)
        public_key = Ed25519PublicKey.from_public_bytes(public_bytes)
        signed = message(
            workspace_id=checkpoint.workspace_id,
            seq=checkpoint.seq,
            hash_hex=checkpoint.hash,
            signed_at=checkpoint.signed_at,
        )
        public_key.verify(bytes.fromhex(checkpoint.signature), signed)
    except (InvalidSignature, ValueError):
        return False
    return checkpoint.key_fingerprint in (None, fingerprint(public_bytes))


def sign_head(
    pool: Pool,
    workspace_id: UUID,
    private_key: Ed25519PrivateKey,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Checkpoint:
    """Signs where the log ends now and keeps that in ``log_checkpoints``; a head signed before is answered as it was."""
    with writing(pool, workspace_id) as conn:
        head = one(conn, _HEAD, (workspace_id,))
        if head is None:
            raise psycopg.errors.NoDataFound(f"workspace {workspace_id} has no log")
        seq, hashed = head
        signed_at = clock()
        text = message(workspace_id=workspace_id, seq=seq, hash_hex=hashed.hex(), signed_at=timestamp(signed_at))
        public_key = private_key.public_key().public_bytes_raw()
        conn.execute(_INSERT, (workspace_id, seq, hashed, signed_at, public_key, private_key.sign(text)))
        conn.execute(_SIGNED, (seq, workspace_id))
        return _stored(conn, workspace_id, seq)


def sign_moved_heads(pool: Pool, private_key: Ed25519PrivateKey) -> list[Checkpoint]:
    """Signs the heads of all workspaces whose log has grown since it was last signed; ``pool`` is a worker's."""
    signed: list[Checkpoint] = []
    after = UUID(int=0)
    while True:
        with connection(pool) as conn:
            moved = [row[0] for row in conn.execute(_MOVED, (after, LOOK))]
        signed += [sign_head(pool, workspace_id, private_key) for workspace_id in moved]
        if len(moved) < LOOK:
            return signed
        after = moved[-1]


def read_checkpoints(
    conn: Db, *, limit: int, offset: int = 0, before: int | None = None
) -> tuple[list[Checkpoint], int]:
    """A workspace's signed heads, newest first (those ``before`` a seq), and how many there are in all; inside ``reading``."""
    rows = conn.execute(_LISTED, (conn.workspace_id, _BEYOND if before is None else before, limit, offset))
    total = conn.execute("SELECT count(*) FROM log_checkpoints WHERE workspace_id = %s", (conn.workspace_id,))
    found = [
        as_checkpoint(row[0], row[1], hashed=row[2], signed_at=timestamp(row[3]), public_key=row[4], signature=row[5])
        for row in rows
    ]
    count = total.fetchone()
    return found, 0 if count is None else int(count[0])


def _stored(conn: Db, workspace_id: UUID, seq: int) -> Checkpoint:
    row = one(conn, _STORED, (workspace_id, seq))
    assert row is not None
    hashed, signed_at, public_key, signature = row
    return as_checkpoint(
        workspace_id,
        seq,
        hashed=hashed,
        signed_at=timestamp(signed_at),
        public_key=public_key,
        signature=signature,
    )


def as_checkpoint(
    workspace_id: UUID, seq: int, *, hashed: bytes, signed_at: str, public_key: bytes, signature: bytes
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
    )
