"""Personal fields in the log: sealed by whom an event is about, opened with the keys there are, and gone with any of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin
from uuid import UUID

import msgspec
import pytest

from domain.catalogue import DECIDERS, EVENTS, FORMER
from domain.contact import CONTACT, CreateContact, UpdateContact
from domain.kernel import Decider, Event
from domain.kernel.fields import annotated, references
from domain.kernel.personal import ERASED, Tree, others, personal
from domain.note import NOTE, CreateNote, NoteCreated, UpdateNote
from eventstore.append import Origin
from eventstore.database import Db, Pool, reading
from eventstore.ids import new_id
from eventstore.mapper import EventMapper, UnreadableEventError
from eventstore.persons import _WRITTEN
from eventstore.reader import fold_stream
from eventstore.unit_of_work import EventStore
from tests.logs import check_chain, log_end, whole_log

GOLDEN = Path(__file__).parent.parent / "golden"
STREAM, SARAH, BOB = UUID(int=1), UUID(int=2), UUID(int=3)
KEYS = {SARAH: bytes(range(32)), BOB: bytes(range(32, 64))}


def _struct(kind: Any) -> type[msgspec.Struct]:
    found: type[msgspec.Struct] = kind
    return found


ABOUT_PERSONS = {
    kind: decider
    for kind, decider in DECIDERS.items()
    if decider.person
    or any(DECIDERS[reference.to.kind].person for reference in references(_struct(decider.state)))
    or any(others(_struct(event)) for event in decider.events)
}
"""The kinds of stream that tell of persons."""

NOT_PERSONAL = {
    "tagName", "tags.name", "loser.tags",  # what the workspace calls its tags
    "pipelineName", "stageName", "changed.pipelineName", "changed.stageName", "previous.pipelineName",
    "previous.stageName",
    "moved.kind", "moved.path", "moved.field", "unreadable.kind", "goesOn.kind",  # names of ours
    "reason of contact.erased",  # it says why, for ever, and whoever writes it is told so
    "value.currency", "changed.value.currency", "previous.value.currency", "expectedCloseDate",
    "changed.expectedCloseDate", "previous.expectedCloseDate",
}  # fmt: skip
"""Text in events of theirs that tells nothing of anybody."""

sealed_events = pytest.mark.parametrize(
    "event",
    [event for name, event in EVENTS.items() if personal(event) and name not in FORMER],
    ids=lambda event: event.event_name,
)


def texts(kind: type[msgspec.Struct], before: str = "") -> Iterator[str]:
    """The places where free text can stand, but for those that are personal."""
    for _, wire, annotation in annotated(kind):
        if wire not in personal(kind).masks:
            yield from _texts(annotation, f"{before}{wire}")


def _texts(annotation: Any, at: str) -> Iterator[str]:
    if get_origin(annotation) is Annotated:
        yield from _texts(get_args(annotation)[0], at)
    elif annotation is str or get_origin(annotation) is dict:
        yield at
    elif isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        yield from texts(annotation, f"{at}.")
    elif "Literal" not in str(get_origin(annotation)):
        for inner in get_args(annotation):
            yield from _texts(inner, at)


@pytest.mark.parametrize("decider", ABOUT_PERSONS.values(), ids=ABOUT_PERSONS)
def test_every_text_in_what_tells_of_persons_is_personal_or_said_not_to_be(decider: Decider[Any, Any, Any]) -> None:
    for event in decider.events:
        found = {place for place in texts(event) if f"{place} of {event.event_name}" not in NOT_PERSONAL}
        assert found <= NOT_PERSONAL, event.event_name


def test_no_other_kind_of_stream_has_anything_personal() -> None:
    kinds = {name.partition(".")[0] for name, event in EVENTS.items() if personal(event)}
    assert kinds == ABOUT_PERSONS.keys()


def test_what_tells_of_persons_is_known() -> None:
    assert ABOUT_PERSONS.keys() == {
        "call", "contact", "contact_duplicate", "contact_merge", "deal", "interaction", "note", "task",
    }  # fmt: skip


def example(name: str) -> dict[str, Any]:
    """The data of an event as they are ``stored``, and ``plain``."""
    found: dict[str, Any] = msgspec.json.decode((GOLDEN / "sealed" / f"{name}.json").read_bytes())
    return found


def stored(name: str, keys: Iterable[bytes] | None = None) -> str:
    """The sealed example of an event, as ``READABLE`` answers it with these keys."""
    text = str(msgspec.json.encode(example(name)["stored"]), "utf-8")
    return text if keys is None else text + "\n" + ",".join(key.hex() for key in keys)


@sealed_events
def test_a_sealed_example_is_opened_with_its_keys_for_ever(event: type[Event]) -> None:
    """An example is never changed; it was sealed by what sealed it then."""
    plain = msgspec.json.encode(example(event.event_name)["plain"])
    opened = EventMapper().decode(STREAM, event.event_name, stored(event.event_name, KEYS.values()))
    assert opened == EventMapper().decode(STREAM, event.event_name, plain)


@sealed_events
@pytest.mark.parametrize("keys", [[], [KEYS[SARAH]]], ids=["none", "one of two"])
def test_without_all_keys_something_stands_for_what_was_personal(event: type[Event], keys: list[bytes]) -> None:
    text = stored(event.event_name, keys)
    opened = EventMapper().opened(STREAM, event.event_name, text)
    assert opened.erased
    assert isinstance(EventMapper().decode(STREAM, event.event_name, text), event)
    assert "Joëlle" not in str(opened.data)


@sealed_events
def test_what_comes_without_word_of_keys_is_an_error_unless_nobody_has_any(event: type[Event]) -> None:
    text = stored(event.event_name)
    with pytest.raises(UnreadableEventError, match="without their keys"):
        EventMapper().decode(STREAM, event.event_name, text)
    assert isinstance(EventMapper(keyless=True).decode(STREAM, event.event_name, text), event)


def test_what_was_sealed_in_one_place_is_not_opened_in_another() -> None:
    text = stored("note.created", KEYS.values())
    with pytest.raises(UnreadableEventError, match="elsewhere"):
        EventMapper().decode(new_id(), "note.created", text)


@pytest.mark.parametrize("damage", ['"persons": 1', '"fields": null', '"key": null'])
def test_what_is_not_of_the_form_is_named(damage: str) -> None:
    text = '{"$sealed": {"value": "", '
    with pytest.raises(UnreadableEventError, match=r"^note\.created"):
        EventMapper().decode(STREAM, "note.created", f"{text}{damage}}}}}\n{KEYS[SARAH].hex()}")


@sealed_events
def test_what_is_sealed_may_be_written_with_spaces(event: type[Event]) -> None:
    """A log that was exported may have gone through other hands: its hashes are over one form, its lines may be in another."""
    spread = msgspec.json.format(stored(event.event_name)).replace("{}", "{ }").replace("\n", " ")
    mapper = EventMapper(keyless=True)
    assert mapper.decode(STREAM, event.event_name, spread) == mapper.decode(
        STREAM, event.event_name, stored(event.event_name)
    )


@pytest.mark.parametrize("fields", [["x"] * 201, ["x" * 201]], ids=["too many", "too long"])
def test_no_event_says_of_so_many_fields_that_they_are_sealed(fields: list[str]) -> None:
    sealed = msgspec.json.encode({"$sealed": {"fields": fields, "key": "", "persons": [], "value": ""}})
    with pytest.raises(UnreadableEventError, match="length <= 200"):
        EventMapper(keyless=True).decode(STREAM, "contact.created", sealed)


@pytest.mark.parametrize("event", [event for event in EVENTS.values() if personal(event)], ids=lambda e: e.event_name)
def test_the_limits_of_sealed_fields_leave_room_for_all_that_there_are(event: type[Event]) -> None:
    def names(tree: Tree, before: str = "") -> list[str]:
        within = [name for one, inner in tree.within.items() for name in names(inner, f"{before}{one}.")]
        return [f"{before}{name}" for name in tree.masks] + within

    found = names(personal(event))
    assert len(found) <= 100
    assert max(map(len, found)) <= 100


def test_without_keys_there_is_nothing_sealed() -> None:
    event = NoteCreated(content="Met", created_by=BOB)
    assert EventMapper().encode(STREAM, event, dict) == EventMapper().encode(STREAM, event)
    assert b"Met" in EventMapper().encode(STREAM, event, dict)
    assert b"Met" not in EventMapper().encode(STREAM, event, lambda: KEYS)


class TestInTheLog:
    @pytest.mark.parametrize("bulk", [False, True], ids=["one by one", "bulk"])
    def test_personal_fields_are_not_in_the_log_and_go_with_their_key(
        self, pool: Pool, store: EventStore, origin: Origin, workspace: UUID, owner: Db, bulk: bool
    ) -> None:
        ada, bob = new_id(), new_id()
        a_name, b_name = "Ada L.", "Bob K."  # Base64 may have three letters by chance
        store.run(origin, lambda work: work.begin(CONTACT, ada, CreateContact(first_name=a_name)), bulk=bulk)
        store.run(origin, lambda work: work.begin(CONTACT, bob, CreateContact(first_name=b_name)), bulk=bulk)
        store.run(origin, lambda work: work.execute(CONTACT, ada, UpdateContact(city="London")), bulk=bulk)
        entries = whole_log(pool, workspace)
        assert not any(name.encode() in bytes(entry.data) for entry in entries for name in (a_name, b_name, "London"))
        assert self.folded(pool, workspace, ada).first_name == a_name
        assert self.keys(owner, workspace) == {ada, bob}

        owner.execute("DELETE FROM person_keys WHERE workspace_id = %s AND person_id = %s", (workspace, ada))

        assert (self.folded(pool, workspace, ada).first_name, self.folded(pool, workspace, ada).city) == (None, None)
        assert self.folded(pool, workspace, bob).first_name == b_name
        check_chain(whole_log(pool, workspace), log_end(pool, workspace))

    def test_what_leads_from_one_to_another_takes_the_keys_of_both(
        self, pool: Pool, store: EventStore, origin: Origin, workspace: UUID, owner: Db
    ) -> None:
        ada, bob, note = new_id(), new_id(), new_id()
        store.run(origin, lambda work: work.begin(CONTACT, ada, CreateContact(first_name="A")))
        store.run(origin, lambda work: work.begin(CONTACT, bob, CreateContact(first_name="B")))
        made = CreateNote(content="Of Ada", contact_id=ada, created_by=bob)
        store.run(origin, lambda work: work.begin(NOTE, note, made))
        store.run(origin, lambda work: work.execute(NOTE, note, UpdateNote(content="Of Bob", contact_id=bob)))
        assert self.folded(pool, workspace, note, NOTE).content == "Of Bob"
        owner.execute("DELETE FROM person_keys WHERE workspace_id = %s AND person_id = %s", (workspace, ada))
        assert self.folded(pool, workspace, note, NOTE).content == ERASED

    def test_one_of_whom_nothing_was_sealed_before_gets_a_key_with_the_next_event(
        self, pool: Pool, store: EventStore, origin: Origin, workspace: UUID, owner: Db
    ) -> None:
        ada = new_id()
        store.run(origin, lambda work: work.begin(CONTACT, ada, CreateContact(first_name="Ada")))
        owner.execute("DELETE FROM person_keys WHERE workspace_id = %s", (workspace,))
        store.run(origin, lambda work: work.execute(CONTACT, ada, UpdateContact(city="London")))
        assert self.keys(owner, workspace) == {ada}
        assert (self.folded(pool, workspace, ada).first_name, self.folded(pool, workspace, ada).city) == (
            None,
            "London",
        )

    def test_what_is_about_nobody_is_as_it_was(self, pool: Pool, store: EventStore, origin: Origin) -> None:
        made = CreateNote(content="Of nobody", created_by=new_id())
        store.run(origin, lambda work: work.begin(NOTE, new_id(), made))
        assert b"Of nobody" in bytes(whole_log(pool, origin.workspace_id)[-1].data)

    def test_nobody_who_was_not_begun_after_all_has_a_key(
        self, store: EventStore, origin: Origin, workspace: UUID, owner: Db
    ) -> None:
        with pytest.raises(Exception, match="at least one"):
            store.run(origin, lambda work: work.begin(CONTACT, new_id(), CreateContact()))
        assert self.keys(owner, workspace) == set()

    def test_a_change_of_what_is_about_somebody_goes_through_no_keys_of_others(
        self, store: EventStore, origin: Origin, workspace: UUID, owner: Db, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ada, note = new_id(), new_id()
        store.run(origin, lambda work: work.begin(CONTACT, ada, CreateContact(first_name="Ada")))
        store.run(
            origin, lambda work: work.begin(NOTE, note, CreateNote(content="Of Ada", contact_id=ada, created_by=ada))
        )
        query = "INSERT INTO person_keys SELECT %s, gen_random_uuid(), sha256('') FROM generate_series(1, 20000)"
        owner.execute(query.encode(), (workspace,))
        owner.execute("ANALYZE person_keys")
        execute, plans = Db.execute, list[str]()

        def explained(conn: Db, query: Any, params: Any = None, **how: Any) -> Any:
            if query == _WRITTEN:
                lines = execute(conn, b"EXPLAIN (ANALYZE) " + query.encode(), params).fetchall()
                plans.append("\n".join(row[0] for row in lines))
            return execute(conn, query, params, **how)

        monkeypatch.setattr(Db, "execute", explained)
        store.run(origin, lambda work: work.execute(NOTE, note, UpdateNote(content="Hers", contact_id=None)))
        store.run(origin, lambda work: work.execute(NOTE, note, UpdateNote(content="Nobody's")))
        read = [int(rows) for plan in plans for rows in re.findall(r"rows=(\d+)\.\d+ loops", plan)]
        assert max(read) < 10
        assert len(plans) == 2
        owner.execute("DELETE FROM person_keys WHERE workspace_id = %s AND key = sha256('')", (workspace,))

    @staticmethod
    def keys(owner: Db, workspace: UUID) -> set[UUID]:
        rows = owner.execute("SELECT person_id FROM person_keys WHERE workspace_id = %s", (workspace,))
        return {row[0] for row in rows}

    @staticmethod
    def folded(pool: Pool, workspace: UUID, stream_id: UUID, decider: Decider[Any, Any, Any] = CONTACT) -> Any:
        with reading(pool, workspace) as conn:
            found = fold_stream(conn, decider, stream_id, EventMapper())
        assert found is not None
        return found.state
