"""The way of a command: all of it or nothing, row and log together, and never over another's change."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
import pytest

from domain.contact import CONTACT, Contact, CreateContact, DeleteContact, TagContact, UpdateContact
from domain.kernel import Refused
from domain.tag import TAG, CreateTag, TagRef
from eventstore.append import Origin
from eventstore.database import Db, Pool, Unavailable, open_pool, reading
from eventstore.ids import new_id
from eventstore.rows import Current
from eventstore.unit_of_work import ATTEMPTS, OPTIMISTIC, EventStore
from eventstore.work import Work
from projections.catalogue import ROWS
from projections.contact import CONTACTS
from schemas.log import Actor
from tests.logs import check_chain, count, log_end, types, whole_log

ADA = CreateContact(first_name="Ada", email="ada@engine.org")

both_paths = pytest.mark.parametrize("bulk", [False, True], ids=["one by one", "bulk"])


def create(store: EventStore, origin: Origin, command: CreateContact = ADA) -> UUID:
    return store.run(origin, lambda work: work.begin(CONTACT, new_id(), command)).value.id


def contact(pool: Pool, workspace: UUID, contact_id: UUID) -> Current[Contact] | None:
    with reading(pool, workspace) as conn:
        return CONTACTS.load(conn, [contact_id]).get(contact_id)


def contacts(pool: Pool, workspace: UUID) -> int:
    with reading(pool, workspace) as conn:
        row = conn.execute(f"SELECT count(*) FROM {CONTACTS.table}").fetchone()
    assert row is not None
    return int(row[0])


def insist(store: EventStore, origin: Origin, work: Callable[[Work], object]) -> None:
    """Asks again when others were quicker too often, as a caller does."""
    while True:
        try:
            store.run(origin, work)
        except Refused as refusal:
            if refusal.code != "conflict":
                raise
        else:
            return


def nothing_happened(pool: Pool, workspace: UUID) -> None:
    assert whole_log(pool, workspace) == []
    assert log_end(pool, workspace)[0] == 0
    assert contacts(pool, workspace) == 0
    assert count(pool, workspace, "contact") == 0


class TestWritten:
    @both_paths
    def test_event_row_and_count_are_written_together(
        self, store: EventStore, origin: Origin, pool: Pool, workspace: UUID, bulk: bool
    ) -> None:
        done = store.run(origin, lambda work: work.begin(CONTACT, new_id(), ADA), bulk=bulk)

        assert done.seq == 1
        assert done.value.state == Contact(first_name="Ada", email="ada@engine.org")
        assert types(pool, workspace) == ["contact.created"]
        assert contact(pool, workspace, done.value.id) == done.value
        assert count(pool, workspace, "contact") == 1

    @both_paths
    def test_a_row_goes_when_its_stream_ends(
        self, store: EventStore, origin: Origin, pool: Pool, workspace: UUID, bulk: bool
    ) -> None:
        contact_id = create(store, origin)
        done = store.run(origin, lambda work: work.execute(CONTACT, contact_id, DeleteContact()), bulk=bulk)

        assert (done.value, done.seq) == (None, 2)
        assert contact(pool, workspace, contact_id) is None
        assert count(pool, workspace, "contact") == 0

    @both_paths
    def test_several_streams_are_one_transaction(
        self, store: EventStore, origin: Origin, pool: Pool, workspace: UUID, bulk: bool
    ) -> None:
        def work(unit: Work) -> UUID:
            tag = unit.begin(TAG, new_id(), CreateTag(name="VIP"))
            found = unit.begin(CONTACT, new_id(), ADA)
            unit.execute(CONTACT, found.id, TagContact(tags=(TagRef(id=tag.id, name="VIP"),)))
            return tag.id

        done = store.run(origin, work, bulk=bulk)

        assert done.seq == 3
        assert types(pool, workspace) == ["tag.created", "contact.created", "contact.tag_added"]
        assert count(pool, workspace, f"contact.tags:{done.value}") == 1
        check_chain(whole_log(pool, workspace), log_end(pool, workspace))

    def test_later_commands_of_a_unit_see_what_earlier_ones_did(self, store: EventStore, origin: Origin) -> None:
        def work(unit: Work) -> Current[Contact]:
            contact_id = unit.begin(CONTACT, new_id(), ADA).id
            unit.execute(CONTACT, contact_id, UpdateContact(city="London"))
            unit.execute(CONTACT, contact_id, UpdateContact(city="Paris"))
            return unit.get(CONTACT, contact_id)

        found = store.run(origin, work).value
        assert (found.state.city, found.version) == ("Paris", 3)

    def test_what_begins_and_ends_in_one_unit_has_no_row(
        self, store: EventStore, origin: Origin, pool: Pool, workspace: UUID
    ) -> None:
        def work(unit: Work) -> None:
            unit.execute(CONTACT, unit.begin(CONTACT, new_id(), ADA).id, DeleteContact())

        store.run(origin, work)
        assert types(pool, workspace) == ["contact.created", "contact.deleted"]
        assert contacts(pool, workspace) == 0
        assert count(pool, workspace, "contact") == 0

    def test_a_command_that_changes_nothing_writes_nothing(
        self, store: EventStore, origin: Origin, pool: Pool, workspace: UUID
    ) -> None:
        contact_id = create(store, origin)
        before = contact(pool, workspace, contact_id)

        done = store.run(origin, lambda work: work.execute(CONTACT, contact_id, UpdateContact(first_name="Ada")))

        assert (done.value, done.seq) == (before, None)
        assert log_end(pool, workspace)[0] == 1

    def test_times_are_those_of_the_decisions(self, store: EventStore, origin: Origin) -> None:
        first, second = (datetime(2026, 3, 15, hour, tzinfo=UTC) for hour in (10, 11))
        contact_id = create(replace(store, clock=lambda: first), origin)
        later = replace(store, clock=lambda: second)
        found = later.run(origin, lambda work: work.execute(CONTACT, contact_id, UpdateContact(city="London"))).value
        assert found is not None
        assert (found.created_at, found.updated_at) == (first, second)

    def test_every_event_says_who_for_which_request_and_why(
        self, store: EventStore, pool: Pool, workspace: UUID
    ) -> None:
        origin = Origin(
            workspace,
            Actor(type="api_key", id=new_id()),
            request_id="req-9",
            correlation_id=new_id(),
            causation_id=new_id(),
        )
        store.run(origin, lambda work: [work.begin(TAG, new_id(), CreateTag(name=name)) for name in "AB"])

        for entry in whole_log(pool, workspace):
            assert entry.meta.actor == origin.actor
            assert entry.meta.request_id == "req-9"
            assert entry.meta.correlation_id == origin.correlation_id
            assert entry.meta.causation_id == origin.causation_id

    def test_readers_are_nudged_when_something_was_written_and_only_then(
        self, store: EventStore, origin: Origin, workspace: UUID
    ) -> None:
        nudged: list[UUID] = []
        store = replace(store, nudge=nudged.append)
        contact_id = create(store, origin)
        assert nudged == [workspace]
        store.run(origin, lambda work: work.execute(CONTACT, contact_id, UpdateContact()))
        with pytest.raises(Refused):
            store.run(origin, lambda work: work.execute(CONTACT, new_id(), DeleteContact()))
        assert nudged == [workspace]


class TestNothingHalf:
    @both_paths
    def test_a_refusal_leaves_nothing(
        self, store: EventStore, origin: Origin, pool: Pool, workspace: UUID, bulk: bool
    ) -> None:
        def work(unit: Work) -> None:
            unit.begin(CONTACT, new_id(), ADA)
            unit.execute(CONTACT, new_id(), DeleteContact())

        with pytest.raises(Refused, match="No such contact"):
            store.run(origin, work, bulk=bulk)
        nothing_happened(pool, workspace)

    @both_paths
    def test_an_error_after_everything_was_written_leaves_nothing(
        self, store: EventStore, origin: Origin, pool: Pool, workspace: UUID, bulk: bool
    ) -> None:
        def work(unit: Work) -> None:
            unit.begin(CONTACT, new_id(), ADA)
            unit.flush()
            raise RuntimeError("power cut")

        with pytest.raises(RuntimeError, match="power cut"):
            store.run(origin, work, bulk=bulk)
        nothing_happened(pool, workspace)

    @both_paths
    def test_what_cannot_be_appended_leaves_no_row(self, store: EventStore, pool: Pool, bulk: bool) -> None:
        """Rows are written first; here the workspace has no log to append to."""
        nowhere = Origin(new_id(), Actor(type="system"))
        with pytest.raises(psycopg.errors.NoDataFound):
            store.run(nowhere, lambda work: work.begin(CONTACT, new_id(), ADA), bulk=bulk)
        assert contacts(pool, nowhere.workspace_id) == 0

    @both_paths
    def test_a_connection_that_breaks_leaves_nothing_and_the_next_command_has_another(
        self, store: EventStore, origin: Origin, pool: Pool, owner: Db, workspace: UUID, bulk: bool
    ) -> None:
        def work(unit: Work) -> None:
            unit.begin(CONTACT, new_id(), ADA)
            unit.flush()
            owner.execute("SELECT pg_terminate_backend(%s, 5000)", (unit.conn.info.backend_pid,))

        with pytest.raises(Unavailable):
            store.run(origin, work, bulk=bulk)
        nothing_happened(pool, workspace)

        create(store, origin)
        assert types(pool, workspace) == ["contact.created"]

    def test_without_a_database_it_says_so(self, origin: Origin) -> None:
        nowhere = open_pool("postgresql://nobody@127.0.0.1:9/none", size=1, wait=False, timeout=0.05)
        with nowhere, pytest.raises(Unavailable):
            create(EventStore(nowhere, ROWS), origin)


class TestSameStream:
    @both_paths
    def test_a_change_from_outside_makes_it_decide_anew(
        self, store: EventStore, origin: Origin, pool: Pool, workspace: UUID, bulk: bool
    ) -> None:
        contact_id = create(store, origin)
        tries: list[int] = []

        def work(unit: Work) -> None:
            tries.append(unit.get(CONTACT, contact_id).version)
            if len(tries) == 1:
                store.run(origin, lambda other: other.execute(CONTACT, contact_id, UpdateContact(city="London")))
            unit.execute(CONTACT, contact_id, UpdateContact(job_title="Analyst"))

        store.run(origin, work, bulk=bulk)

        assert tries == [1, 2]
        found = contact(pool, workspace, contact_id)
        assert found is not None
        assert (found.state.city, found.state.job_title, found.version) == ("London", "Analyst", 3)
        check_chain(whole_log(pool, workspace), log_end(pool, workspace))

    def test_what_was_deleted_meanwhile_is_not_found(self, store: EventStore, origin: Origin) -> None:
        contact_id = create(store, origin)

        def work(unit: Work) -> None:
            if unit.get(CONTACT, contact_id).version == 1:
                store.run(origin, lambda other: other.execute(CONTACT, contact_id, DeleteContact()))
            unit.execute(CONTACT, contact_id, UpdateContact(job_title="Analyst"))

        with pytest.raises(Refused) as caught:
            store.run(origin, work)
        assert caught.value.code == "not_found"

    def test_after_two_collisions_others_wait_until_it_is_done(
        self, store: EventStore, origin: Origin, pool: Pool, workspace: UUID
    ) -> None:
        contact_id = create(store, origin)
        others: list[Future[object]] = []

        def change(city: str) -> None:
            store.run(origin, lambda other: other.execute(CONTACT, contact_id, UpdateContact(city=city)))

        def work(unit: Work) -> int:
            found = unit.get(CONTACT, contact_id)
            others.append(threads.submit(change, f"city {len(others)}"))
            wait(others, timeout=0.5)
            unit.execute(CONTACT, contact_id, UpdateContact(job_title=f"at {found.version}"))
            return len(others)

        with ThreadPoolExecutor(1) as threads:
            assert store.run(origin, work).value == OPTIMISTIC + 1
        found = contact(pool, workspace, contact_id)
        assert found is not None
        assert (found.state.job_title, found.version) == ("at 3", 5)
        check_chain(whole_log(pool, workspace), log_end(pool, workspace))

    def test_what_fails_along_with_a_refusal_is_nothing_to_be_warned_of(
        self, store: EventStore, origin: Origin, caplog: pytest.LogCaptureFixture
    ) -> None:
        create(store, origin)

        def work(unit: Work) -> None:
            unit.begin(CONTACT, new_id(), ADA)
            unit.write_rows()
            raise Refused("conflict", "There is one.")

        with pytest.raises(Refused, match="There is one"):
            store.run(origin, work)
        assert [line.message for line in caplog.records if line.name.startswith("psycopg")] == []

    def test_it_gives_up_when_what_it_looked_for_is_always_taken_meanwhile(
        self, store: EventStore, origin: Origin, pool: Pool, workspace: UUID
    ) -> None:
        tries: list[int] = []

        def work(unit: Work) -> None:
            tries.append(len(tries))
            wanted = CreateContact(email=f"ada{len(tries)}@example.com")
            create(store, origin, wanted)
            unit.looked_first = True
            unit.begin(CONTACT, new_id(), wanted)

        with pytest.raises(Refused) as caught:
            store.run(origin, work)
        assert caught.value.code == "conflict"
        assert len(tries) == log_end(pool, workspace)[0] == ATTEMPTS

    def test_many_at_once_all_have_their_turn(
        self, store: EventStore, origin: Origin, pool: Pool, workspace: UUID
    ) -> None:
        contact_id = create(store, origin)

        def change(number: int) -> None:
            wanted = UpdateContact(custom_fields={f"field {number}": number})
            store.run(origin, lambda work: work.execute(CONTACT, contact_id, wanted))

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(change, range(40)))

        found = contact(pool, workspace, contact_id)
        assert found is not None
        assert found.state.custom_fields == {f"field {number}": number for number in range(40)}
        assert found.version == 41
        check_chain(whole_log(pool, workspace), log_end(pool, workspace))

    def test_two_units_over_the_same_streams_in_opposite_order_both_succeed(
        self, store: EventStore, origin: Origin, pool: Pool, workspace: UUID
    ) -> None:
        one, two = (create(store, origin, CreateContact(first_name=name)) for name in ("One", "Two"))

        def change(number: int) -> None:
            def work(unit: Work) -> None:
                for contact_id in (one, two) if number % 2 else (two, one):
                    unit.execute(CONTACT, contact_id, UpdateContact(notes=f"note {number}"))

            insist(store, origin, work)

        with ThreadPoolExecutor(2) as threads:
            list(threads.map(change, range(20)))
        assert log_end(pool, workspace)[0] == 42


class TestIfMatch:
    def test_the_version_seen_may_be_changed(self, store: EventStore, origin: Origin) -> None:
        contact_id = create(store, origin)
        found = store.run(
            origin, lambda work: work.execute(CONTACT, contact_id, UpdateContact(city="London"), if_version=1)
        ).value
        assert found is not None
        assert found.version == 2

    @pytest.mark.parametrize("version", [0, 2])
    def test_another_version_may_not(
        self, store: EventStore, origin: Origin, pool: Pool, workspace: UUID, version: int
    ) -> None:
        contact_id = create(store, origin)
        with pytest.raises(Refused, match="its version is 1") as caught:
            store.run(origin, lambda work: work.execute(CONTACT, contact_id, DeleteContact(), if_version=version))
        assert caught.value.code == "precondition_failed"
        assert log_end(pool, workspace)[0] == 1

    def test_a_change_in_between_is_noticed(
        self, store: EventStore, origin: Origin, pool: Pool, workspace: UUID
    ) -> None:
        """Not overwritten by trying again."""
        contact_id = create(store, origin)

        def work(unit: Work) -> None:
            if unit.get(CONTACT, contact_id).version == 1:
                store.run(origin, lambda other: other.execute(CONTACT, contact_id, UpdateContact(city="London")))
            unit.execute(CONTACT, contact_id, UpdateContact(city="Paris"), if_version=1)

        with pytest.raises(Refused) as caught:
            store.run(origin, work)
        assert caught.value.code == "precondition_failed"
        found = contact(pool, workspace, contact_id)
        assert found is not None
        assert found.state.city == "London"

    def test_what_does_not_exist_is_not_found_whatever_the_version(self, store: EventStore, origin: Origin) -> None:
        with pytest.raises(Refused) as caught:
            store.run(origin, lambda work: work.execute(CONTACT, new_id(), DeleteContact(), if_version=1))
        assert caught.value.code == "not_found"


class TestUnique:
    @both_paths
    def test_what_is_taken_is_refused_and_by_whom_is_said(
        self, store: EventStore, origin: Origin, pool: Pool, workspace: UUID, bulk: bool
    ) -> None:
        create(store, origin, CreateContact(first_name="Also without address"))
        contact_id = create(store, origin)

        with pytest.raises(Refused, match="e-mail address exists already") as caught:
            store.run(
                origin,
                lambda work: [
                    work.begin(CONTACT, new_id(), CreateContact(first_name="Bob")),
                    work.begin(CONTACT, new_id(), ADA),
                ],
                bulk=bulk,
            )

        assert (caught.value.code, caught.value.existing_id) == ("conflict", str(contact_id))
        assert contacts(pool, workspace) == 2
        assert log_end(pool, workspace)[0] == 2

    @both_paths
    def test_so_is_a_change_to_what_is_taken(self, store: EventStore, origin: Origin, bulk: bool) -> None:
        ada = create(store, origin)
        bob = create(store, origin, CreateContact(email="bob@engine.org"))
        with pytest.raises(Refused) as caught:
            store.run(origin, lambda work: work.execute(CONTACT, bob, UpdateContact(email="Ada@engine.org")), bulk=bulk)
        assert (caught.value.code, caught.value.existing_id) == ("conflict", str(ada))

    def test_the_same_twice_in_one_unit_is_refused_too(
        self, store: EventStore, origin: Origin, pool: Pool, workspace: UUID
    ) -> None:
        nobody = CreateContact(first_name="Bob")
        with pytest.raises(Refused, match="e-mail address exists already") as caught:
            store.run(origin, lambda work: [work.begin(CONTACT, new_id(), each) for each in (nobody, nobody, ADA, ADA)])
        assert (caught.value.code, caught.value.existing_id) == ("conflict", None)
        nothing_happened(pool, workspace)

    def test_what_was_given_up_is_free_again(self, store: EventStore, origin: Origin) -> None:
        contact_id = create(store, origin)
        store.run(origin, lambda work: work.execute(CONTACT, contact_id, DeleteContact()))
        create(store, origin)

    def test_two_may_swap_what_is_unique_in_two_steps(self, store: EventStore, origin: Origin) -> None:
        ada, bob = create(store, origin), create(store, origin, CreateContact(email="bob@engine.org", first_name="B"))
        store.run(origin, lambda work: work.execute(CONTACT, ada, UpdateContact(email=None)))
        store.run(origin, lambda work: work.execute(CONTACT, bob, UpdateContact(email="ada@engine.org")))

    def test_another_workspace_may_have_the_same(
        self, store: EventStore, origin: Origin, other_workspace: UUID
    ) -> None:
        create(store, origin)
        create(store, replace(origin, workspace_id=other_workspace))

    def test_of_many_at_once_one_wins_and_the_others_are_told_of_it(
        self, store: EventStore, origin: Origin, pool: Pool, workspace: UUID
    ) -> None:
        ready = threading.Barrier(6)

        def attempt(_: int) -> tuple[str, str]:
            ready.wait()
            try:
                return "created", str(create(store, origin))
            except Refused as refusal:
                return refusal.code, str(refusal.existing_id)

        with ThreadPoolExecutor(6) as threads:
            answers = list(threads.map(attempt, range(6)))

        (winner,) = [told for answer, told in answers if answer == "created"]
        assert sorted(answers) == sorted([("created", winner), *[("conflict", winner)] * 5])
        assert log_end(pool, workspace)[0] == 1

    def test_names_of_tags_are_unique_whatever_their_case(self, store: EventStore, origin: Origin) -> None:
        store.run(origin, lambda work: work.begin(TAG, new_id(), CreateTag(name="Größe")))
        with pytest.raises(Refused, match="A tag of this name exists already"):
            store.run(origin, lambda work: work.begin(TAG, new_id(), CreateTag(name="GRÖSSE")))


def test_another_workspaces_streams_are_not_found(
    store: EventStore, origin: Origin, other_workspace: UUID, pool: Pool, workspace: UUID
) -> None:
    contact_id = create(store, origin)
    intruder = replace(origin, workspace_id=other_workspace)
    for command in (UpdateContact(city="London"), DeleteContact()):
        with pytest.raises(Refused) as caught:
            store.run(intruder, partial(Work.execute, decider=CONTACT, stream_id=contact_id, command=command))
        assert caught.value.code == "not_found"
    assert types(pool, workspace) == ["contact.created"]
    assert whole_log(pool, other_workspace) == []


def test_a_bulk_unit_counts_changes_and_deletions_too(
    store: EventStore, origin: Origin, pool: Pool, workspace: UUID
) -> None:
    ids = [new_id() for _ in range(30)]
    store.run(
        origin,
        lambda work: [
            work.begin(CONTACT, each, CreateContact(first_name=f"n{number}")) for number, each in enumerate(ids)
        ],
        bulk=True,
    )

    def work(unit: Work) -> None:
        unit.load(CONTACT, ids)
        for each in ids[:10]:
            unit.execute(CONTACT, each, DeleteContact())
        for each in ids[10:]:
            unit.execute(CONTACT, each, UpdateContact(city="London"))
        unit.begin(TAG, new_id(), CreateTag(name="VIP"))

    done = store.run(origin, work, bulk=True)

    assert done.seq == 61
    assert count(pool, workspace, "contact") == 20
    assert contacts(pool, workspace) == 20
    with reading(pool, workspace) as conn:
        found: dict[UUID, Current[Any]] = CONTACTS.load(conn, ids)
        assert {current.state.city for current in found.values()} == {"London"}
    check_chain(whole_log(pool, workspace), log_end(pool, workspace))
