"""``daybook audit explain``: why a field of one thing is as it is."""

from __future__ import annotations

from uuid import UUID

import click

from daybook.installation import owner_url
from daybook.settings import Settings
from domain.kernel import Refused
from eventstore.database import Db, open_pool, reading
from eventstore.mapper import EventMapper
from eventstore.moment import seq_of
from projections import history_cause as causes
from projections.catalogue import ROWS
from projections.history import Subject
from schemas.history_cause import CauseLink, ExplanationView
from schemas.wire.writing import encode


@click.command("explain")
@click.option("--workspace", type=click.UUID, required=True, help="Whose log.")
@click.option("--as-of", help="Why it was as it was then: a seq, or an RFC 3339 time; else now.")
@click.argument("kind", type=click.Choice(sorted(ROWS)))
@click.argument("thing", type=click.UUID)
@click.argument("field")
@click.pass_obj
def explain(found: Settings, workspace: UUID, as_of: str | None, kind: str, thing: UUID, field: str) -> None:
    """Tell which event set a FIELD of a THING (a kind and an id), and what led to that, up to the first cause.

    A key of custom fields is customFields.KEY.
    """
    with owner_url(found) as url, open_pool(url, size=1) as pool, reading(pool, workspace) as conn:
        try:
            told = _explained(conn, Subject(ROWS[kind], thing), field, as_of)
        except Refused as refusal:
            raise click.UsageError(refusal.message) from None
    _tell(told)


def _explained(conn: Db, subject: Subject, field: str, as_of: str | None) -> ExplanationView:
    seq = None if as_of is None else seq_of(conn, as_of, "--as-of")
    return causes.explained(conn, EventMapper(), subject, field, seq)


def _tell(told: ExplanationView) -> None:
    click.echo(f"{told.field} is {encode(told.value).decode()}")
    if not told.ever_set:
        click.echo("no event has ever set it")
        return
    click.echo(f"it was {encode(told.was).decode()} before")
    for number, link in enumerate(told.chain):
        click.echo(f"{'because of' if number else 'set by    '} {_line(link)}")
    if told.job is not None:
        click.echo(f"done by    job {told.job.id} ({told.job.kind})")
    if told.truncated:
        click.echo("there are causes that are not told")


def _line(link: CauseLink) -> str:
    who = link.user_name or link.actor.type
    request = f", request {link.request_id}" if link.request_id else ""
    return f"seq {link.seq}: {link.event} of {link.entity_type} {link.entity_id}, {link.recorded_at.isoformat()}, {who}{request}"


def add_to(audit: click.Group) -> None:
    audit.add_command(explain)
