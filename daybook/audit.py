"""The auditor's commands, and what all commands that verify take."""

from __future__ import annotations

import click

from application.calling.signing import signing_key
from daybook.installation import secret_key
from daybook.settings import Settings
from eventstore.checkpoint import as_fingerprint, fingerprint


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
    public_key = signing_key(secret_key(found)).public_key().public_bytes_raw()
    click.echo(f"public key   {public_key.hex()}")
    click.echo(f"fingerprint  {fingerprint(public_key)}")
