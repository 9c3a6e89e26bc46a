"""The workspace's log behind the eventsourcing library's recorder interface."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from eventsourcing.persistence import (
    DataError,
    IntegrityError,
    OperationalError,
    ProgrammingError,
    StoredEvent,
)
from eventsourcing.tests.persistence import ApplicationRecorderTestCase
from hypothesis import given
from hypothesis import strategies as st

from domain.catalogue import DECIDERS, EVENTS
from domain.kernel import Event
from domain.tag import TAG, CreateTag, Tag, UpdateTag
from eventstore.append import Origin
from eventstore.chain import GENESIS, entry_hash
from eventstore.database import Db, Pool, open_pool, reading
from eventstore.ids import new_id
from eventstore.mapper import EventMapper, Recorded
from eventstore.reader import LogGapError, read_log
from eventstore.recorder import WorkspaceRecorder, _data, _state, eventstore_for, is_programs_own
from eventstore.unit_of_work import EventStore
from projections.activity import ActivityQuery, listed
from projections.catalogue import TABLES
from projections.verify import verify
from schemas.log import Actor
from schemas.wire.page import PageRequest
from tests.conftest import make_workspace


class TestTheLibrarysOwnSuite(ApplicationRecorderTestCase[WorkspaceRecorder]):
    """Every recorder of the library passes these."""

    @pytest.fixture(autouse=True)
    def _servers(self, pool: Pool, owner: Db) -> None:
        self._pool, self._owner = pool, owner

    def create_recorder(self) -> WorkspaceRecorder:
        return WorkspaceRecorder(self._pool, make_workspace(self._owner))

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


@pytest.fixture
def recorder(pool: Pool, workspace: UUID) -> WorkspaceRecorder:
    return WorkspaceRecorder(pool, workspace)


class VisitLogged(Event, name="acme:visit.logged", action="created"):
    """Of a program's own."""

    page: str


def stored(topic: str = "acme:visit.logged", state: bytes = b'{"page":"/pricing"}') -> StoredEvent:
    return StoredEvent(originator_id=uuid4(), originator_version=1, topic=topic, state=state)


def test_the_librarys_event_store_folds_what_commands_wrote(
    recorder: WorkspaceRecorder, store: EventStore, origin: Origin
) -> None:
    tag_id = new_id()
    store.run(origin, lambda work: work.begin(TAG, tag_id, CreateTag(name="Big fish")))
    store.run(origin, lambda work: work.execute(TAG, tag_id, UpdateTag(color="#ff0000")))

    state: Tag | None = None
    for found in eventstore_for(recorder, EventMapper()).get(tag_id):
        assert isinstance(found, Recorded)
        state = TAG.evolve(state, found.event)

    assert state == Tag(name="Big fish", slug="big-fish", color="#ff0000")


def test_events_put_by_the_librarys_event_store_are_log_entries(
    recorder: WorkspaceRecorder, pool: Pool, workspace: UUID
) -> None:
    events = eventstore_for(recorder, EventMapper({VisitLogged.event_name: VisitLogged}))
    origin = Origin(workspace, Actor(type="worker"), request_id="req-1", causation_id=new_id())
    visit_id = new_id()

    (recording,) = events.put([Recorded(visit_id, 1, VisitLogged(page="/pricing"))], origin=origin)

    with reading(pool, workspace) as conn:
        (entry,) = read_log(conn, limit=10)
    assert recording.notification.id == entry.seq == 1
    assert (entry.type, entry.stream.type, entry.stream.id) == ("acme:visit.logged", "acme:visit", visit_id)
    assert entry.meta.actor == Actor(type="worker")
    assert (entry.meta.request_id, entry.meta.causation_id) == ("req-1", origin.causation_id)
    assert entry.meta.correlation_id == origin.correlation_id
    assert entry.hash == entry_hash(GENESIS, entry).hex()


def test_without_an_origin_the_system_acts(recorder: WorkspaceRecorder, pool: Pool, workspace: UUID) -> None:
    recorder.insert_events([stored()])

    with reading(pool, workspace) as conn:
        (entry,) = read_log(conn, limit=10)
    assert entry.meta.actor == Actor(type="system")


def test_a_topic_without_a_noun_is_of_a_stream_of_no_kind(
    recorder: WorkspaceRecorder, pool: Pool, workspace: UUID
) -> None:
    recorder.insert_events([stored(topic="something")])

    with reading(pool, workspace) as conn:
        (entry,) = read_log(conn, limit=10)
    assert entry.stream.type == "stream"


@pytest.mark.parametrize("name", [*EVENTS, "contact.eaten", "deal.won", "email_message.sent"])
def test_what_commands_decide_or_may_decide_one_day_cannot_be_appended(recorder: WorkspaceRecorder, name: str) -> None:
    """Rows would say something else than the log."""
    with pytest.raises(ProgrammingError, match="decided by commands"):
        recorder.insert_events([stored(), stored(topic=name)])
    assert recorder.max_notification_id() is None


def test_no_kind_of_stream_of_daybooks_own_is_taken_for_a_programs() -> None:
    assert not [stream_type for stream_type in DECIDERS if is_programs_own(stream_type)]


@pytest.mark.parametrize("topic", ["", "acme:visit logged", "acme:visit.*", "acme:>", "a..b", "acme:b\x00", "x" * 201])
def test_a_topic_that_is_no_part_of_a_subject_is_refused(recorder: WorkspaceRecorder, topic: str) -> None:
    with pytest.raises(ProgrammingError, match="a topic is"):
        recorder.insert_events([stored(topic=topic)])


def test_nothing_can_be_put_behind_what_commands_decided(
    recorder: WorkspaceRecorder, store: EventStore, origin: Origin
) -> None:
    tag_id = new_id()
    store.run(origin, lambda work: work.begin(TAG, tag_id, CreateTag(name="A")))
    with pytest.raises(IntegrityError, match=f"stream {tag_id} is of kind tag"):
        recorder.insert_events([StoredEvent(tag_id, 2, "acme:visit.logged", b"{}")])
    store.run(origin, lambda work: work.execute(TAG, tag_id, UpdateTag(color="#ff0000")))
    assert recorder.max_notification_id() == 2


def test_a_stream_is_of_one_kind(recorder: WorkspaceRecorder) -> None:
    visit_id = uuid4()
    first, second = (StoredEvent(visit_id, n, f"acme:{kind}.logged", b"{}") for n, kind in ((1, "visit"), (2, "call")))
    with pytest.raises(IntegrityError, match="of two kinds"):
        recorder.insert_events([first, second])
    recorder.insert_events([first])
    with pytest.raises(IntegrityError, match="is of kind acme:visit, not acme:call"):
        recorder.insert_events([second])


def test_what_a_program_appended_is_verified_told_and_followed_by_commands(
    recorder: WorkspaceRecorder, store: EventStore, origin: Origin, owner: Db, pool: Pool, workspace: UUID
) -> None:
    recorder.insert_events([stored()])
    store.run(origin, lambda work: work.begin(TAG, new_id(), CreateTag(name="A")))
    assert verify(owner, workspaces=[workspace]).finding is None
    with reading(pool, workspace) as conn:
        views, total, _ = listed(conn, TABLES, PageRequest(), ActivityQuery())
    assert [(view.event, view.entity_type, view.action) for view in views] == [
        ("tag.created", "tag", "created"),
        ("acme:visit.logged", "acme:visit", "updated"),
    ]
    assert total == 2


@given(
    st.binary(max_size=40)
    | st.sampled_from(
        [
            b"{}",
            b'{"a":1}',
            b'{"a": 1}',
            b'{"b":1,"a":2}',
            b'{"a":1,"a":2}',
            b'{"a":1.5}',
            b'{"a":1e+21}',
            b'{"a":1e-7}',
            b'{"a":100000000000000000000}',
            b'{"a":9007199254740993}',
            b'{"a":-0}',
            b'{"a":-0.0}',
            b'{"a":"\\u0000"}',
            b'{"a":"\\\\u0000"}',
            b'{"$bytes":"YQ=="}',
            b'{"$bytes":1}',
            b'{"$bytes":"YQ==","z":1}',
            b'{"a":"\\ud800"}',
            '{"\U0001f600":1,"\uffee":2}'.encode(),
            b"[1]",
            b'"text"',
            b"null",
            b"",
        ]
    )
)
def test_any_bytes_are_kept_as_they_are(through_jsonb: Callable[[str], str], state: bytes) -> None:
    assert _state(through_jsonb(_data(state))) == state


def test_json_objects_are_kept_as_json(recorder: WorkspaceRecorder, owner: Db, workspace: UUID) -> None:
    recorder.insert_events([stored(state=b'{"name":"A"}'), stored(state=b"\xff\x00")])

    rows = owner.execute("SELECT data FROM events WHERE workspace_id = %s ORDER BY seq", (workspace,)).fetchall()
    assert rows == [({"name": "A"},), ({"$bytes": "/wA="},)]


def test_an_origin_of_another_workspace_is_refused(recorder: WorkspaceRecorder, other_workspace: UUID) -> None:
    with pytest.raises(ProgrammingError, match=str(other_workspace)):
        recorder.insert_events([stored()], origin=Origin(other_workspace, Actor(type="system")))
    assert recorder.max_notification_id() is None


def test_a_workspace_without_a_log_is_an_error(pool: Pool) -> None:
    with pytest.raises(ProgrammingError, match="has no log"):
        WorkspaceRecorder(pool, new_id()).insert_events([stored()])


def test_an_originator_must_be_a_uuid(recorder: WorkspaceRecorder) -> None:
    with pytest.raises(DataError, match="must be a UUID, not 'contact-1'"):
        recorder.select_events("contact-1")


def test_a_version_that_is_taken_leaves_the_log_as_it_was(recorder: WorkspaceRecorder) -> None:
    event = stored()
    recorder.insert_events([event])

    with pytest.raises(IntegrityError):
        recorder.insert_events([stored(), event])

    assert recorder.max_notification_id() == 1
    assert recorder.insert_events([stored()]) == [2]


def test_an_unreachable_database_is_an_operational_error(workspace: UUID) -> None:
    nowhere = open_pool("postgresql://nobody@127.0.0.1:9/none", size=1, wait=False, timeout=0.05)
    with nowhere, pytest.raises(OperationalError):
        WorkspaceRecorder(nowhere, workspace).max_notification_id()


def test_a_subscription_stops_at_a_gap(recorder: WorkspaceRecorder, owner: Db, workspace: UUID) -> None:
    recorder.insert_events([stored(), stored(), stored()])
    owner.execute("DELETE FROM events WHERE workspace_id = %s AND seq = 2", (workspace,))

    with recorder.subscribe() as subscription:
        assert next(subscription).id == 1
        with pytest.raises(LogGapError, match="no entry 2"):
            next(subscription)
