"""What signs checkpoints: a key that is derived, one in a file, and a command that keeps it to itself."""

from __future__ import annotations

import subprocess
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from application.calling.signing import CommandSigner, key_from_file, public_key_from_file, signing_key, words
from daybook.settings import SettingsError, load
from eventstore.checkpoint import SigningError

MESSAGE = b'{"hash":"00"}'
KEY = signing_key(b"k" * 32)
SIGNATURE = KEY.sign(MESSAGE)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A private and a public key, as OpenSSL writes them."""
    private, public = tmp_path / "key.pem", tmp_path / "public.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", private], check=True)
    subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True)
    return private, public


def answering(tmp_path: Path, answer: bytes) -> CommandSigner:
    """A command that takes what it is given, and answers this."""
    (tmp_path / "answer").write_bytes(answer)
    return CommandSigner(("sh", "-c", f"cat > {tmp_path}/given; cat {tmp_path}/answer"), KEY.public_key())


@pytest.mark.parametrize(
    "written",
    [SIGNATURE, SIGNATURE.hex().encode(), SIGNATURE.hex().upper().encode() + b"\n", b64encode(SIGNATURE) + b"\n"],
)
def test_a_command_is_given_the_message_and_answers_the_signature(tmp_path: Path, written: bytes) -> None:
    assert answering(tmp_path, written).sign(MESSAGE) == SIGNATURE
    assert (tmp_path / "given").read_bytes() == MESSAGE


def test_openssl_can_be_the_command(files: tuple[Path, Path], tmp_path: Path) -> None:
    private, public = files
    command = f"sh -c 'cat > {tmp_path}/in && openssl pkeyutl -sign -rawin -inkey {private} -in {tmp_path}/in'"
    signer = CommandSigner(words(command), public_key_from_file(public))
    assert signer.sign(MESSAGE) == key_from_file(private).sign(MESSAGE)
    signer.public_key().verify(signer.sign(MESSAGE), MESSAGE)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("sh", "-c", "echo s3cret >&2; exit 3"), "ended with 3"),
        (("sh", "-c", "sleep 5"), "gave no answer for 0.2 seconds"),
        (("/nowhere/sign", "s3cret"), r"cannot be run \(No such file or directory\)"),
        (("echo", "s3cret"), "answered no signature"),
        (("true", "s3cret"), "answered no signature"),
    ],
)
def test_a_command_that_does_not_sign_says_why_and_none_of_its_words(command: tuple[str, ...], says: str) -> None:
    signer = CommandSigner(command, KEY.public_key(), seconds=0.2)
    with pytest.raises(SigningError, match=says) as raised:
        signer.sign(MESSAGE)
    assert "s3cret" not in str(raised.value) + repr(signer)


def test_the_key_that_is_set_signs_and_without_one_that_of_the_secret_key(files: tuple[Path, Path]) -> None:
    private, public = files
    secret = b"k" * 32
    assert isinstance(load({}).signer(secret), Ed25519PrivateKey)
    assert load({}).signer(secret).sign(MESSAGE) == SIGNATURE
    of_file = load({"DAYBOOK_SIGNING_KEY": str(private)}).signer(secret)
    assert of_file.sign(MESSAGE) == key_from_file(private).sign(MESSAGE)
    by_command = load({"DAYBOOK_SIGNING_COMMAND": "sign --key x", "DAYBOOK_SIGNING_PUBLIC_KEY": str(public)})
    assert by_command.signer(secret).public_key() == of_file.public_key()
    assert "sign --key" not in repr(by_command)


WRONG: dict[str, tuple[Callable[[Path, Path], dict[str, str]], str]] = {
    "no such file": (lambda *_: {"DAYBOOK_SIGNING_KEY": "/nowhere/key.pem"}, "KEY names a file that cannot be read"),
    "a public key": (lambda _, public: {"DAYBOOK_SIGNING_KEY": str(public)}, "must be a file with an Ed25519 private"),
    "both": (
        lambda private, public: {
            "DAYBOOK_SIGNING_KEY": str(private),
            "DAYBOOK_SIGNING_COMMAND": "sign",
            "DAYBOOK_SIGNING_PUBLIC_KEY": str(public),
        },
        "only one of them",
    ),
    "a command without its key": (lambda *_: {"DAYBOOK_SIGNING_COMMAND": "sign"}, "SIGNING_PUBLIC_KEY must be set"),
    "a key without its command": (
        lambda _, public: {"DAYBOOK_SIGNING_PUBLIC_KEY": str(public)},
        "and only with it",
    ),
    "no command": (
        lambda _, public: {"DAYBOOK_SIGNING_COMMAND": "'sign", "DAYBOOK_SIGNING_PUBLIC_KEY": str(public)},
        "must be a command",
    ),
    "a private key for the public one": (
        lambda private, _: {"DAYBOOK_SIGNING_COMMAND": "sign", "DAYBOOK_SIGNING_PUBLIC_KEY": str(private)},
        "must be a file with an Ed25519 public key",
    ),
}


@pytest.mark.parametrize(("environment", "says"), WRONG.values(), ids=WRONG)
def test_a_setting_that_cannot_sign_is_said_at_start(
    files: tuple[Path, Path], environment: Callable[[Path, Path], dict[str, str]], says: str
) -> None:
    with pytest.raises(SettingsError, match=says):
        load(environment(*files))


@pytest.mark.parametrize("kind", ["X25519", "RSA"])
def test_a_key_of_another_kind_is_refused(tmp_path: Path, kind: str) -> None:
    private, public = tmp_path / "key.pem", tmp_path / "public.pem"
    subprocess.run(["openssl", "genpkey", "-quiet", "-algorithm", kind, "-out", private], check=True)
    subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True)
    with pytest.raises(ValueError, match="another kind"):
        key_from_file(private)
    with pytest.raises(ValueError, match="another kind"):
        public_key_from_file(public)
