"""What is beside the log and its rows is verified too: secrets, places in the log, and what keeps tenants apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import LiteralString

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from daybook.embedded import EmbeddedPostgres
from domain.api_key import API_KEY, RevokeApiKey
from eventstore import protection
from eventstore.append import Origin
from eventstore.checkpoint import sign_head
from eventstore.database import Db, Pool
from eventstore.ids import new_id
from eventstore.migrate import connect
from eventstore.protection import check_protection
from eventstore.unit_of_work import EventStore
from eventstore.verify import MismatchError
from projections.contact import CONTACTS
from projections.tag_row import TAGS
from projections.verify import verify
from schemas.verification import Finding
from tests.servers import another_database
from tests.verify.tampering import EVENTS, Auditor, Past

OF_SECRETS: dict[str, tuple[LiteralString, str, str]] = {
    "a key that was never made": (
        (
            "INSERT INTO api_key_secrets (key_hash, workspace_id, api_key_id, account_id)"
            " VALUES (sha256('planted'), %(w)s, gen_random_uuid(), gen_random_uuid())"
        ),
        "api_key_secrets",
        "another",
    ),
    "a key made another account's": (
        "UPDATE api_key_secrets SET account_id = gen_random_uuid() WHERE workspace_id = %(w)s",
        "api_key_secrets",
        "another",
    ),
    "a live key without its hash": (
        "DELETE FROM api_key_secrets WHERE workspace_id = %(w)s",
        "api_key_secrets",
        "0",
    ),
    "a live endpoint without a secret": (
        "DELETE FROM webhook_secrets WHERE workspace_id = %(w)s",
        "webhook_secrets",
        "0",
    ),
    "a second secret of an endpoint": (
        (
            "INSERT INTO webhook_secrets (workspace_id, webhook_id, id, sealed, expires_at)"
            " SELECT workspace_id, webhook_id, gen_random_uuid(), sealed, now() + interval '1 day' FROM webhook_secrets"
            " WHERE workspace_id = %(w)s"
        ),
        "webhook_secrets",
        "2",
    ),
    "a secret that ends though nothing replaced it": (
        "UPDATE webhook_secrets SET expires_at = now() + interval '1 day' WHERE workspace_id = %(w)s",
        "webhook_secrets",
        "0",
    ),
    "a secret of no endpoint": (
        (
            "INSERT INTO webhook_secrets (workspace_id, webhook_id, id, sealed)"
            " VALUES (%(w)s, gen_random_uuid(), gen_random_uuid(), 'sealed')"
        ),
        "webhook_secrets",
        "another",
    ),
    "a link of no invitation": (
        "INSERT INTO invitation_secrets VALUES (%(w)s, gen_random_uuid(), sha256('planted'))",
        "invitation_secrets",
        "another",
    ),
}


@pytest.mark.parametrize(("edit", "table", "found"), OF_SECRETS.values(), ids=OF_SECRETS)
def test_a_secret_that_the_log_does_not_account_for_is_found(
    auditor: Auditor, past: Past, edit: LiteralString, table: str, found: str
) -> None:
    assert verify(auditor.owner, workspaces=[auditor.workspace_id]).finding is None
    auditor.tamper(edit)
    finding = auditor.finding()
    assert (finding.table, finding.what) == (table, "secrets")
    assert finding.row_id is not None
    if finding.found != "another":
        assert finding.found == found
        assert finding.row_id in {past.api_key, past.webhook}


def test_a_revoked_key_may_keep_its_hash_and_one_that_is_being_made_may_have_one(
    auditor: Auditor, store: EventStore, origin: Origin, past: Past
) -> None:
    store.run(origin, lambda unit: unit.execute(API_KEY, past.api_key, RevokeApiKey()))
    auditor.tamper(
        "INSERT INTO api_key_secrets (key_hash, workspace_id, api_key_id, account_id, pending)"
        " VALUES (sha256(gen_random_uuid()::text::bytea), %(w)s, gen_random_uuid(), gen_random_uuid(), true)"
    )
    assert verify(auditor.owner, workspaces=[auditor.workspace_id]).finding is None
    auditor.tamper("DELETE FROM api_key_secrets WHERE workspace_id = %(w)s")
    assert verify(auditor.owner, workspaces=[auditor.workspace_id]).finding is None


@pytest.mark.parametrize("whose", ["nobody's", "a tag's"])
def test_a_key_of_a_contact_that_never_was_is_found(auditor: Auditor, past: Past, whose: str) -> None:
    assert verify(auditor.owner, workspaces=[auditor.workspace_id]).finding is None
    of = past.tag if whose == "a tag's" else new_id()
    auditor.tamper("INSERT INTO person_keys VALUES (%(w)s, %(of)s, sha256('planted'))", of=of)
    finding = auditor.finding()
    assert (finding.table, finding.row_id, finding.found) == ("person_keys", of, "another")
    assert finding.expected == "a key of a contact that the log knows"


@pytest.mark.parametrize("seq", [-1, EVENTS + 1])
def test_a_reader_that_is_where_the_log_is_not_is_found(auditor: Auditor, past: Past, seq: int) -> None:
    auditor.tamper("INSERT INTO consumer_checkpoints VALUES (%(w)s, 'relay', %(seq)s, NULL)", seq=EVENTS)
    assert verify(auditor.owner, workspaces=[auditor.workspace_id]).finding is None
    auditor.tamper("UPDATE consumer_checkpoints SET seq = %(seq)s WHERE workspace_id = %(w)s", seq=seq)
    finding = auditor.finding()
    assert (finding.table, finding.column, finding.found) == ("consumer_checkpoints", "relay", str(seq))
    assert finding.expected == f"a seq from 0 to {EVENTS}, where the log ends"


def test_checkpoints_that_are_gone_though_a_head_was_signed_are_found(auditor: Auditor, pool: Pool, past: Past) -> None:
    sign_head(pool, auditor.workspace_id, Ed25519PrivateKey.generate())
    auditor.tamper("DELETE FROM log_checkpoints WHERE workspace_id = %(w)s")
    finding = auditor.finding()
    assert (finding.table, finding.column, finding.found) == ("log_heads", "signed_seq", str(EVENTS))


def test_a_head_that_says_it_was_not_signed_though_it_was_is_found(auditor: Auditor, pool: Pool, past: Past) -> None:
    sign_head(pool, auditor.workspace_id, Ed25519PrivateKey.generate())
    auditor.tamper("UPDATE log_heads SET signed_seq = 0 WHERE workspace_id = %(w)s")
    assert (auditor.finding().column, auditor.finding().found) == ("signed_seq", "0")


# What keeps tenants apart.


@pytest.fixture(scope="module")
def database(postgres: EmbeddedPostgres) -> Iterator[Db]:
    """A database of their own for those who change its schema."""
    with another_database(postgres, "protection") as url, connect(url) as owner:
        yield owner


def found(owner: Db) -> Finding | None:
    try:
        assert check_protection(owner), "it was looked at"
    except MismatchError as mismatch:
        return mismatch.finding
    return None


OF_PROTECTION: dict[str, tuple[str, str, str]] = {
    "switched off": ("ALTER TABLE events DISABLE ROW LEVEL SECURITY", "events", "row-level security"),
    "not forced": ("ALTER TABLE log_heads NO FORCE ROW LEVEL SECURITY", "log_heads", "row-level security"),
    "of a partition": ("ALTER TABLE events_3 DISABLE ROW LEVEL SECURITY", "events_3", "row-level security"),
    "of a table of rows": (
        f"ALTER TABLE {CONTACTS.table} DISABLE ROW LEVEL SECURITY",
        CONTACTS.table,
        "row-level security",
    ),
    "of a view's table": (
        "ALTER TABLE timeline_items NO FORCE ROW LEVEL SECURITY",
        "timeline_items",
        "row-level security",
    ),
    "a policy gone": ("DROP POLICY tenant ON webhook_secrets", "webhook_secrets", "policies"),
    "a policy more": (f"CREATE POLICY all_of_them ON {CONTACTS.table} USING (true)", CONTACTS.table, "policies"),
    "a policy that lets everything through": (
        f"ALTER POLICY tenant ON {TAGS.table} USING (true)",
        TAGS.table,
        "policies",
    ),
    "a policy for others": ("ALTER POLICY workers ON log_heads TO PUBLIC", "log_heads", "policies"),
    "a policy that lets everything in": ("ALTER POLICY tenant ON jobs WITH CHECK (true)", "jobs", "policies"),
    "a right to change the log": ("GRANT UPDATE ON events TO daybook_app", "events", "rights"),
    "a right for everybody": ("GRANT SELECT ON accounts TO PUBLIC", "accounts", "rights"),
    "a right of the worker's": (f"GRANT DELETE ON {CONTACTS.table} TO daybook_worker", CONTACTS.table, "rights"),
    "a right to hand on": (f"GRANT SELECT ON {TAGS.table} TO daybook_app WITH GRANT OPTION", TAGS.table, "rights"),
    "a right gone": ("REVOKE INSERT ON log_checkpoints FROM daybook_app", "log_checkpoints", "rights"),
    "a right to one column": (
        "GRANT UPDATE (hash) ON log_heads TO daybook_worker",
        "log_heads",
        "columns with rights of their own",
    ),
    "the service as owner": ("ALTER TABLE projection_versions OWNER TO daybook_app", "projection_versions", "rights"),
    "a rule": (f"CREATE RULE quiet AS ON DELETE TO {CONTACTS.table} DO INSTEAD NOTHING", CONTACTS.table, "rules"),
    "a trigger": (
        (
            "CREATE TRIGGER quiet BEFORE UPDATE ON log_heads FOR EACH ROW"
            " EXECUTE FUNCTION suppress_redundant_updates_trigger()"
        ),
        "log_heads",
        "triggers",
    ),
    "a table of nobody's": (
        f"CREATE TABLE kept_aside AS SELECT * FROM {CONTACTS.table}",
        "kept_aside",
        "row-level security",
    ),
    "a table gone": ("ALTER TABLE outbox RENAME TO inbox", "inbox", "policies"),
}


@pytest.mark.parametrize(("edit", "table", "what"), OF_PROTECTION.values(), ids=OF_PROTECTION)
def test_a_protection_that_is_not_as_migrations_make_it_is_found(
    database: Db, edit: str, table: str, what: str
) -> None:
    assert found(database) is None
    with database.transaction(force_rollback=True):
        database.execute(edit.encode())
        finding = found(database)
    assert finding is not None
    assert (finding.table, finding.what) == (table, what)
    assert finding.expected.endswith("as `daybook migrate` makes it")


def test_a_table_that_is_gone_is_found(database: Db) -> None:
    with database.transaction(force_rollback=True):
        database.execute("DROP TABLE outbox")
        finding = found(database)
    assert finding is not None
    assert (finding.table, finding.found) == ("outbox", "no table")


@pytest.mark.parametrize(
    "edit",
    [
        (
            "CREATE OR REPLACE FUNCTION current_workspace() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE"
            " RETURN (SELECT workspace_id FROM log_heads LIMIT 1)"
        ),
        (
            "CREATE OR REPLACE FUNCTION count_activities(workspace uuid, step bigint) RETURNS void LANGUAGE plpgsql AS"
            " $$ BEGIN RETURN; END $$"
        ),
    ],
)
def test_a_function_that_is_another_than_migrations_make_is_found(database: Db, edit: LiteralString) -> None:
    with database.transaction(force_rollback=True):
        database.execute(edit)
        finding = found(database)
    assert finding is not None
    assert finding.what in {"function current_workspace()", "function count_activities(uuid,bigint)"}
    assert finding.found == "another"


@pytest.mark.parametrize(
    ("edit", "what", "found_", "expected"),
    [
        (
            "GRANT EXECUTE ON FUNCTION clear_rebuilding() TO daybook_app",
            "rights to function clear_rebuilding()",
            "daybook_app, daybook_worker",
            "daybook_worker",
        ),
        (
            "REVOKE EXECUTE ON FUNCTION current_workspace() FROM PUBLIC",
            "rights to function current_workspace()",
            "none",
            "all",
        ),
        (
            "ALTER FUNCTION current_workspace() OWNER TO daybook_app",
            "owner of function current_workspace()",
            "the service",
            "another role than the service",
        ),
    ],
)
def test_rights_to_a_function_and_its_owner_are_as_migrations_make_them(
    database: Db, edit: LiteralString, what: str, found_: str, expected: str
) -> None:
    with database.transaction(force_rollback=True):
        database.execute(edit)
        finding = found(database)
    assert finding is not None
    assert (finding.what, finding.found) == (what, found_)
    assert finding.expected == f"{expected}, as `daybook migrate` makes it"


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        ("ALTER ROLE daybook_app BYPASSRLS", "bypasses row-level security"),
        ("ALTER ROLE daybook_worker SUPERUSER", "superuser"),
        ("GRANT pg_read_all_data TO daybook_app", "a member of pg_read_all_data"),
        ("GRANT pg_write_all_data TO daybook_worker", "a member of daybook_app, pg_write_all_data"),
    ],
)
def test_a_role_that_can_do_more_than_the_service_needs_is_found(database: Db, edit: LiteralString, says: str) -> None:
    with database.transaction(force_rollback=True):
        database.execute(edit)
        finding = found(database)
    assert finding is not None
    assert finding.found == says


def test_looking_leaves_nothing_behind(database: Db, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protection, "_EXPECTED", {})
    schemas = "SELECT nspname FROM pg_namespace ORDER BY nspname"
    before = database.execute(schemas).fetchall()
    assert found(database) is None
    assert database.execute(schemas).fetchall() == before


def test_where_nothing_may_be_made_that_is_said(database: Db, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protection, "_EXPECTED", {})
    with database.transaction(force_rollback=True):
        database.execute("SET TRANSACTION READ ONLY")
        assert not check_protection(database)


def test_verify_begins_with_what_keeps_tenants_apart(postgres: EmbeddedPostgres) -> None:
    with another_database(postgres, "unprotected") as url, connect(url) as owner:
        assert verify(owner).finding is None
        owner.execute(f"ALTER TABLE {CONTACTS.table} NO FORCE ROW LEVEL SECURITY".encode())
        finding = verify(owner).finding
        assert finding is not None
        assert (finding.table, finding.found) == (CONTACTS.table, "not forced")
