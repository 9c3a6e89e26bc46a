"""The kept groups of contacts that are alike are what follows from the rows, as far as the log was looked at."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import LiteralString
from uuid import UUID

import pytest

from application.contact_duplicate import dismiss
from domain.contact import CONTACT, CreateContact, DeleteContact, UpdateContact
from domain.contact_duplicate import CONTACT_DUPLICATE, RestoreDuplicate
from eventstore.append import Origin
from eventstore.database import Db, Pool, writing
from eventstore.ids import new_id
from eventstore.unit_of_work import EventStore
from eventstore.verify import snapshot
from eventstore.work import Work
from projections import contact_alike_kept
from projections.contact_alike_compared import compare_groups
from projections.contact_duplicate import CONTACT_DUPLICATES
from schemas.contact_duplicate import DismissDuplicates
from tests.projections.test_contact_alike import change
from tests.verify.tampering import Auditor

PHONES = ("+14155552671", "+14155552671", "+14155552671", "+14155552672", "+14155552672")


@pytest.fixture
def alike(store: EventStore, pool: Pool, origin: Origin) -> list[UUID]:
    """Three who have a phone number in common, and two who have another; their groups are kept."""
    made: list[UUID] = []

    def make(unit: Work) -> None:
        made.extend(unit.begin(CONTACT, new_id(), CreateContact(last_name="Kim", phone=phone)).id for phone in PHONES)

    store.run(origin, make)
    look(pool, origin.workspace_id)
    return made


def look(pool: Pool, workspace: UUID) -> bool:
    with writing(pool, workspace) as conn:
        return contact_alike_kept.catch_up(conn)


def is_well(owner: Db, workspace: UUID) -> None:
    """As far as groups go: no ``MismatchError``."""
    with snapshot(owner):
        compare_groups(owner, workspace)


TAMPERINGS: Sequence[tuple[str, str | None, LiteralString]] = [
    ("contact_groups", "n", "UPDATE contact_groups SET n = n + 1"),
    ("contact_groups", "scores", "UPDATE contact_groups SET scores = scores || 60::smallint"),
    ("contact_groups", "key", "UPDATE contact_groups SET key = key + 1"),
    ("contact_groups", None, "UPDATE contact_groups SET place = place - 1"),
    ("contact_groups", None, "UPDATE contact_groups SET first_id = gen_random_uuid()"),
    ("contact_groups", None, "DELETE FROM contact_groups"),
    (
        "contact_groups",
        None,
        "INSERT INTO contact_groups SELECT workspace_id, -99, gen_random_uuid(), 2, scores, key FROM contact_groups",
    ),
    ("contact_keys", None, "UPDATE contact_keys SET key = key + 1"),
    ("contact_keys", None, "UPDATE contact_keys SET score = 90"),
    ("contact_keys", None, "DELETE FROM contact_keys"),
    ("contact_keys", None, "INSERT INTO contact_keys SELECT workspace_id, 60, key, contact_id FROM contact_keys"),
]


@pytest.mark.parametrize(("table", "column", "statement"), TAMPERINGS, ids=[one[2] for one in TAMPERINGS])
def test_a_key_or_group_that_is_not_as_it_follows_is_found(
    auditor: Auditor, alike: list[UUID], table: str, column: str | None, statement: LiteralString
) -> None:
    is_well(auditor.owner, auditor.workspace_id)
    auditor.tamper(statement + " WHERE workspace_id = %(w)s")
    finding = auditor.finding()
    assert (finding.table, finding.column) == (table, column)
    assert finding.expected != finding.found
    assert finding.what.startswith("row (")


def test_a_group_that_is_kept_is_named_with_what_it_should_be(auditor: Auditor, alike: list[UUID]) -> None:
    auditor.tamper("UPDATE contact_groups SET n = 7 WHERE workspace_id = %(w)s AND n = 3")
    finding = auditor.finding()
    assert finding.what == f"row (place -80, first_id {min(alike[:3])})"
    assert (finding.column, finding.expected, finding.found) == ("n", "3", "7")


def test_what_was_not_looked_at_yet_is_not_called_wrong(
    store: EventStore, owner: Db, pool: Pool, origin: Origin, alike: list[UUID]
) -> None:
    first, second, third, fourth, fifth = alike
    for step in (
        lambda unit: unit.begin(CONTACT, new_id(), CreateContact(phone=PHONES[0])),
        lambda unit: dismiss(unit, DismissDuplicates(contact_ids=(fourth, fifth))),
        lambda unit: unit.execute(CONTACT, second, UpdateContact(phone=None)),
        lambda unit: unit.execute(CONTACT, first, DeleteContact()),
        lambda unit: unit.execute(CONTACT, third, UpdateContact(first_name="Ann")),
    ):
        store.run(origin, step)
        is_well(owner, origin.workspace_id)
    look(pool, origin.workspace_id)
    is_well(owner, origin.workspace_id)

    def restore(unit: Work) -> None:
        (pair,) = CONTACT_DUPLICATES.all(unit.conn)
        unit.execute(CONTACT_DUPLICATE, pair.id, RestoreDuplicate())

    store.run(origin, restore)
    is_well(owner, origin.workspace_id)


def test_meanwhile_all_else_is_still_compared(
    store: EventStore, auditor: Auditor, origin: Origin, alike: list[UUID]
) -> None:
    store.run(origin, lambda unit: dismiss(unit, DismissDuplicates(contact_ids=(alike[3], alike[4]))))
    store.run(origin, lambda unit: unit.execute(CONTACT, alike[4], UpdateContact(first_name="Ann")))
    auditor.tamper("UPDATE contact_groups SET n = 4 WHERE workspace_id = %(w)s AND n = 3")
    assert auditor.finding().table == "contact_groups"


def test_where_nobody_has_asked_there_is_nothing(auditor: Auditor, alike: list[UUID]) -> None:
    auditor.tamper("DELETE FROM consumer_checkpoints WHERE workspace_id = %(w)s AND consumer = 'contact_alike'")
    assert auditor.finding().table == "contact_keys"
    auditor.tamper("DELETE FROM contact_keys WHERE workspace_id = %(w)s")
    assert auditor.finding().table == "contact_groups"
    auditor.tamper("DELETE FROM contact_groups WHERE workspace_id = %(w)s")
    is_well(auditor.owner, auditor.workspace_id)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_and_however_far_it_was_looked_at_all_is_well(
    store: EventStore, owner: Db, pool: Pool, origin: Origin, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    random, made = Random(seed), list[UUID]()
    monkeypatch.setattr(contact_alike_kept, "STEP", 5)
    for _ in range(20):
        for _ in range(random.randint(1, 6)):
            store.run(origin, lambda unit: change(unit, random, made))
        if random.random() < 0.7:
            look(pool, origin.workspace_id)
        is_well(owner, origin.workspace_id)
