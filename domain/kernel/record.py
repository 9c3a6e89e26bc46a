"""The constructor that plain records share: create, change, delete, and no rule of their own.

It returns an ordinary decider. When a record gains its first rule, its ``record(...)`` is replaced by
hand-written ``decide`` and ``evolve`` in the same file, and nothing else changes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar, get_type_hints
from uuid import UUID

from domain.kernel import Command, Decider, Ended, Event, Refused, State, invalid, not_found
from domain.kernel.changes import applied, begun, difference, named
from domain.kernel.fields import defined_fields, kept, leading, letting_go
from domain.kernel.values import MAX_CUSTOM_FIELDS

S = TypeVar("S", bound=State)
Fields = dict[str, Any]


def record(
    stream_type: str,
    *,
    state: type[S],
    create: type[Command],
    update: type[Command],
    delete: type[Command],
    created: type[Event],
    updated: type[Event],
    deleted: type[Event],
    derived: Callable[[Fields], Fields] = lambda _: {},
) -> Decider[Any, Any, S]:
    """A decider over three commands and three events.

    Values are kept as the types of their fields say. ``derived`` answers the fields that follow from those that were
    given, such as a slug from a name. The created event has the fields of the state; the updated event says what changed
    and what it was (``changed`` and ``previous``, of one type). An update that changes nothing is no event.
    """
    made = _Record(state, create, update, delete, created, updated, deleted, derived, stream_type.replace("_", " "))
    return Decider(
        stream_type=stream_type,
        state=state,
        commands=(create, update, delete),
        events=(created, updated, deleted),
        decide=made.decide,
        evolve=made.evolve,
        unset=made.unset,
        refer=made.refer,
        delete=delete,
    )


@dataclass(frozen=True)
class _Record(Generic[S]):
    state: type[S]
    create: type[Command]
    update: type[Command]
    delete: type[Command]
    created: type[Event]
    updated: Any
    deleted: type[Event]
    derived: Callable[[Fields], Fields]
    noun: str

    @cached_property
    def changes(self) -> Any:
        """What the updated event says the changes in."""
        return get_type_hints(self.updated)["changed"]

    def decide(self, command: Command, current: S | None) -> Sequence[Event]:
        if isinstance(command, self.create):
            if current is not None:
                raise Refused("conflict", f"This {self.noun} exists already.")
            return [self.created(**begun(self._fields(command)))]
        if current is None:
            raise not_found(self.noun)
        if isinstance(command, self.update):
            changed, previous = difference(self._fields(command), current)
            return self._updated(current, changed, previous) if changed else []
        if isinstance(command, self.delete):
            return [self.deleted()]
        raise TypeError(f"{type(command).__name__} is no command of a {self.noun}")

    def _updated(self, current: S, changed: Fields, previous: Fields) -> Sequence[Event]:
        update = self.updated(changed=self.changes(**changed), previous=self.changes(**previous))
        for found in defined_fields(self.state):
            if len(getattr(applied(current, update.changed), found.name)) > MAX_CUSTOM_FIELDS:
                raise invalid(found.wire, f"must have at most {MAX_CUSTOM_FIELDS} fields")
        return [update]

    def evolve(self, current: S | None, event: Any) -> S | None:
        if isinstance(event, self.created):
            return self.state(**named(event))
        if isinstance(event, self.updated) and current is not None:
            return applied(current, event.changed)
        return None

    def unset(self, field: str, _: Ended) -> Command:
        return self.update(**letting_go(field))

    def refer(self, path: str, to: UUID) -> Command:
        return self.update(**leading(path, to))

    def _fields(self, command: Command) -> Fields:
        found = kept(command)
        return found | self.derived(found)
