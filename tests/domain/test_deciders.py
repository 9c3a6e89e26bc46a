"""What holds of every decider there is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalogue import DECIDERS, EVENTS, FORMER
from domain.kernel import Action, Command, Decider, Event, Former, Refused
from domain.kernel.record import record
from eventstore.ids import new_id
from eventstore.mapper import EventMapper
from tests.language import Given
from tests.strategies import structs

IRREGULAR = {"begun", "lost", "made", "resent", "sent", "withdrawn", "won"}
GOLDEN = Path(__file__).parent.parent / "golden"

AnyDecider = Decider[Any, Any, Any]

deciders = pytest.mark.parametrize("decider", DECIDERS.values(), ids=DECIDERS)
WRITTEN = {name: event for name, event in EVENTS.items() if name not in FORMER}
events = pytest.mark.parametrize("event", WRITTEN.values(), ids=WRITTEN)
commands = pytest.mark.parametrize(
    ("decider", "command"),
    [
        pytest.param(decider, command, id=command.__name__)
        for decider in DECIDERS.values()
        for command in decider.commands
    ],
)


def all_subclasses(kind: type[Any]) -> Iterator[type[Any]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from all_subclasses(subclass)


class TestNames:
    def test_every_stream_type_and_every_event_is_in_the_catalogue_once(self) -> None:
        assert len({decider.stream_type for decider in DECIDERS.values()}) == len(DECIDERS)
        assert len(EVENTS) == sum(len(decider.events) + len(decider.former) for decider in DECIDERS.values())

    def test_every_event_and_command_of_the_domain_belongs_to_a_decider(self) -> None:
        ours = {kind for kind in all_subclasses(Event) if kind.__module__.startswith("domain.")}
        assert ours == set(EVENTS.values())
        ours = {kind for kind in all_subclasses(Command) if kind.__module__.startswith("domain.")}
        assert ours == {command for decider in DECIDERS.values() for command in decider.commands}

    @deciders
    def test_an_event_is_a_noun_and_a_verb_in_the_past_tense(self, decider: AnyDecider) -> None:
        for event in decider.events:
            noun, _, verb = event.event_name.partition(".")
            assert noun == decider.stream_type
            assert re.fullmatch(r"[a-z]+(_[a-z]+)*", noun)
            assert re.fullmatch(r"([a-z]+_)*[a-z]+(_[a-z]+)*", verb)
            assert any(word.endswith("ed") or word in IRREGULAR for word in verb.split("_"))

    @deciders
    def test_commands_are_imperative_and_events_are_not_named_alike(self, decider: AnyDecider) -> None:
        assert not {command.__name__ for command in decider.commands} & {event.__name__ for event in decider.events}

    @events
    def test_an_event_says_what_it_is_in_the_audit_trail(self, event: type[Event]) -> None:
        assert event.event_action in get_args(Action)
        assert set(event.event_changes) <= {
            field.encode_name for field in msgspec.structs.fields(DECIDERS[event.event_name.partition(".")[0]].state)
        }

    def test_an_event_that_does_not_say_its_action_cannot_be_written(self) -> None:
        with pytest.raises(TypeError, match=r"deal\.won must say its action"):

            class DealWon(Event, name="deal.won"):
                """Says nothing of the trail."""

    @events
    def test_an_event_says_in_a_sentence_what_its_fields_do_not(self, event: type[Event]) -> None:
        assert event.__struct_fields__ or event.__doc__


class TestEvents:
    @events
    @given(data=st.data())
    def test_an_event_is_the_same_after_a_journey_through_json(self, event: type[Event], data: st.DataObject) -> None:
        mapper, stream = EventMapper(), new_id()
        told = data.draw(structs(event))
        stored = mapper.encode(stream, told)
        assert mapper.decode(stream, event.event_name, stored) == told
        assert mapper.encode(stream, mapper.decode(stream, event.event_name, stored)) == stored

    @events
    def test_there_is_a_stored_example_of_every_event_and_it_loads(self, event: type[Event]) -> None:
        """For ever: an example is never changed, and one of a name that is no longer written stays."""
        path = GOLDEN / f"{event.event_name}.json"
        assert path.exists(), f"write a realistic example of the event's data to tests/golden/{path.name}"
        stored = path.read_bytes()
        told = EventMapper().decode(new_id(), event.event_name, stored)
        assert isinstance(told, event)
        kept = msgspec.json.decode(msgspec.json.encode(told))
        assert _contains(kept, msgspec.json.decode(stored)), "a stored value is lost when the event is read"

    def test_every_stored_example_is_still_understood(self) -> None:
        names = [path.name.removesuffix(".json") for path in sorted(GOLDEN.glob("*.json"))]
        assert set(names) >= set(EVENTS)
        for name in names:
            EventMapper().decode(new_id(), name, (GOLDEN / f"{name}.json").read_bytes())

    @pytest.mark.parametrize("former", FORMER.values(), ids=FORMER)
    def test_a_former_event_is_read_as_one_of_its_own_kind_that_is_written_today(self, former: Former) -> None:
        was, now = former.event.event_name, former.now.event_name
        assert was.partition(".")[0] == now.partition(".")[0]
        assert former.now in (*DECIDERS[now.partition(".")[0]].events, *(other.event for other in FORMER.values()))
        told = EventMapper().decode(new_id(), was, (GOLDEN / f"{was}.json").read_bytes())
        assert type(told).event_name in WRITTEN

    @events
    def test_a_change_says_what_was_before_in_the_same_form(self, event: type[Event]) -> None:
        hints = get_type_hints(event)
        assert ("changed" in hints) == ("previous" in hints)
        assert hints.get("changed") == hints.get("previous")

    @deciders
    def test_a_records_updated_event_says_what_changed(self, decider: AnyDecider) -> None:
        if decider.decide.__module__ == record.__module__:
            assert "changed" in get_type_hints(decider.events[1])

    @deciders
    @given(data=st.data())
    def test_every_event_is_accepted_by_every_state(self, decider: AnyDecider, data: st.DataObject) -> None:
        state = data.draw(st.none() | structs(decider.state))
        for event in decider.events:
            evolved = decider.evolve(state, data.draw(structs(event)))
            assert evolved is None or isinstance(evolved, decider.state)


class TestCommands:
    @commands
    @given(data=st.data())
    def test_a_command_is_decided_or_refused(
        self, decider: AnyDecider, command: type[Command], data: st.DataObject
    ) -> None:
        state = data.draw(st.none() | structs(decider.state))
        outcome = Given(decider, state).when(data.draw(structs(command)))
        if outcome.refusal is not None:
            assert outcome.refusal.code in {"not_found", "conflict", "validation_failed", "permission_denied"}
            assert outcome.refusal.message
        for event in outcome.events:
            assert type(event) in decider.events
        assert outcome.refusal or outcome.state is None or isinstance(outcome.state, decider.state)

    @commands
    @given(data=st.data())
    def test_a_decision_does_not_change_what_was(
        self, decider: AnyDecider, command: type[Command], data: st.DataObject
    ) -> None:
        state, wish = data.draw(structs(decider.state)), data.draw(structs(command))
        before = msgspec.json.encode(state), msgspec.json.encode(wish)
        outcome = Given(decider, state).when(wish)
        for event in outcome.events:
            decider.evolve(state, event)
        assert (msgspec.json.encode(state), msgspec.json.encode(wish)) == before

    @deciders
    def test_what_is_no_command_of_it_is_an_error(self, decider: AnyDecider) -> None:
        class Foreign(Command):
            """Of no decider."""

        for state in (None, object()):
            with pytest.raises((AssertionError, TypeError, Refused)) as caught:
                decider.decide(Foreign(), state)
            assert not isinstance(caught.value, Refused) or caught.value.code == "not_found"


def _contains(kept: Any, stored: Any) -> bool:
    """Whether everything stored is in what is kept; fields may have been added since."""
    if isinstance(stored, dict):
        return isinstance(kept, dict) and all(key in kept and _contains(kept[key], stored[key]) for key in stored)
    return bool(kept == stored)
