"""The language of the domain's tests: ``given(TAG, created).when(UpdateTag(name="B")).then(updated)``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from domain.kernel import Command, Decider, Event, FieldError, Refused, State

S = TypeVar("S", bound=State)


def given(decider: Decider[Any, Any, S], *history: Event | Command) -> Given[S]:
    """A stream to which this happened; a command stands for the events that it leads to."""
    state: S | None = None
    for item in history:
        events = [item] if isinstance(item, Event) else decider.decide(item, state)
        for event in events:
            state = decider.evolve(state, event)
    return Given(decider, state)


@dataclass(frozen=True)
class Given(Generic[S]):
    decider: Decider[Any, Any, S]
    state: S | None

    def when(self, command: Command) -> Outcome[S]:
        try:
            return Outcome(self, list(self.decider.decide(command, self.state)), None)
        except Refused as refusal:
            return Outcome(self, [], refusal)


@dataclass(frozen=True)
class Outcome(Generic[S]):
    given: Given[S]
    events: list[Event]
    refusal: Refused | None

    def then(self, *events: Event) -> S | None:
        """These events, in this order; answers the state that they lead to."""
        self._not_refused()
        assert self.events == list(events)
        return self.state

    def nothing(self) -> None:
        """Accepted, and there was nothing to do."""
        self.then()

    def refused(self, code: str, *, field: str | None = None, fields: Sequence[str] = (), says: str = "") -> Refused:
        """Refused with this code, for the sake of these fields and no others, in a message with these words."""
        assert self.refusal is not None, f"not refused but decided: {self.events}"
        assert self.refusal.code == code
        named = [detail.field for detail in self.refusal.details]
        assert named == (list(fields) if field is None else [field])
        assert says in " ".join([self.refusal.message, *(detail.message for detail in self.refusal.details)])
        return self.refusal

    @property
    def state(self) -> S | None:
        """The state after what was decided."""
        self._not_refused()
        state = self.given.state
        for event in self.events:
            state = self.given.decider.evolve(state, event)
        return state

    def _not_refused(self) -> None:
        if self.refusal is not None:
            raise AssertionError(f"refused: {self.refusal}; {_told(self.refusal.details)}") from self.refusal


def _told(details: Sequence[FieldError]) -> str:
    return "; ".join(f"{detail.field} {detail.message}" for detail in details)
