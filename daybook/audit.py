"""The auditor's commands, and what all commands that verify take."""

from __future__ import annotations

import sys
from typing import BinaryIO, Final
from uuid import UUID

import click
import msgspec
from psycopg.errors import NoDataFound

from application.log_checkpoint import sign
from daybook.installation import owner_url, signer
from daybook.settings import Settings, SettingsError
from domain.kernel import Refused
from eventstore.checkpoint import as_fingerprint, fingerprint
from eventstore.database import open_pool
from eventstore.printed import printed
from eventstore.proof import check_proof
from eventstore.verify import MismatchError
from schemas.verification import Proof

MOST_BYTES: Final = 10_000_000
"""Of a proof: more than its links and the largest entry come to."""


class TrustedKey(click.ParamType[str]):
    """A public key by its 64 hex digits or by its fingerprint; kept as the fingerprint."""

    name = "key"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return as_fingerprint(value)
        except ValueError as error:
            self.fail(f"{value!r} {error}", param, ctx)


trusted_option = click.option(
    "--trusted",
    type=TrustedKey(),
    multiple=True,
    help="A public key (hex) or its fingerprint: checkpoints of any other are found; may be repeated.",
)
"""For a command that verifies: ``trusted`` is a tuple of fingerprints, empty where every key is believed."""


@click.group()
def audit() -> None:
    """What an auditor asks for: see docs/auditing.md."""


@audit.command("key")
@click.pass_obj
def show_key(found: Settings) -> None:
    """Print the public key that signs checkpoints, and its fingerprint: what to give to --trusted."""
    public_key = signer(found).public_key().public_bytes_raw()
    click.echo(f"public key   {public_key.hex()}")
    click.echo(f"fingerprint  {fingerprint(public_key)}")


@audit.command("checkpoint")
@click.option("--workspace", type=click.UUID, required=True, help="Whose log.")
@click.option("--print", "line", is_flag=True, help="As one line to print or to type, instead of JSON.")
@click.pass_obj
def sign_now(found: Settings, workspace: UUID, *, line: bool) -> None:
    """Sign the head of a log as it is now, and print it: what to give to verify --checkpoints."""
    key = signer(found)
    with owner_url(found) as url, open_pool(url, size=1) as pool:
        try:
            signed = sign(pool, workspace, key)
        except (Refused, NoDataFound) as error:
            raise SettingsError(str(error)) from error
    click.echo(printed(signed) if line else msgspec.json.encode(signed).decode())


@audit.command("verify-proof")
@click.argument("file", type=click.File("rb"))
@trusted_option
def verify_proof(file: BinaryIO, trusted: tuple[str, ...]) -> None:
    """Check a proof of GET /log/proof, without database and network: exits with 1 and what is wrong, if anything is."""
    proof = _proof(file.read(MOST_BYTES))
    try:
        check_proof(proof, list(trusted) or None)
    except MismatchError as mismatch:
        click.echo(f"WRONG: {mismatch.finding}")
        sys.exit(1)
    entry, checkpoint = proof.entry, proof.checkpoint
    click.echo(f"entry        {entry.seq} of workspace {entry.workspace_id}: {entry.type}, {entry.id}")
    click.echo(f"is in        the log whose head {checkpoint.seq} was signed at {checkpoint.signed_at}")
    click.echo(f"signed by    {as_fingerprint(checkpoint.public_key)}{'' if trusted else ': do you trust that key?'}")


def _proof(content: bytes) -> Proof:
    """As the API answers it, or what is in its ``data``. Raises ``SettingsError`` for anything else."""
    try:
        found = msgspec.json.decode(content)
        return msgspec.json.decode(msgspec.json.encode(found.get("data", found)), type=Proof)
    except (msgspec.MsgspecError, UnicodeDecodeError, AttributeError, RecursionError) as error:
        raise SettingsError(f"that is no proof: {error}") from error
