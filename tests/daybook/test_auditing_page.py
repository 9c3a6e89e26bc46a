"""What docs/auditing.md has auditors type is there: commands with their options, operations with their parameters, figures."""

from __future__ import annotations

import re
import shlex
from typing import Final
from urllib.parse import parse_qs, urlsplit

import click
import pytest

from api.http import access, fresh
from api.log import MAX_ENTRIES
from api.log_state import MAX_EVENTS as MOST_OF_A_STATE
from daybook.cli import daybook
from daybook.embedded import EmbeddedPostgres
from daybook.openapi import ROOT
from eventstore import letting_go, proof
from eventstore.bundle.contents import MAX_CHECKPOINTS, MAX_LINE, PART_EVENTS
from eventstore.bundle.verifying import MAX_EVENTS
from eventstore.migrate import connect
from projections import history_cause
from projections.catalogue import TABLES, VIEWS
from projections.verify import BESIDE
from tests.api.sweeps.operations import OPERATIONS
from tests.servers import another_database
from workers.consuming.view import LINGER_SECONDS

PAGE: Final = (ROOT / "docs" / "auditing.md").read_text()
TYPED: Final = re.findall(r"^\$ (.+)$", PAGE.replace(" \\\n", " "), re.MULTILINE)
COMMANDS: Final = [line for line in TYPED if line.startswith("daybook ")]
REQUESTS: Final = [line.partition(" | ")[0] for line in TYPED if line.startswith("curl ")]


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_that_is_typed_takes_what_it_is_given(line: str) -> None:
    command: click.Command = daybook
    words = shlex.split(line)[1:]
    while isinstance(command, click.Group):
        command = command.commands[words.pop(0)]
    options = {name: option for option in command.params for name in option.opts if isinstance(option, click.Option)}
    given = [word for word in words if word.startswith("-")]
    assert [word for word in given if word not in options] == []
    required = [option for option in options.values() if option.required]
    assert all(set(option.opts) & set(given) for option in required)


@pytest.mark.parametrize("line", REQUESTS)
def test_a_request_that_is_typed_is_of_an_operation_with_its_parameters(line: str) -> None:
    words = shlex.split(line)
    (address,) = (word for word in words if word.startswith("$DAYBOOK"))
    parts = urlsplit(address.removeprefix("$DAYBOOK"))
    method = words[words.index("-X") + 1] if "-X" in words else "GET"
    (found,) = (op for op in OPERATIONS if op.method == method and _shape(op.path) == _shape(parts.path))
    assert set(parse_qs(parts.query)) <= set(found.taken("query"))


def _shape(path: str) -> str:
    return re.sub(r"{\w+}", "{}", path)


@pytest.mark.parametrize(
    "said",
    [
        f"has at most {proof.MAX_LINKS:,} links",
        f"An answer of `GET /log` has {MAX_ENTRIES:,} entries at most",
        f"the newest {MAX_CHECKPOINTS:,} |",
        f"at most {PART_EVENTS:,} events each",
        f"more than `--max-events` ({MAX_EVENTS:,};",
        f"of logs of at most {MOST_OF_A_STATE:,} events by then",
        f"A chain has {history_cause.MAX_LINKS} events at most",
        f"with the ids of those on the page, {access.MOST_SHOWN} at most",
        f"Where {access.MOST:,} wait",
        f"a moment whose past a worker has not kept yet, after {fresh.WAIT_SECONDS:g} s",
        f"with more than {letting_go.MANY:,} of them a job does it",
        f"A line of more than {MAX_LINE // 2**20} MiB is none of a log",
    ],
)
def test_a_figure_is_that_of_the_code(said: str) -> None:
    assert said in PAGE


def test_entries_are_written_four_times_a_second() -> None:
    assert access.EVERY_SECONDS == 1 / 4
    assert "four times a second" in PAGE


def test_a_burst_is_gathered_for_a_tenth_of_a_second() -> None:
    assert LINGER_SECONDS == 1 / 10
    assert "of a burst it gathers a tenth of a second at a time" in PAGE


NOT_LOOKED_AT: Final = {
    "access_log": "It is an ordinary table and no part of the log: it is not chained, `verify` does not look at it",
    "account_workspaces": "accounts",
    "accounts": "accounts",
    "audit_export_pieces": "bundles that were made",
    "endings": "what jobs have in hand",
    "idempotency_keys": "answers under idempotency keys",
    "job_cancellations": "jobs",
    "job_chunks": "jobs",
    "job_errors": "jobs",
    "job_needs": "what jobs have in hand",
    "jobs": "jobs",
    "outbox": "mails",
    "rate_windows": "rate limits",
    "relay_streams": "how far the stream has been compared",
    "sessions": "sessions",
    "webhook_attempts": "deliveries and their attempts",
    "webhook_deliveries": "deliveries and their attempts",
    "webhook_health": "how endpoints have fared",
}
"""By table, what the page says that nothing adds up to."""
OF_THE_SCHEMA: Final = {"projection_versions", "schema_migrations"}


def test_every_table_is_verified_or_said_not_to_be(postgres: EmbeddedPostgres) -> None:
    verified = {*BESIDE, *(table.table for table in TABLES), *(table.name for view in VIEWS for table in view.tables)}
    with another_database(postgres, "tables") as url, connect(url) as owner:
        rows = owner.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
            " AND NOT relispartition"
        )
        there = {row[0] for row in rows}
    assert there == verified | NOT_LOOKED_AT.keys() | OF_THE_SCHEMA
    (said,) = re.findall(r"Constraints, indexes, .*", PAGE)
    assert {
        name for name, words in NOT_LOOKED_AT.items() if words not in (PAGE if name == "access_log" else said)
    } == set()
