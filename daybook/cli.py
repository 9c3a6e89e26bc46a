"""The command line."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NoReturn
from uuid import UUID

import click
import psycopg
from psycopg.errors import InsufficientPrivilege

from daybook import audit_bundle, audit_explain, logs, openapi, settings, web
from daybook.audit import audit, trusted_option
from daybook.auditing import verify_export, verify_installation
from daybook.collector import spare_the_collector
from daybook.embedded import EmbeddedServerError
from daybook.installation import owner_url
from daybook.progress import progress
from daybook.serve import bring_up_to_date, set_passwords
from daybook.serve import serve as serve_all
from daybook.settings import Settings, SettingsError
from daybook.sharing import sharing
from daybook.supervisor import watch_parent
from eventstore.migrate import MigrationError, connect
from projections.activity import forget_counts
from projections.catalogue import TABLES, VIEWS
from projections.contact_alike_kept import forget_groups
from projections.table.rebuild import rebuild
from projections.view.rebuild import rebuild as rebuild_view
from workers.catalogue import WORKERS
from workers.running.broker import StreamSettings
from workers.running.context import WorkerConfig
from workers.running.runner import run as run_workers

Say = Callable[[str], None]


def _say(line: str) -> None:
    click.echo(line)
    sys.stdout.flush()


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="daybook")
@click.pass_context
def daybook(context: click.Context) -> None:
    """Daybook: an event-sourced CRM. Settings come from the environment: see docs/settings.md."""
    context.obj = settings.load()
    logs.configure(context.obj.log_level, context.obj.log_format)


@daybook.command()
@click.pass_obj
def serve(found: Settings) -> None:
    """Run everything on an embedded Postgres and NATS (data in DAYBOOK_DATA)."""
    sys.exit(serve_all(found, _say))


@daybook.command()
@click.pass_obj
def api(found: Settings) -> None:
    """Run one API process (DATABASE_URL as daybook_app, NATS_URL, DAYBOOK_SECRET_KEY)."""
    web.serve(found)


@daybook.command()
@click.argument("names", nargs=-1, type=click.Choice(sorted(WORKERS)))
@click.pass_obj
def worker(found: Settings, names: tuple[str, ...]) -> None:
    """Run workers, all or those named (DATABASE_URL as daybook_worker, NATS_URL, DAYBOOK_SECRET_KEY)."""
    watch_parent()
    config = WorkerConfig(
        database_url=found.need_database(),
        nats_url=found.need_nats(),
        secret_key=found.need_secret_key(),
        allow_private_webhooks=bool(found.allow_private_webhooks),
        metrics_port=found.metrics_port,
        metrics_host=found.metrics_host,
        mail_server=found.mail_server,
        access_log_days=found.access_log_days,
        checkpoint_sink=found.need_checkpoint_sink(),
        signing=found.signer(found.need_secret_key()),
        stream=StreamSettings(found.stream_replicas, found.stream_max_age_days),
    )
    spare_the_collector()
    asyncio.run(run_workers(config, WORKERS, names))


@daybook.command()
@click.pass_obj
def migrate(found: Settings) -> None:
    """Bring the schema up to date and rebuild the rows whose shape changed (DATABASE_URL as the owner)."""
    spare_the_collector()
    with owner_url(found) as url:
        bring_up_to_date(url, _say, found.rebuild_processes)
        set_passwords(url, found)
    _say("up to date")


@daybook.command()
@click.option("--workspace", "workspaces", multiple=True, type=click.UUID, help="Only this one; may be repeated.")
@click.option(
    "--file",
    "export",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Verify an export instead (NDJSON as GET /log answers it): needs no database.",
)
@click.option(
    "--checkpoints",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Signed heads kept from earlier, one JSON object a line: the log must still go through them.",
)
@trusted_option
@click.pass_obj
def verify(
    found: Settings,
    workspaces: tuple[UUID, ...],
    export: Path | None,
    checkpoints: Path | None,
    trusted: tuple[str, ...],
) -> None:
    """Walk every log's chain, fold it, and compare every row.

    Exits with 1 naming the first thing that is wrong, and with 2 when it could not be checked.
    """
    if export is not None:
        sys.exit(verify_export(export, checkpoints, trusted or None, _say))
    spare_the_collector()
    with owner_url(found) as url, progress("verifying") as advance:
        code = verify_installation(url, workspaces, checkpoints, trusted or None, advance, _say)
    sys.exit(code)


daybook.add_command(audit)
audit_bundle.add_to(audit)
audit_explain.add_to(audit)


@daybook.group()
def projections() -> None:
    """The rows and views folded from the log."""


@projections.command("rebuild")
@click.argument(
    "names", nargs=-1, type=click.Choice([*(table.name for table in TABLES), *(view.name for view in VIEWS)])
)
@click.option("--all", "everything", is_flag=True, help="All of them, and all counts; so it is when none is named.")
@click.pass_obj
def rebuild_projections(found: Settings, names: tuple[str, ...], *, everything: bool) -> None:
    """Fold the log into new tables and views out of sight of the live ones and swap them: those named, or all.

    Commands and reads go on meanwhile. One that is interrupted changes nothing and leaves nothing.
    """
    if names and everything:
        raise click.UsageError("give names, or --all")
    spare_the_collector()
    with owner_url(found) as url, connect(url) as conn, sharing(url, found.rebuild_processes) as share:
        for table in TABLES:
            if not names or table.name in names:
                _rebuild(table.name, partial(rebuild, conn, table, say=_say, share=share))
        for view in VIEWS:
            if not names or view.name in names:
                _rebuild(view.name, partial(rebuild_view, conn, view, say=_say))
        if not names:
            forget_counts(conn)
        forget_groups(conn, names or [table.name for table in TABLES])


def _rebuild(name: str, build: Callable[[Callable[[int, int], None]], int]) -> None:
    with progress(name) as advance:
        count = build(partial(advance, "events"))
    _say(f"rebuilt {name}: {count} rows")


@daybook.command("openapi")
@click.option("--write", is_flag=True, help="Write schemas/openapi.json, schemas/events/*.json and docs/events.md.")
def openapi_documents(*, write: bool) -> None:
    """Print the OpenAPI document, or write it and the events' schemas into the checkout."""
    if write:
        for path in openapi.write():
            _say(str(path))
    else:
        click.echo(openapi.openapi_document())


def main() -> None:
    """Runs the command line; what a user can mend is one line on standard error and exit code 2."""
    try:
        daybook.main(standalone_mode=True)
    except (SettingsError, EmbeddedServerError, MigrationError) as error:
        _end(str(error))
    except (psycopg.OperationalError, InsufficientPrivilege) as error:
        _end(f"the database cannot be used: {' '.join(str(error).split())}")


def _end(reason: str) -> NoReturn:
    click.echo(f"daybook: {reason}", err=True)
    sys.exit(2)
