"""The key that signs the log's heads: derived from the installation's secret key, out of a file, or behind a command.

In a file or behind a command it is out of reach for who has the database and the secret key.
"""

from __future__ import annotations

import base64
import binascii
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from eventstore.checkpoint import SigningError

SECONDS: Final = 10.0
"""What a command that signs is given."""
MOST_BYTES: Final = 10_000
"""Of a file with a key."""
_SIGNATURE_BYTES: Final = 64


def signing_key(secret_key: bytes) -> Ed25519PrivateKey:
    """By HKDF-SHA256 (RFC 5869): the same secret key always signs with the same key."""
    seed = HKDF(SHA256(), 32, salt=None, info=b"daybook log checkpoints").derive(secret_key)
    return Ed25519PrivateKey.from_private_bytes(seed)


def key_from_file(path: Path) -> Ed25519PrivateKey:
    """A private key in PEM without a password (``openssl genpkey -algorithm ed25519``). Raises ``ValueError``."""
    written = _read(path)
    try:
        found = load_pem_private_key(written, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("must be a file with an Ed25519 private key in PEM, without a password") from None
    if not isinstance(found, Ed25519PrivateKey):
        raise ValueError("must be a file with an Ed25519 private key, not one of another kind")  # noqa: TRY004 - of the file
    return found


def public_key_from_file(path: Path) -> Ed25519PublicKey:
    """A public key in PEM (``openssl pkey -pubout``). Raises ``ValueError``."""
    written = _read(path)
    try:
        found = load_pem_public_key(written)
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("must be a file with an Ed25519 public key in PEM") from None
    if not isinstance(found, Ed25519PublicKey):
        raise ValueError("must be a file with an Ed25519 public key, not one of another kind")  # noqa: TRY004 - of the file
    return found


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES)
    except OSError as error:
        raise ValueError(f"names a file that cannot be read ({error.strerror})") from None


def words(command: str) -> tuple[str, ...]:
    """A command as it is typed, in its words; no shell looks at it. Raises ``ValueError``."""
    try:
        found = tuple(shlex.split(command))
    except ValueError:
        found = ()
    if not found:
        raise ValueError("must be a command, such as: /usr/local/bin/sign --key daybook")
    return found


@dataclass(frozen=True)
class CommandSigner:
    """A command that is given what is to be signed on its standard input, and answers the signature on its output.

    The signature may be its 64 bytes, or these in hex or base64. What the command writes on standard error is nobody's
    business: it may have secrets.
    """

    command: Sequence[str] = field(repr=False)
    public: Ed25519PublicKey
    seconds: float = SECONDS

    def public_key(self) -> Ed25519PublicKey:
        return self.public

    def sign(self, data: bytes, /) -> bytes:
        """Raises ``SigningError`` that names neither the command nor what it wrote."""
        try:
            done = subprocess.run(  # noqa: S603 - the operator's own command, by no shell
                self.command, input=data, capture_output=True, timeout=self.seconds, check=False
            )
        except subprocess.TimeoutExpired:
            raise SigningError(f"the command that signs gave no answer for {self.seconds:g} seconds") from None
        except OSError as error:
            raise SigningError(f"the command that signs cannot be run ({error.strerror})") from None
        if done.returncode != 0:
            raise SigningError(f"the command that signs ended with {done.returncode}")
        return _signature(done.stdout)


def _signature(answered: bytes) -> bytes:
    if len(answered) == _SIGNATURE_BYTES:
        return answered
    text = answered.strip()
    for decode in (binascii.unhexlify, lambda given: base64.b64decode(given, validate=True)):
        try:
            if len(found := decode(text)) == _SIGNATURE_BYTES:
                return found
        except binascii.Error:
            continue
    raise SigningError("the command that signs answered no signature: 64 bytes, or these in hex or base64")
