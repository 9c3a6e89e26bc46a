"""Whatever is changed behind the service's back is found, and where."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import LiteralString
from uuid import UUID

import msgspec
import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from daybook.embedded import EmbeddedPostgres
from domain.contact import CONTACT, ContactDeleted, CreateContact, UntagContact, UpdateContact
from domain.tag import TagRef
from eventstore.append import Origin
from eventstore.chain import GENESIS
from eventstore.checkpoint import sign_head
from eventstore.database import Db, Pool, open_pool
from eventstore.ids import new_id
from eventstore.migrate import connect
from eventstore.unit_of_work import EventStore
from eventstore.verify import Report
from eventstore.work import Work
from projections.api_key import API_KEYS
from projections.contact import CONTACTS
from projections.tag_row import TAGS
from projections.verify import all_workspaces, verify
from projections.workspace import WORKSPACES
from schemas.log import Actor, Stream
from schemas.verification import Finding
from tests.conftest import make_workspace
from tests.servers import another_database
from tests.verify.tampering import EVENTS, Auditor, Past, write_contacts, write_past, write_raw

MEGABYTE = 2**20


def test_what_the_service_wrote_verifies(owner: Db, workspace: UUID, past: Past) -> None:
    progress: dict[str, int] = {"log": 0, "rows": 0}

    def note(what: str, more: int) -> None:
        progress[what] += more

    report = verify(owner, workspaces=[workspace], progress=note)
    assert report == Report(workspaces=1, events=EVENTS, rows=4)
    assert progress == {"log": EVENTS, "rows": EVENTS}


def test_an_empty_log_verifies(owner: Db, workspace: UUID) -> None:
    assert verify(owner, workspaces=[workspace]) == Report(workspaces=1)


EDITS: dict[str, LiteralString] = {
    "a letter of the data": """data = replace(data::text, 'ACTIVE', 'ARCHIVED')::jsonb""",
    "a number of the data": "data = jsonb_set(data, '{x}', '0.1')",
    "a null in the data": "data = data || '{\"lastName\": null}'",
    "a letter taken from the data": "data = data - 'type'",
    "the actor": "actor_id = gen_random_uuid()",
    "no actor": "actor_id = NULL",
    "the kind of actor": "actor_type = 'system'",
    "a kind of actor that looks like the next field": """actor_type = 'user"},"x":{"y":"'""",
    "the request": "request_id = 'req-2'",
    "no request": "request_id = NULL",
    "the chain of causes": "correlation_id = gen_random_uuid()",
    "the cause": "causation_id = gen_random_uuid()",
    "no cause": "causation_id = NULL",
    "the event type": "type = 'contact.deleted'",
    "the stream type": "stream_type = 'tag'",
    "the stream": "stream_id = gen_random_uuid()",
    "the version": "version = 7",
    "the id": "event_id = gen_random_uuid()",
    "when it was decided": "occurred_at = occurred_at + interval '1 microsecond'",
    "when it was recorded": "recorded_at = recorded_at + interval '1 microsecond'",
    "a time without end": "recorded_at = 'infinity'",
    "a time before Christ": "occurred_at = (occurred_at::text || ' BC')::timestamptz",
    "the hash": "hash = set_byte(hash, 31, get_byte(hash, 31) # 1)",
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_an_edited_event_is_found(auditor: Auditor, past: Past, edit: LiteralString) -> None:
    auditor.tamper("UPDATE events SET " + edit + " WHERE workspace_id = %(w)s AND seq = 3")
    finding = auditor.finding()
    assert (finding.seq, finding.what) == (3, "hash")
    assert finding.stream is not None
    assert finding.expected.split()[0] != finding.found


def test_a_finding_says_where_and_what(auditor: Auditor, past: Past) -> None:
    auditor.tamper("UPDATE events SET hash = %(h)s WHERE workspace_id = %(w)s AND seq = 2", h=GENESIS)
    finding = auditor.finding()
    assert finding.stream == Stream(type="contact", id=past.ada)
    assert finding.event_type == "contact.created"
    assert str(finding).startswith(
        f"workspace {auditor.workspace_id}, seq 2, stream contact {past.ada}, event contact.created: hash: expected "
    )
    assert str(finding).endswith(f" by the event's content, found {GENESIS.hex()}")


@pytest.mark.parametrize("seq", [1, 4])
def test_a_deleted_event_is_found(auditor: Auditor, past: Past, seq: int) -> None:
    auditor.tamper("DELETE FROM events WHERE workspace_id = %(w)s AND seq = %(seq)s", seq=seq)
    finding = auditor.finding()
    assert (finding.seq, finding.what) == (seq, "seq")
    assert finding.found == f"event {seq + 1} in its place"


@pytest.mark.parametrize("last", [0, 6])
def test_a_log_cut_off_at_its_end_is_found(auditor: Auditor, past: Past, last: int) -> None:
    auditor.tamper("DELETE FROM events WHERE workspace_id = %(w)s AND seq > %(last)s", last=last)
    finding = auditor.finding()
    assert (finding.seq, finding.what, finding.found) == (last + 1, "head", f"none after {last}")


def test_an_event_added_behind_the_head_is_found(
    auditor: Auditor, pool: Pool, origin: Origin, owner: Db, past: Past
) -> None:
    head = owner.execute("SELECT seq, hash FROM log_heads WHERE workspace_id = %s", (auditor.workspace_id,)).fetchone()
    assert head is not None
    write_raw(pool, origin, ("contact", past.gone, 3, ContactDeleted()))
    auditor.tamper("UPDATE log_heads SET seq = %(s)s, hash = %(h)s WHERE workspace_id = %(w)s", s=head[0], h=head[1])
    finding = auditor.finding()
    assert (finding.seq, finding.what, finding.event_type) == (EVENTS + 1, "head", "contact.deleted")


def test_an_event_slipped_in_between_is_found(auditor: Auditor, past: Past) -> None:
    auditor.tamper("UPDATE events SET seq = seq + 1000 WHERE workspace_id = %(w)s AND seq >= 3")
    auditor.tamper("UPDATE events SET seq = seq - 999 WHERE workspace_id = %(w)s AND seq >= 1000")
    auditor.tamper(
        "INSERT INTO events SELECT workspace_id, 3, stream_type, gen_random_uuid(), 1, gen_random_uuid(), type, data,"
        " actor_type, actor_id, request_id, correlation_id, causation_id, occurred_at, recorded_at, hash"
        " FROM events WHERE workspace_id = %(w)s AND seq = 2"
    )
    auditor.tamper("UPDATE log_heads SET seq = seq + 1 WHERE workspace_id = %(w)s")
    assert (auditor.finding().seq, auditor.finding().what) == (3, "hash")


@pytest.mark.parametrize(
    ("edit", "seq"),
    [
        ("seq = seq + 1", EVENTS + 1),
        ("seq = seq - 1", EVENTS),
        ("hash = sha256(hash)", EVENTS),
        ("recorded_at = recorded_at + interval '1 microsecond'", EVENTS),
        ("recorded_at = '-infinity'", EVENTS),
    ],
)
def test_an_edited_head_is_found(auditor: Auditor, past: Past, edit: LiteralString, seq: int) -> None:
    auditor.tamper("UPDATE log_heads SET " + edit + " WHERE workspace_id = %(w)s")
    assert (auditor.finding().seq, auditor.finding().what) == (seq, "head")


@pytest.mark.parametrize("edit", ["hash = sha256(hash)", "recorded_at = now() + interval '1 year'"])
def test_the_edited_head_of_an_empty_log_is_found(auditor: Auditor, edit: LiteralString) -> None:
    auditor.tamper("UPDATE log_heads SET " + edit + " WHERE workspace_id = %(w)s")
    assert auditor.finding().what == "head"


def test_a_deleted_head_is_found(auditor: Auditor, past: Past) -> None:
    auditor.tamper("DELETE FROM log_heads WHERE workspace_id = %(w)s")
    assert (auditor.finding().what, auditor.finding().found) == ("head", "none")


def test_a_workspace_that_nobody_knows_does_not_verify(owner: Db) -> None:
    finding = verify(owner, workspaces=[unknown := new_id()]).finding
    assert finding is not None
    assert (finding.workspace_id, finding.what) == (unknown, "head")


def test_an_event_id_that_stands_twice_is_found(auditor: Auditor, pool: Pool, origin: Origin, past: Past) -> None:
    row = auditor.owner.execute(
        "SELECT event_id FROM events WHERE workspace_id = %s AND seq = 4", (auditor.workspace_id,)
    ).fetchone()
    assert row is not None
    write_raw(pool, origin, ("contact", past.gone, 3, ContactDeleted()), event_id=row[0])
    finding = auditor.finding()
    assert (finding.seq, finding.what, finding.found) == (EVENTS + 1, "id", f"{row[0]}, the id of event 4")


def test_time_that_goes_back_is_found(auditor: Auditor, past: Past) -> None:
    auditor.tamper(
        "UPDATE events SET recorded_at = recorded_at - interval '1 hour' WHERE workspace_id = %(w)s AND seq = 5"
    )
    auditor.chain_anew()
    assert (auditor.finding().seq, auditor.finding().what) == (5, "recordedAt")


@pytest.mark.parametrize("edit", ["{score}', '0.10000000000000000001", "{n}', '7.0", "{score}', '0.100"])
def test_an_edited_digit_that_a_reader_of_json_would_not_see_is_found(
    auditor: Auditor, past: Past, edit: LiteralString
) -> None:
    auditor.tamper(  # as of a log from before anything was sealed
        """UPDATE events SET data = data - '$sealed' || '{"customFields":{"n":7,"score":0.1}}'"""
        " WHERE workspace_id = %(w)s AND seq = 2"
    )
    auditor.chain_anew()
    auditor.tamper(
        "UPDATE events SET data = jsonb_set(data, '{customFields,"
        + edit[1:]
        + "') WHERE workspace_id = %(w)s AND seq = 2"
    )
    assert (auditor.finding().seq, auditor.finding().what) == (2, "data")


def test_data_without_a_canonical_form_are_found(auditor: Auditor, past: Past) -> None:
    nested = "[" * 4000 + "]" * 4000
    auditor.tamper(
        "UPDATE events SET data = jsonb_build_object('x', %(x)s::jsonb) WHERE workspace_id = %(w)s AND seq = 3",
        x=nested,
    )
    assert (auditor.finding().seq, auditor.finding().what) == (3, "data")


# The whole database, and the conditions under which it is looked at.


def test_every_workspace_that_anything_is_kept_of_is_verified(postgres: EmbeddedPostgres) -> None:
    with another_database(postgres, "verify_all") as url, connect(url) as owner:
        first, second = make_workspace(owner), make_workspace(owner)
        assert verify(url) == Report(workspaces=2)
        lost = new_id()
        owner.execute(
            f"INSERT INTO {WORKSPACES.table} VALUES (%s, gen_random_uuid(), 1, now(), now(), '{{}}', 'free')", (lost,)
        )
        assert all_workspaces(owner) == sorted([first, second, lost])
        finding = verify(url).finding
        assert finding is not None
        assert (finding.workspace_id, finding.what) == (lost, "head")


OF_NO_WORKSPACE: dict[str, LiteralString] = {
    "a person's key": "INSERT INTO person_keys VALUES (%(w)s, gen_random_uuid(), sha256('planted'))",
    "a secret of an API key": (
        "INSERT INTO api_key_secrets (key_hash, workspace_id, api_key_id, account_id, pending)"
        " VALUES (sha256('planted'), %(w)s, gen_random_uuid(), gen_random_uuid(), true)"
    ),
    "a secret of a webhook": "INSERT INTO webhook_secrets VALUES (%(w)s, gen_random_uuid(), gen_random_uuid(), 'planted')",
    "a link of an invitation": "INSERT INTO invitation_secrets VALUES (%(w)s, gen_random_uuid(), sha256('planted'))",
    "how far a reader is": "INSERT INTO consumer_checkpoints VALUES (%(w)s, 'relay', 0, NULL)",
}


@pytest.fixture(scope="module")
def empty(postgres: EmbeddedPostgres) -> Iterator[Db]:
    """A database in which there is no workspace."""
    with another_database(postgres, "verify_nowhere") as url, connect(url) as owner:
        yield owner


@pytest.mark.parametrize("planted", OF_NO_WORKSPACE.values(), ids=OF_NO_WORKSPACE)
def test_what_belongs_to_a_workspace_that_exists_nowhere_is_found(empty: Db, planted: LiteralString) -> None:
    assert verify(empty) == Report()
    nowhere = new_id()
    empty.execute(planted, {"w": nowhere})
    finding = verify(empty).finding
    for table in ("person_keys", "api_key_secrets", "webhook_secrets", "invitation_secrets", "consumer_checkpoints"):
        empty.execute(f"DELETE FROM {table}".encode())
    assert finding is not None
    assert (finding.workspace_id, finding.what) == (nowhere, "head")


def test_a_workspace_known_only_by_a_kept_checkpoint_is_missed(postgres: EmbeddedPostgres) -> None:
    with another_database(postgres, "verify_wiped") as url, connect(url) as owner:
        workspace_id = make_workspace(owner)
        with open_pool(url, size=1) as pool:
            checkpoint = sign_head(pool, workspace_id, Ed25519PrivateKey.generate())
        assert verify(url, checkpoints=[checkpoint]) == Report(workspaces=1, checkpoints=2)
        owner.execute("DELETE FROM log_heads")
        owner.execute("DELETE FROM log_checkpoints")
        finding = verify(url, checkpoints=[checkpoint]).finding
        assert finding is not None
        assert (finding.workspace_id, finding.what) == (workspace_id, "head")


def test_the_session_s_own_settings_do_not_matter(postgres: EmbeddedPostgres, workspace: UUID, past: Past) -> None:
    with connect(postgres.url()) as conn:
        conn.execute("SET timezone = 'Asia/Kolkata'")
        conn.execute("SET datestyle = 'German'")
        assert verify(conn, workspaces=[workspace]).finding is None


def test_verifying_stops_at_the_first_finding_and_says_how_far_it_came(
    owner: Db, store: EventStore, origin: Origin, other_workspace: UUID, past: Past
) -> None:
    write_past(store, replace(origin, workspace_id=other_workspace))
    owner.execute(f"DELETE FROM {TAGS.table} WHERE workspace_id = %s", (other_workspace,))
    report = verify(owner, workspaces=[origin.workspace_id, other_workspace, new_id()])
    assert report.finding is not None
    assert (report.finding.workspace_id, report.finding.table) == (other_workspace, "tags")
    assert (report.workspaces, report.events) == (1, 2 * EVENTS)


def test_a_table_that_is_not_up_to_date_is_found(postgres: EmbeddedPostgres) -> None:
    with another_database(postgres, "verify_versions") as url, connect(url) as owner:
        owner.execute("UPDATE projection_versions SET version = 0 WHERE name = 'contacts'")
        assert verify(owner).finding == msgspec.structs.replace(
            OUTDATED, expected=f"version {CONTACTS.version}, as `daybook migrate` makes it"
        )
        owner.execute(f"DROP TABLE {API_KEYS.table}")
        finding = verify(owner).finding
        assert finding is not None
        assert (finding.table, finding.found) == ("api_keys", "no table")


OUTDATED = Finding(table="contacts", what="table", expected="", found="version 0")


def test_a_role_that_sees_only_its_workspace_is_refused(postgres: EmbeddedPostgres, past: Past) -> None:
    refused = pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security")
    with connect(postgres.url(user="daybook_app")) as conn, refused:
        verify(conn)


def test_a_log_verifies_while_others_write_to_it(owner: Db, store: EventStore, origin: Origin, past: Past) -> None:
    tag = TagRef(id=past.tag, name="Großkunde")

    def work(unit: Work) -> None:
        unit.begin(CONTACT, new := new_id(), CreateContact(first_name="Ada", tags=(tag,)))
        unit.execute(CONTACT, new, UpdateContact(company="Analytical Engines"))
        unit.execute(CONTACT, new, UntagContact(tags=(tag,)))

    def write() -> None:
        for _ in range(600):
            store.run(origin, work)

    reports: list[Report] = []
    with ThreadPoolExecutor(3) as writers:
        writing = [writers.submit(write) for _ in range(3)]
        while not all(writer.done() for writer in writing):
            reports.append(verify(owner, workspaces=[origin.workspace_id]))
    for writer in writing:
        writer.result()
    reports.append(verify(owner, workspaces=[origin.workspace_id]))
    assert {report.finding for report in reports} == {None}
    assert reports[-1].events == EVENTS + 3 * 600 * 3
    assert len({report.events for report in reports}) > 2


# Memory. Were the log or the rows held, they would be dozens of megabytes.


@pytest.fixture(scope="module")
def large(owner: Db, store: EventStore) -> UUID:
    """A workspace of 20,000 contacts."""
    workspace_id = make_workspace(owner)
    write_contacts(store, Origin(workspace_id, Actor(type="system")), 20_000)
    return workspace_id


def test_what_verifying_holds_does_not_grow_with_the_log(owner: Db, large: UUID) -> None:
    tracemalloc.start()
    try:
        report = verify(owner, workspaces=[large])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (report.events, report.rows, report.finding) == (20_000, 20_000, None)
    assert peak < 8 * MEGABYTE


MEASURE = """
import sys
from uuid import UUID

import psutil

from projections.verify import verify

process, peaks = psutil.Process(), []

def note(*_):
    peaks[-1] = max(peaks[-1], process.memory_info().rss)

for workspace in sys.argv[2:]:
    peaks.append(0)
    assert verify(sys.argv[1], workspaces=[UUID(workspace)], progress=note).finding is None
print(peaks[1] - peaks[0])
"""


def test_nor_does_what_the_database_driver_holds(
    postgres: EmbeddedPostgres, store: EventStore, origin: Origin, large: UUID
) -> None:
    write_contacts(store, origin, 3_000)
    argv = [sys.executable, "-c", MEASURE, postgres.url(), str(origin.workspace_id), str(large)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 4 * MEGABYTE
