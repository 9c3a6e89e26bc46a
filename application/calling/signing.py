"""The key that signs the log's heads, derived from the installation's secret key: there is only one secret to keep."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def signing_key(secret_key: bytes) -> Ed25519PrivateKey:
    """By HKDF-SHA256 (RFC 5869): the same secret key always signs with the same key."""
    seed = HKDF(SHA256(), 32, salt=None, info=b"daybook log checkpoints").derive(secret_key)
    return Ed25519PrivateKey.from_private_bytes(seed)
