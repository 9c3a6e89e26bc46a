"""``daybook audit export``, ``verify``, ``replay`` and ``state``: what an auditor does with a bundle, and what it is held to."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import click

from application.log_checkpoint import sign
from daybook.audit import trusted_option
from daybook.auditing import kept_checkpoints, tell_checkpoints
from daybook.installation import owner_url, signer
from daybook.progress import progress
from daybook.settings import Settings, SettingsError
from domain.kernel import Refused
from eventstore.bundle.making import declared, pieces, stretch
from eventstore.bundle.replaying import replayed
from eventstore.bundle.verifying import MAX_EVENTS, TooLargeError, Verified, verify_bundle
from eventstore.database import Connected, Pool, open_pool, reading
from eventstore.moment import seq_of
from eventstore.reader import head
from eventstore.state import States, stored_events
from schemas.log import Actor
from schemas.verification import Checkpoint

CODES: Final = {"intact": 0, "tampered": 1, "incomplete": 2}
USAGE: Final = 3

existing_file = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
workspace_option = click.option("--workspace", type=click.UUID, required=True, help="Whose log.")


class Offline(click.Command):
    """A command whose exit code says what was found: so a mistake of who calls it is none of these, but 3."""

    def make_context(self, *args: Any, **given: Any) -> click.Context:
        with _usage():
            return super().make_context(*args, **given)

    def invoke(self, ctx: click.Context) -> Any:
        with _usage():
            return super().invoke(ctx)


class MisusedError(click.UsageError):
    """What was asked for cannot be."""

    exit_code = USAGE


@contextmanager
def _usage() -> Iterator[None]:
    try:
        yield
    except click.UsageError as error:
        raise MisusedError(error.format_message(), error.ctx) from None
    except (Refused, SettingsError, TooLargeError, OSError, sqlite3.Error) as error:
        raise MisusedError(str(error)) from None


@contextmanager
def _writable() -> Iterator[None]:
    """A file that cannot be written is said to be so."""
    try:
        yield
    except OSError as error:
        raise SettingsError(str(error)) from error


class Kept(click.ParamType[list[Checkpoint]]):
    """A file of signed heads, one JSON object a line."""

    name = "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[Checkpoint]:
        try:
            return kept_checkpoints(existing_file.convert(value, param, ctx)) if value else []
        except SettingsError as error:
            self.fail(str(error), param, ctx)


checkpoints_option = click.option(
    "--checkpoints",
    type=Kept(),
    default="",
    show_default=False,
    help="Signed heads kept from earlier, one JSON object a line: the bundle must go through them.",
)
max_events_option = click.option(
    "--max-events",
    type=click.IntRange(min=1),
    default=MAX_EVENTS,
    show_default=True,
    help="Refuse a bundle of more: each takes some 300 bytes of memory.",
)


@click.command("export")
@workspace_option
@click.option("--from", "since", help="The seq of the first event, or an RFC 3339 time: the events recorded after it.")
@click.option("--to", "until", help="The seq of the last event, or an RFC 3339 time: the events recorded by then.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The bundle.")
@click.pass_obj
def export(found: Settings, workspace: UUID, since: str | None, until: str | None, output: Path) -> None:
    """Write a workspace's log, or a stretch of it, into a bundle that can be verified without the database."""
    with owner_url(found) as url, open_pool(url, size=1) as pool:
        connected = partial(reading, pool, workspace)
        if until is None:
            _check_beginning(connected, since)
            until = _signed_end(found, pool, workspace)
        written = _write(connected, output, since, until)
    click.echo(f"{output}: {written:,} bytes", err=True)


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except Refused as refusal:
        raise click.UsageError(str(refusal)) from None


def _check_beginning(connected: Connected, since: str | None) -> None:
    """What begins nowhere is refused before the log's end is signed for it."""
    with _refusing(), connected() as conn:
        stretch(conn, since, None)


def _signed_end(found: Settings, pool: Pool, workspace: UUID) -> str | None:
    """The seq of the log's end, of which there is a signed head now; ``None`` where the key is not at hand."""
    try:
        key = signer(found)
    except SettingsError as error:
        click.echo(f"the log's end is not signed for this: {error}", err=True)
        return None
    return str(sign(pool, workspace, key).seq)


def _write(connected: Connected, output: Path, since: str | None, until: str | None) -> int:
    """Under another name until it is whole; answers its size in bytes."""
    with _refusing(), connected() as conn:
        declaration = declared(conn, Actor(type="system"), datetime.now(UTC), since=since, until=until)
    unfinished = output.with_name(f"{output.name}.unfinished")
    total = declaration.last - declaration.first + 1
    with _writable(), unfinished.open("wb") as file, progress("exporting") as advance:
        for piece in pieces(connected, declaration):
            file.write(piece.content)
            advance("events", sum(piece.types.values()), total)
    unfinished.replace(output)
    return output.stat().st_size


@click.command("verify", cls=Offline)
@click.argument("bundle", type=existing_file)
@checkpoints_option
@trusted_option
@max_events_option
def verify(bundle: Path, checkpoints: Sequence[Checkpoint], trusted: tuple[str, ...], max_events: int) -> None:
    """Verify a bundle with nothing but what is in it and what you kept: no database, no network.

    Exits with 0 where it is intact, with 1 where it was tampered with, naming the first event that is wrong, with 2 where
    something of it is missing, and with 3 where it was not asked as it must be.
    """
    with bundle.open("rb") as file, progress("verifying") as advance:
        found = verify_bundle(
            file, checkpoints=checkpoints, trusted=trusted or None, progress=advance, max_events=max_events
        )
    _tell(found)
    sys.exit(CODES[found.verdict])


@click.command("replay", cls=Offline)
@click.argument("bundle", type=existing_file)
@click.option("--until", help="A seq, or an RFC 3339 time; the bundle's last event where it is not given.")
@click.option(
    "--out", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Write the states here, one a line."
)
@checkpoints_option
@trusted_option
@max_events_option
def replay(
    bundle: Path,
    until: str | None,
    out: Path | None,
    checkpoints: Sequence[Checkpoint],
    trusted: tuple[str, ...],
    max_events: int,
) -> None:
    """Build the state from a bundle alone, as of a moment, and print its hash: GET /log/state answers the same.

    The bundle is verified on the way; the exit codes are those of verify.
    """
    with bundle.open("rb") as file, progress("replaying") as advance:
        how = replayed(
            file, until, checkpoints=checkpoints, trusted=trusted or None, progress=advance, max_events=max_events
        )
        with how as found:
            if found.states is not None:
                _tell_state(found.seq, found.states, out)
    if found.states is None:
        _tell(found.verified)
    sys.exit(CODES[found.verified.verdict])


@click.command("state")
@workspace_option
@click.option("--as-of", help="A seq, or an RFC 3339 time; now where it is not given.")
@click.option(
    "--out", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Write the states here, one a line."
)
@click.pass_obj
def state(found: Settings, workspace: UUID, as_of: str | None, out: Path | None) -> None:
    """Fold a workspace's log in the database up to a moment, and print what replay prints; a log may be of any size."""
    with owner_url(found) as url, open_pool(url, size=1) as pool:
        connected = partial(reading, pool, workspace)
        with _refusing(), connected() as conn:
            last, _ = head(conn)
            if not last:
                raise click.UsageError(f"workspace {workspace} has no log, or nothing in it")
            seq = last if as_of is None else seq_of(conn, as_of, "--as-of")
        _tell_state(seq, States(stored_events(connected, seq)), out)


def add_to(audit: click.Group) -> None:
    for command in (export, verify, replay, state):
        audit.add_command(command)


def _tell(found: Verified) -> None:
    said, report = found.declaration, found.report
    if report.finding is not None:
        click.echo(f"TAMPERED: {report.finding}")
        click.echo(f"intact up to there: {report.events} events")
        return
    if said is not None:
        click.echo(f"workspace    {said.workspace_id}")
        click.echo(
            f"declared     events {said.first} to {said.last} of {said.log_end}, {said.made_at}, {said.software}"
        )
    if found.incomplete is not None:
        click.echo(f"INCOMPLETE: {found.incomplete}")
        click.echo(f"intact as far as it goes: {report.events} events")
        return
    click.echo(f"events       {report.events}, without a gap, each chained to the one before")
    tell_checkpoints(report, click.echo)
    click.echo("intact")


def _tell_state(seq: int, states: States, out: Path | None) -> None:
    if out is None:
        states.fold()
    else:
        with _writable(), out.open("wb") as file:
            file.writelines(line + b"\n" for line in states.lines())
    click.echo(f"seq     {seq}")
    for kind, count in sorted(states.counts.items()):
        click.echo(f"        {count} {kind}")
    click.echo(f"hash    {states.hash.hex()}")
