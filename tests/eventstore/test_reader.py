"""Reading the log, a stream of it, and following it as it grows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from domain.contact import CONTACT, CreateContact, DeleteContact, UpdateContact
from domain.kernel import Command
from domain.tag import TAG, CreateTag, TagChanges, TagUpdated, UpdateTag
from eventstore.append import Origin
from eventstore.chain import GENESIS
from eventstore.database import Pool, reading
from eventstore.ids import new_id
from eventstore.mapper import EventMapper
from eventstore.reader import fold_stream, head, read_log, read_stream
from eventstore.unit_of_work import EventStore
from schemas.log import Actor, LogEntry, Meta, Stream

MAPPER = EventMapper()


def write_tags(store: EventStore, origin: Origin, count: int, prefix: str = "tag") -> None:
    store.run(
        origin,
        lambda work: [work.begin(TAG, new_id(), CreateTag(name=f"{prefix} {number}")) for number in range(count)],
        bulk=True,
    )


def run_at(store: EventStore, at: datetime, origin: Origin, contact_id: UUID, command: Command) -> None:
    replace(store, clock=lambda: at).run(origin, lambda work: work.execute(CONTACT, contact_id, command))


class TestReadLog:
    def test_an_entry_says_what_happened_to_what_who_did_it_and_why(
        self, store: EventStore, workspace: UUID, pool: Pool
    ) -> None:
        at = datetime(2026, 3, 15, 10, 30, tzinfo=UTC)
        origin = Origin(
            workspace,
            Actor(type="user", id=new_id()),
            request_id="req-1",
            correlation_id=new_id(),
            causation_id=new_id(),
        )
        tag_id = new_id()
        replace(store, clock=lambda: at).run(origin, lambda work: work.begin(TAG, tag_id, CreateTag(name="VIP")))

        with reading(pool, workspace) as conn:
            (entry,) = read_log(conn, limit=10)

        assert msgspec.json.decode(entry.data) == {"name": "VIP", "slug": "vip", "color": None}
        assert msgspec.structs.replace(entry, data=msgspec.Raw(b"")) == LogEntry(
            id=entry.id,
            type="tag.created",
            workspace_id=workspace,
            seq=1,
            stream=Stream(type="tag", id=tag_id),
            version=1,
            recorded_at=entry.recorded_at,
            meta=Meta(
                actor=origin.actor,
                correlation_id=origin.correlation_id,
                occurred_at="2026-03-15T10:30:00.000000Z",
                causation_id=origin.causation_id,
                request_id="req-1",
            ),
            data=msgspec.Raw(b""),
            hash=entry.hash,
        )

    def test_it_is_read_piece_by_piece(self, store: EventStore, origin: Origin, workspace: UUID, pool: Pool) -> None:
        write_tags(store, origin, 5)
        with reading(pool, workspace) as conn:
            assert [entry.seq for entry in read_log(conn, limit=2)] == [1, 2]
            assert [entry.seq for entry in read_log(conn, after=2, limit=2)] == [3, 4]
            assert [entry.seq for entry in read_log(conn, after=4, limit=2)] == [5]
            assert read_log(conn, after=5, limit=2) == []
            assert [entry.seq for entry in read_log(conn, after=1, upto=3, limit=10)] == [2, 3]

    def test_some_types_are_read_alone(self, store: EventStore, origin: Origin, workspace: UUID, pool: Pool) -> None:
        contact_id = new_id()
        store.run(origin, lambda work: work.begin(CONTACT, contact_id, CreateContact(first_name="Ada")))
        write_tags(store, origin, 2)
        store.run(origin, lambda work: work.execute(CONTACT, contact_id, DeleteContact()))
        with reading(pool, workspace) as conn:
            wanted = ["contact.created", "contact.deleted"]
            assert [entry.seq for entry in read_log(conn, limit=10, types=wanted)] == [1, 4]
            assert [entry.seq for entry in read_log(conn, limit=10, types=wanted, after=1, upto=3)] == []

    def test_the_head_is_the_last_entry(self, store: EventStore, origin: Origin, workspace: UUID, pool: Pool) -> None:
        with reading(pool, workspace) as conn:
            assert head(conn) == (0, GENESIS)
        write_tags(store, origin, 3)
        with reading(pool, workspace) as conn:
            (last,) = read_log(conn, after=2, limit=1)
            assert head(conn) == (3, bytes.fromhex(last.hash))

    def test_another_workspace_has_another_log(
        self, store: EventStore, origin: Origin, other_workspace: UUID, pool: Pool
    ) -> None:
        write_tags(store, origin, 3)
        with reading(pool, other_workspace) as conn:
            assert read_log(conn, limit=10) == []
            assert head(conn) == (0, GENESIS)


class TestAsOf:
    @pytest.fixture
    def hours(self, store: EventStore, origin: Origin) -> tuple[UUID, list[datetime]]:
        """A contact to whom something happens every hour, between things that happen to others."""
        contact_id = new_id()
        noon = datetime(2026, 3, 15, 12, tzinfo=UTC)
        times = [noon + timedelta(hours=hour) for hour in range(4)]
        replace(store, clock=lambda: times[0]).run(
            origin, lambda work: work.begin(CONTACT, contact_id, CreateContact(first_name="Ada", city="London"))
        )
        write_tags(store, origin, 1, "first")
        changes = (UpdateContact(city="Paris"), UpdateContact(city=None, custom_fields={"score": 1}), DeleteContact())
        for at, command in zip(times[1:], changes, strict=True):
            run_at(store, at, origin, contact_id, command)
            write_tags(store, origin, 1, str(at))
        return contact_id, times

    def test_a_contact_is_as_it_was_at_a_version_a_seq_or_a_time(
        self, hours: tuple[UUID, list[datetime]], workspace: UUID, pool: Pool
    ) -> None:
        contact_id, times = hours
        with reading(pool, workspace) as conn:
            for version, city in ((1, "London"), (2, "Paris"), (3, None)):
                seq = 2 * version - 1
                found = fold_stream(conn, CONTACT, contact_id, MAPPER, upto_version=version)
                assert found is not None
                assert (found.state.city, found.version) == (city, version)
                assert (found.created_at, found.updated_at) == (times[0], times[version - 1])
                assert fold_stream(conn, CONTACT, contact_id, MAPPER, upto_seq=seq) == found
                assert fold_stream(conn, CONTACT, contact_id, MAPPER, upto_seq=seq + 1) == found
                at = times[version - 1]
                assert fold_stream(conn, CONTACT, contact_id, MAPPER, upto_time=at) == found
                assert fold_stream(conn, CONTACT, contact_id, MAPPER, upto_time=at + timedelta(minutes=59)) == found

    def test_before_its_beginning_and_after_its_end_it_is_not(
        self, hours: tuple[UUID, list[datetime]], workspace: UUID, pool: Pool
    ) -> None:
        contact_id, times = hours
        with reading(pool, workspace) as conn:
            assert fold_stream(conn, CONTACT, contact_id, MAPPER) is None
            assert fold_stream(conn, CONTACT, contact_id, MAPPER, upto_seq=0) is None
            assert fold_stream(conn, CONTACT, contact_id, MAPPER, upto_time=times[0] - timedelta(seconds=1)) is None
            assert fold_stream(conn, CONTACT, contact_id, MAPPER, upto_time=times[3]) is None
            assert fold_stream(conn, CONTACT, new_id(), MAPPER) is None

    def test_to_another_workspace_it_never_was(
        self, hours: tuple[UUID, list[datetime]], other_workspace: UUID, pool: Pool
    ) -> None:
        with reading(pool, other_workspace) as conn:
            assert read_stream(conn, hours[0], MAPPER) == []

    def test_the_fold_of_all_is_the_row(self, store: EventStore, origin: Origin, workspace: UUID, pool: Pool) -> None:
        contact_id = new_id()
        store.run(origin, lambda work: work.begin(CONTACT, contact_id, CreateContact(first_name="Ada")))
        done = store.run(origin, lambda work: work.execute(CONTACT, contact_id, UpdateContact(city="London")))
        with reading(pool, workspace) as conn:
            assert fold_stream(conn, CONTACT, contact_id, MAPPER) == done.value

    def test_history_tells_each_event_with_its_entry(
        self, store: EventStore, origin: Origin, workspace: UUID, pool: Pool
    ) -> None:
        tag_id = new_id()
        store.run(origin, lambda work: work.begin(TAG, tag_id, CreateTag(name="A", color="#ffffff")))
        write_tags(store, origin, 2)
        user = replace(origin, actor=Actor(type="user", id=new_id()))
        store.run(user, lambda work: work.execute(TAG, tag_id, UpdateTag(color=None)))

        with reading(pool, workspace) as conn:
            _, updated = read_stream(conn, tag_id, MAPPER)

        assert updated.event == TagUpdated(changed=TagChanges(color=None), previous=TagChanges(color="#ffffff"))
        assert (updated.entry.seq, updated.entry.version, updated.entry.meta.actor) == (4, 2, user.actor)

    def test_where_clocks_disagree_the_answer_is_still_a_beginning(
        self, store: EventStore, origin: Origin, workspace: UUID, pool: Pool
    ) -> None:
        tag_id = new_id()
        noon = datetime(2026, 3, 15, 12, tzinfo=UTC)
        behind = noon - timedelta(seconds=1)
        replace(store, clock=lambda: noon).run(origin, lambda work: work.begin(TAG, tag_id, CreateTag(name="A")))
        replace(store, clock=lambda: behind).run(origin, lambda work: work.execute(TAG, tag_id, UpdateTag(name="B")))

        with reading(pool, workspace) as conn:
            found = fold_stream(conn, TAG, tag_id, MAPPER, upto_time=behind)

        assert found is not None
        assert (found.state.name, found.version) == ("B", 2)


def test_a_workers_connection_reads_the_log_of_one_workspace_too(
    store: EventStore, origin: Origin, other_workspace: UUID, worker_pool: Pool
) -> None:
    """Though workers see where every log ends."""
    write_tags(store, origin, 3)
    with reading(worker_pool, other_workspace) as conn:
        assert head(conn) == (0, GENESIS)
        assert read_log(conn, limit=10) == []
