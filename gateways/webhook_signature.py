"""Signatures of webhooks, as the Standard Webhooks specification has them: secrets, and what receivers verify."""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Sequence
from hashlib import sha256
from typing import Final
from uuid import UUID

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def sealing_context(workspace_id: UUID, webhook_id: UUID) -> bytes:
    """Binds a sealed secret to its endpoint: put in another one's place, it does not open."""
    return b"webhook" + workspace_id.bytes + webhook_id.bytes


def signature(signing: Sequence[str], message_id: UUID, timestamp: int, body: bytes) -> str:
    """The ``webhook-signature`` header: one signature per secret, so that a receiver with any one of them can verify."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return " ".join(f"v1,{_sign(secret, signed)}" for secret in signing)


def _sign(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return base64.b64encode(hmac.digest(key, signed, sha256)).decode()
