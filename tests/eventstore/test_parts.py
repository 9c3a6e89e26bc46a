"""Parts of a unit of work that are refused by themselves, and work that has looked for what exists."""

from __future__ import annotations

import threading
from functools import partial

import pytest

from domain.contact import CONTACT, CreateContact, DeleteContact, TagContact, UpdateContact
from domain.kernel import Refused
from domain.tag import TAG, CreateTag, DeleteTag, TagRef
from eventstore.append import Origin
from eventstore.database import Pool
from eventstore.ids import new_id
from eventstore.unit_of_work import EventStore
from eventstore.work import Work
from projections import contact as contacts
from tests.logs import check_chain, count, log_end, types, whole_log

ADA = CreateContact(first_name="Ada", email="ada@engine.org")

both_paths = pytest.mark.parametrize("bulk", [False, True], ids=["one by one", "bulk"])


@both_paths
def test_nothing_stays_of_a_part_that_is_refused_and_all_of_the_others(
    store: EventStore, origin: Origin, pool: Pool, bulk: bool
) -> None:
    ada, tag = new_id(), new_id()

    def refused(unit: Work) -> None:
        unit.begin(TAG, tag, CreateTag(name="VIP"))
        unit.begin(CONTACT, new_id(), CreateContact(first_name="Bob"))
        unit.execute(CONTACT, ada, UpdateContact(city="Paris"))
        unit.execute(CONTACT, ada, TagContact(tags=(TagRef(id=tag, name="VIP"),)))
        unit.execute(CONTACT, ada, UpdateContact(email="nobody"))

    def work(unit: Work) -> None:
        unit.begin(CONTACT, ada, ADA)
        unit.all_or_nothing(lambda: unit.execute(CONTACT, ada, UpdateContact(city="London")))
        with pytest.raises(Refused):
            unit.all_or_nothing(partial(refused, unit))
        found = unit.get(CONTACT, ada)
        assert (found.version, found.state.city, found.state.tags) == (2, "London", ())
        assert unit.load(TAG, [tag]) == {}
        unit.all_or_nothing(lambda: unit.execute(CONTACT, ada, UpdateContact(country="UK")))

    store.run(origin, work, bulk=bulk)

    assert types(pool, origin.workspace_id) == ["contact.created", "contact.updated", "contact.updated"]
    assert [entry.version for entry in whole_log(pool, origin.workspace_id)] == [1, 2, 3]
    assert count(pool, origin.workspace_id, "contact") == 1
    assert count(pool, origin.workspace_id, "tag") == 0
    check_chain(whole_log(pool, origin.workspace_id), log_end(pool, origin.workspace_id))


def test_what_a_refused_part_has_ended_goes_on(store: EventStore, origin: Origin, pool: Pool) -> None:
    ada = store.run(origin, lambda unit: unit.begin(CONTACT, new_id(), ADA)).value.id

    def refused(unit: Work) -> None:
        unit.execute(CONTACT, ada, DeleteContact())
        raise Refused("validation_failed", "No.")

    def work(unit: Work) -> None:
        with pytest.raises(Refused):
            unit.all_or_nothing(partial(refused, unit))
        unit.execute(CONTACT, ada, UpdateContact(city="London"))

    store.run(origin, work)
    assert types(pool, origin.workspace_id) == ["contact.created", "contact.updated"]


def test_a_thing_of_another_kind_with_the_same_id_is_not_there(store: EventStore, origin: Origin) -> None:
    ada = store.run(origin, lambda unit: unit.begin(CONTACT, new_id(), ADA)).value.id

    def work(unit: Work) -> None:
        assert unit.get(CONTACT, ada).state.first_name == "Ada"
        with pytest.raises(Refused, match="No such tag"):
            unit.get(TAG, ada)
        with pytest.raises(Refused, match="No such tag"):
            unit.execute(TAG, ada, DeleteTag())
        assert unit.at_hand(CONTACT, ada) == unit.get(CONTACT, ada)

    store.run(origin, work)


@both_paths
def test_work_that_looked_first_looks_again_when_another_was_quicker(
    store: EventStore, origin: Origin, bulk: bool
) -> None:
    """Where it did not look it is refused: see ``test_unit_of_work``."""
    looked, made = threading.Event(), threading.Event()
    tries = []

    def work(unit: Work) -> str:
        unit.looked_first = True
        found = contacts.by_emails(unit.conn, ["ada@engine.org"]).get("ada@engine.org")
        tries.append(found)
        looked.set()
        assert made.wait(10)
        if found is None:
            unit.begin(CONTACT, new_id(), ADA)
            return "created"
        return "found"

    def quicker() -> None:
        assert looked.wait(10)
        store.run(origin, lambda unit: unit.begin(CONTACT, new_id(), ADA))
        made.set()

    thread = threading.Thread(target=quicker)
    thread.start()
    try:
        assert store.run(origin, work, bulk=bulk).value == "found"
    finally:
        thread.join()
    assert [found is None for found in tries] == [True, False]
