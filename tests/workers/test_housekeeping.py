from __future__ import annotations

from dataclasses import replace
from functools import partial

from eventstore.ids import new_id
from tests.workers.running import Installation, eventually, running
from workers.running import housekeeping


def test_who_read_what_is_known_for_as_long_as_settings_say(installation: Installation) -> None:
    owner = installation.owner
    for days in (6, 8):
        owner.execute(
            "INSERT INTO access_log (workspace_id, id, at, user_id, operation, contact_ids, request_id)"
            " VALUES (%s, %s, now() - make_interval(days => %s), %s, 'getContact', '{}', %s)",
            (new_id(), new_id(), days, new_id(), str(days)),
        )
    config = replace(installation.config, access_log_days=7)
    with running(config, partial(housekeeping.run, every=60)):
        eventually(lambda: owner.execute("SELECT request_id FROM access_log").fetchall() == [("6",)], 5)


def test_what_has_expired_is_deleted_in_every_workspace_and_nothing_else(installation: Installation) -> None:
    owner = installation.owner
    account = new_id()
    owner.execute("INSERT INTO accounts (id, email, password_hash) VALUES (%s, 'ada@example.com', '-')", (account,))
    for name, age in (("old", "25 hours"), ("new", "23 hours")):
        for workspace_id in (new_id(), new_id()):
            owner.execute(
                "INSERT INTO idempotency_keys (workspace_id, key, request_hash, created_at)"
                " VALUES (%s, %s, '', now() - %s::interval)",
                (workspace_id, name, age),
            )
    for minutes in (4, 6):
        owner.execute("INSERT INTO rate_windows VALUES (%s, now() - make_interval(mins => %s), 1)", (new_id(), minutes))
    for token, expires in (("old", "-1 second"), ("new", "1 minute")):
        owner.execute(
            "INSERT INTO sessions (token_hash, account_id, workspace_id, expires_at)"
            " VALUES (%s, %s, %s, now() + %s::interval)",
            (token.encode(), account, new_id(), expires),
        )

        owner.execute(
            "INSERT INTO audit_export_pieces (workspace_id, export_id, n, about, size, content, expires_at)"
            " VALUES (%s, %s, 0, %s, 0, '', now() + %s::interval)",
            (new_id(), new_id(), token, expires),
        )

    with running(installation.config, partial(housekeeping.run, every=60)):
        eventually(lambda: owner.execute("SELECT count(*) FROM rate_windows").fetchone() == (1,), 5)

    assert owner.execute("SELECT key FROM idempotency_keys").fetchall() == [("new",), ("new",)]
    assert owner.execute("SELECT token_hash FROM sessions").fetchall() == [(b"new",)]
    assert owner.execute("SELECT about FROM audit_export_pieces").fetchall() == [("new",)]
    assert owner.execute("SELECT window_start > now() - interval '5 minutes' FROM rate_windows").fetchall() == [(True,)]


def test_what_interrupted_rebuilds_left_is_taken_away(installation: Installation) -> None:
    installation.owner.execute("CREATE TABLE rebuilding.contacts_v1 (id integer)")
    with running(installation.config, partial(housekeeping.run, every=60)):
        eventually(
            lambda: installation.owner.execute("SELECT to_regclass('rebuilding.contacts_v1')").fetchone() == (None,), 5
        )
