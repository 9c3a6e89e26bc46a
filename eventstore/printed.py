"""A checkpoint as one line that can be printed, read out or put into a QR code, and typed in again."""

from __future__ import annotations

import base64
import binascii
from typing import Final
from uuid import UUID

from eventstore.checkpoint import fingerprint
from schemas.verification import Checkpoint

WORD: Final = "daybook-checkpoint-1"
"""What such a line begins with; another form would have another number."""
_NOTHING: Final = "-"
_PARTS: Final = 8


def printed(checkpoint: Checkpoint) -> str:
    """``daybook-checkpoint-1 workspace seq signedAt hash previous publicKey signature``; bytes in base64url, unpadded."""
    in_bytes = (checkpoint.hash, checkpoint.previous, checkpoint.public_key, checkpoint.signature)
    place = (WORD, str(checkpoint.workspace_id), str(checkpoint.seq), checkpoint.signed_at)
    return " ".join((*place, *map(_short, in_bytes)))


def from_line(line: str) -> Checkpoint:
    """The checkpoint of such a line. Raises ``ValueError``; whether the signature holds is for the verifier to say."""
    parts = line.split()
    if len(parts) != _PARTS or parts[0] != WORD:
        raise ValueError(f"must be {_PARTS} words, of which {WORD} is the first")
    hashed, previous, public_key, signature = map(_long, parts[4:])
    if hashed is None or public_key is None or signature is None:
        raise ValueError(f"only the checkpoint before may be {_NOTHING}")
    return Checkpoint(
        workspace_id=UUID(parts[1]),
        seq=int(parts[2]),
        hash=hashed,
        signed_at=parts[3],
        public_key=public_key,
        signature=signature,
        key_fingerprint=fingerprint(bytes.fromhex(public_key)),
        previous=previous,
    )


def _short(hexed: str | None) -> str:
    return _NOTHING if hexed is None else base64.urlsafe_b64encode(bytes.fromhex(hexed)).decode().rstrip("=")


def _long(word: str) -> str | None:
    if word == _NOTHING:
        return None
    try:
        return base64.b64decode(word + "=" * (-len(word) % 4), altchars=b"-_", validate=True).hex()
    except binascii.Error as error:
        raise ValueError(f"has what is no base64url: {error}") from None
