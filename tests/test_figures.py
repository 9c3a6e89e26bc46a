"""Figures that documents name are those of the code."""

from __future__ import annotations

import json
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict

from api.app import SPARE
from api.http.middleware import MAX_HEADERS
from api.http.server import READ_SECONDS, SLOWEST, WRITE_SECONDS
from api.http.upload import MAX_FILE
from application.importing.source import CHUNK_ROWS, MAX_CSV_ROWS, MAX_JSON_ROWS
from application.outbox import MOST_A_DAY
from application.webhook import OVERLAP_HOURS
from daybook.openapi import ROOT
from daybook.supervisor import GRACE_SECONDS
from eventstore.letting_go import MANY
from eventstore.patience import BULK, PATIENCE_SECONDS, READS, within_time
from gateways.webhook import TIMEOUT_SECONDS
from projections.activity import COUNT_STEP
from projections.catalogue import VIEWS
from projections.contact_alike import SOON
from projections.table import swapping
from projections.table.listing import SORTED
from projections.table.parts import PART
from projections.table.rebuild import WORTH_SHARING
from projections.table.search import MAX_WORDS
from schemas.wire.reading import MAX_DEPTH, MAX_VALUES
from workers import contact_alike, job_retention, log_checkpoint, outbox
from workers.running import housekeeping
from workers.running.broker import MAX_AGE_DAYS
from workers.running.context import PATIENCE_SECONDS as WORKERS_PATIENCE
from workers.webhook import retention
from workers.webhook.delivery import AS_DOCUMENTED
from workers.webhook.expander import CONSUMER as EXPANDER

DAY, HOUR, MINUTE = 86400, 3600, 60
WORDS = {4: "four", 5: "five", 6: "six", 10: "ten", 20: "twenty", 30: "30"}
CONSUMERS = (EXPANDER, *(view.name for view in VIEWS))
LIMITS = {name: int(limit or 0) for name, limit in conninfo_to_dict(within_time("")).items()}
MAILS = outbox.AS_DOCUMENTED.schedule


def lasting(seconds: float) -> str:
    for unit, name in ((HOUR, "h"), (MINUTE, "min")):
        if seconds >= unit and seconds % unit == 0:
            return f"{seconds / unit:g} {name}"
    return f"{seconds:g} s"


def schedule() -> str:
    *most, last = (lasting(seconds) for seconds in AS_DOCUMENTED.schedule[1:])
    return f"{', '.join(most)} and {last}"


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("README.md", f"More than {CHUNK_ROWS:,} rows become a job"),
        ("CHANGELOG.md", f"CSV files of up to {MAX_CSV_ROWS:,} rows"),
        ("docs/importing.md", f"up to {MAX_CSV_ROWS:,} rows and {MAX_FILE // 2**20} MB"),
        ("docs/importing.md", f"up to {MAX_JSON_ROWS:,}"),
        ("docs/importing.md", f"Up to {CHUNK_ROWS:,} rows are answered at once"),
        ("docs/importing.md", f"Jobs that have ended are kept for {job_retention.KEEP_SECONDS / DAY:g} days"),
        ("docs/webhooks.md", f"A 2xx answer within {TIMEOUT_SECONDS:g} seconds is success"),
        ("docs/webhooks.md", f"It is tried again after {schedule()} (each give or take a tenth)"),
        ("docs/webhooks.md", f"as do {WORDS[round(AS_DOCUMENTED.failing / DAY)]} days of nothing but failures"),
        ("docs/webhooks.md", f"for {OVERLAP_HOURS} hours both sign"),
        ("docs/webhooks.md", f"kept for {retention.KEEP_SECONDS / DAY:g} days"),
        ("docs/operating.md", f"({MAX_AGE_DAYS} days when nothing is said)"),
        ("docs/operating.md", f"A host that says nothing is given up after {LIMITS['connect_timeout']} seconds"),
        ("docs/operating.md", f"one that is gone after {LIMITS['tcp_user_timeout'] // 1000} (`tcp_user_timeout`"),
        ("docs/operating.md", f"`DAYBOOK_PATIENCE_SECONDS`), or {WORKERS_PATIENCE:g} to what a worker's imports write"),
        ("docs/operating.md", f"workers have {WORKERS_PATIENCE:g} seconds for {PATIENCE_SECONDS:g}"),
        ("docs/operating.md", f"imports, gets {WORDS[BULK]} times as much, an export {WORDS[READS]} times"),
        ("docs/operating.md", f"keeps its workspace waiting for {PATIENCE_SECONDS / 3:g} seconds"),
        ("docs/operating.md", f"A client gets {READ_SECONDS:g} seconds for a request's head"),
        ("docs/operating.md", f"must send at least {SLOWEST:,} bytes of the body a second"),
        ("docs/operating.md", f"does not take its answer for {WRITE_SECONDS:g} seconds"),
        ("docs/operating.md", f"needs the live table to itself, tries for {swapping.TRY_MILLISECONDS} ms"),
        ("docs/operating.md", f"After {WORDS[round(swapping.PATIENCE_SECONDS / MINUTE)]} minutes it gives up"),
        ("docs/operating.md", f"Of more than {(WORTH_SHARING - 1) * PART:,} events, rows are folded by several"),
        ("docs/operating.md", f"`housekeeping` within {WORDS[round(housekeeping.EVERY_SECONDS / MINUTE)]} minutes"),
        ("docs/operating.md", f"for each consumer of the log ({', '.join(f'`{name}`' for name in CONSUMERS)})"),
        (
            "docs/operating.md",
            f"is tried again after {MAILS[0]:g} seconds, and then ever less often for {sum(MAILS) / HOUR:.0f} hours",
        ),
        ("docs/operating.md", f"A workspace writes at most {MOST_A_DAY} mails a day"),
        ("docs/operating.md", f"the process has {WORDS[SPARE]} more ([settings](settings.md))"),
        ("docs/settings.md", f"It has a connection to Postgres for each, and {WORDS[SPARE]} more"),
        ("docs/settings.md", f"a log of more than {(WORTH_SHARING - 1) * PART:,} events"),
        ("CHANGELOG.md", f"such as `city` or `birthday`: up to {SORTED:,} of them"),
        ("CHANGELOG.md", f"Deleting a tag of more than {MANY:,} contacts"),
        ("CHANGELOG.md", f"Where more than {MANY:,} things refer to the other, a job merges the two"),
        ("CHANGELOG.md", f"JSON is nested at most {MAX_DEPTH} deep and holds at most {MAX_VALUES:,} values"),
        ("CHANGELOG.md", f"headers of more than {MAX_HEADERS // 1024} KB are refused (431)"),
        ("CHANGELOG.md", f"more than {WORDS[MAX_WORDS]} words to search for"),
        ("docs/adr/0020-totals-of-the-audit-trail.md", f"when they are {COUNT_STEP:,} events or more behind"),
        ("docs/adr/0052-duplicates.md", f"Of more than {SOON:,} events behind"),
        ("docs/adr/0052-duplicates.md", f"looks every {WORDS[round(contact_alike.EVERY_SECONDS)]} seconds"),
        ("docs/adr/0023-the-supervisor.md", f"kills whole groups after {WORDS[round(GRACE_SECONDS)]} seconds"),
    ],
)
def test_a_figure_in_a_page_is_that_of_the_code(page: str, said: str) -> None:
    assert said in (ROOT / page).read_text()


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        ("importContacts", f"Up to {CHUNK_ROWS:,} rows are answered at once"),
        (
            "importContacts",
            f"JSON takes {MAX_JSON_ROWS:,} rows, a file {MAX_CSV_ROWS:,} rows and {MAX_FILE // 2**20} MB",
        ),
        ("listWebhookDeliveries", f"Completed ones are kept for {retention.KEEP_SECONDS / DAY:g} days"),
        ("rotateWebhookSecret", f"for {OVERLAP_HOURS} hours"),
    ],
)
def test_a_figure_in_the_api_is_that_of_the_code(operation: str, said: str) -> None:
    document: dict[str, Any] = json.loads((ROOT / "schemas" / "openapi.json").read_text())
    found = [made for item in document["paths"].values() for made in item.values() if made["operationId"] == operation]
    assert said in " ".join(found[0]["description"].split())


def test_heads_are_signed_every_hour() -> None:
    assert log_checkpoint.EVERY_SECONDS == HOUR
    assert "Heads are signed (Ed25519) every hour" in (ROOT / "docs" / "architecture.md").read_text()
