"""Secrets at rest: sealed with the installation's key, opened only where they are used."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12


@dataclass(frozen=True)
class SecretBox:
    """AES-256-GCM with a random nonce; ``context`` binds a sealed secret to its place (it opens nowhere else)."""

    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.key) != KEY_BYTES:
            raise ValueError(f"the secret key must have {KEY_BYTES} bytes")

    def seal(self, secret: bytes, context: bytes) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(self.key).encrypt(nonce, secret, context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Raises ``cryptography.exceptions.InvalidTag`` when the key or context is another."""
        return AESGCM(self.key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context)
