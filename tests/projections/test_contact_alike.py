"""The groups of contacts that are alike, kept behind the log, are those that are found anew, whatever happened in between."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any
from uuid import UUID

import pytest

from application.contact_duplicate import dismiss
from daybook.embedded import EmbeddedPostgres
from daybook.serve import bring_up_to_date
from domain.contact import CONTACT, CreateContact, DeleteContact, UpdateContact
from domain.contact_duplicate import CONTACT_DUPLICATE, RestoreDuplicate
from eventstore.append import Origin
from eventstore.database import Db, Pool, reading, writing
from eventstore.ids import new_id
from eventstore.migrate import connect
from eventstore.unit_of_work import EventStore
from eventstore.work import Work
from projections import contact_alike, contact_alike_kept
from projections.contact_duplicate import CONTACT_DUPLICATES
from schemas.contact_duplicate import DismissDuplicates, DuplicateGroup
from schemas.wire.page import PageRequest
from tests.servers import another_database


def fields(random: Random) -> dict[str, Any]:
    """Of so few values that many have them in common, and one is nobody else's."""
    local, suffix, name = random.choice("abc"), random.randrange(10**9), random.choice(("Ann", "Bob", ""))
    return {
        "first_name": name or None,
        "last_name": random.choice(("Kim", "Lee")),
        "company": random.choice(("Acme", "Northwind", None)),
        "phone": random.choice(("+14155552671", "+14155552672", None)),
        "email": random.choice((f"{local}+{suffix}@engine.org", f"{suffix}@engine.org", None)),
    }


def change(unit: Work, random: Random, made: list[UUID]) -> None:
    """One thing that may happen to contacts, or be said of them."""
    kind = random.choice(["create", "create", "update", "delete", "dismiss", "restore"]) if len(made) > 5 else "create"
    if kind == "create":
        made.append(unit.begin(CONTACT, new_id(), CreateContact(**fields(random))).id)
    elif kind == "update":
        unit.execute(CONTACT, random.choice(made), UpdateContact(**fields(random)))
    elif kind == "delete":
        unit.execute(CONTACT, made.pop(random.randrange(len(made))), DeleteContact())
    elif kind == "dismiss":
        dismiss(unit, DismissDuplicates(contact_ids=tuple(random.sample(made, random.randint(2, 4)))))
    else:
        for pair in random.sample(found := CONTACT_DUPLICATES.all(unit.conn), min(1, len(found))):
            unit.execute(CONTACT_DUPLICATE, pair.id, RestoreDuplicate())


def pages(pool: Pool, workspace: UUID, limit: int = 100) -> Iterator[tuple[list[DuplicateGroup], int]]:
    cursor = None
    while True:
        with reading(pool, workspace) as conn:
            groups, total, cursor = contact_alike.listed(conn, PageRequest(limit=limit, cursor=cursor))
        yield groups, total
        if cursor is None:
            return


@pytest.mark.parametrize("seed", range(4))
def test_groups_that_are_kept_are_those_found_anew(
    store: EventStore, pool: Pool, origin: Origin, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    random, made = Random(seed), list[UUID]()
    monkeypatch.setattr(contact_alike_kept, "STEP", 7)
    for _ in range(25):
        for _ in range(random.randint(1, 8)):
            store.run(origin, lambda unit: change(unit, random, made))
        (kept,) = pages(pool, origin.workspace_id)
        with monkeypatch.context() as patched:
            patched.setattr(contact_alike, "_is_kept", lambda _: False)
            (anew,) = pages(pool, origin.workspace_id)
        assert kept == anew


def test_pages_of_what_is_kept_go_on_behind_a_cursor(store: EventStore, pool: Pool, origin: Origin) -> None:
    def make(unit: Work) -> None:
        for number in range(30):
            unit.begin(CONTACT, new_id(), CreateContact(last_name="L", phone=f"+141555526{number % 12:02}"))

    store.run(origin, make)
    (whole,) = pages(pool, origin.workspace_id)
    found = [*pages(pool, origin.workspace_id, limit=5)]
    assert [group for groups, _ in found for group in groups] == whole[0]
    assert [(len(groups), total) for groups, total in found] == [(5, 12), (5, 12), (2, 12)]


def test_very_much_that_was_not_looked_at_is_left_to_the_worker(
    store: EventStore, pool: Pool, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(unit: Work) -> None:
        for _ in range(3):
            unit.begin(CONTACT, new_id(), CreateContact(last_name="L", phone="+14155552671"))

    monkeypatch.setattr(contact_alike, "SOON", 2)
    store.run(origin, make)
    ((groups, total),) = pages(pool, origin.workspace_id)
    with writing(pool, origin.workspace_id) as conn:
        assert ([group.count for group in groups], total, contact_alike_kept.behind(conn)) == ([3], 1, 3)
        assert not contact_alike_kept.catch_up(conn)
        assert contact_alike_kept.behind(conn) == 0
    assert [*pages(pool, origin.workspace_id)] == [(groups, total)]


def kept_of(owner: Db, workspace: UUID) -> list[tuple[int, int]]:
    """How many keys and how many groups are kept."""
    query = "SELECT (SELECT count(*) FROM contact_keys WHERE workspace_id = %(w)s), count(*) FROM contact_groups"
    return owner.execute(f"{query} WHERE workspace_id = %(w)s".encode(), {"w": workspace}).fetchall()


def test_of_a_contact_that_is_gone_nothing_is_kept(store: EventStore, pool: Pool, owner: Db, origin: Origin) -> None:
    made: list[UUID] = []
    person = CreateContact(first_name="Ann", last_name="Kim", company="Acme", phone="+14155552671")
    store.run(origin, lambda unit: made.extend(unit.begin(CONTACT, new_id(), person).id for _ in range(2)))
    ((_, total),) = pages(pool, origin.workspace_id)
    assert (total, kept_of(owner, origin.workspace_id)) == (1, [(4, 1)])
    store.run(origin, lambda unit: [unit.execute(CONTACT, contact_id, DeleteContact()) for contact_id in made])
    assert [*pages(pool, origin.workspace_id)] == [([], 0)]
    assert kept_of(owner, origin.workspace_id) == [(0, 0)]


def test_what_is_kept_begins_anew_when_rows_are_rebuilt(
    store: EventStore, pool: Pool, owner: Db, origin: Origin
) -> None:
    store.run(origin, lambda unit: [unit.begin(CONTACT, new_id(), CreateContact(phone="+14155552671")) for _ in "ab"])
    before = [*pages(pool, origin.workspace_id)]
    owner.execute("UPDATE contact_groups SET n = 7 WHERE workspace_id = %s", (origin.workspace_id,))
    assert [*pages(pool, origin.workspace_id)] != before
    contact_alike_kept.forget_groups(owner, ["contacts"])
    assert kept_of(owner, origin.workspace_id) == [(0, 0)]
    assert [*pages(pool, origin.workspace_id)] == before


@pytest.mark.parametrize("table", ["contacts", "contact_duplicates"])
def test_groups_begin_anew_where_the_rows_that_they_follow_from_do(postgres: EmbeddedPostgres, table: str) -> None:
    """Another version may keep phone numbers in another way: no event says so."""
    with another_database(postgres, "alike") as url, connect(url) as conn:
        conn.execute("INSERT INTO contact_keys VALUES (%s, 80, 1, %s)", (new_id(), new_id()))
        for outdated, left in (("tags", 1), (table, 0)):
            conn.execute("UPDATE projection_versions SET version = 0 WHERE name = %s", (outdated,))
            bring_up_to_date(url, lambda _: None)
            assert conn.execute("SELECT count(*) FROM contact_keys").fetchone() == (left,)
