"""The constructor that plain records share: create, change, delete, and no rule of their own.

It returns an ordinary decider. When a record gains its first rule, its ``record(...)`` is replaced by
hand-written ``decide`` and ``evolve`` in the same file, and nothing else changes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from domain.kernel import Command, Decider, Event, Refused, State, Value, not_found
from domain.kernel.changes import applied, difference, named

C = TypeVar("C", bound=Command)
E = TypeVar("E", bound=Event)
S = TypeVar("S", bound=State)
Create = TypeVar("Create", bound=Command)
Update = TypeVar("Update", bound=Command)
Changes = TypeVar("Changes", bound=Value)


def record(
    stream_type: str,
    *,
    state: type[S],
    create: type[Create],
    created: Callable[[Create], Event],
    update: type[Update],
    changes: Callable[[Update], Changes],
    updated: Callable[[Changes, Changes], Event],
    delete: type[Command],
    deleted: type[Event],
    events: tuple[type[Event], type[Event], type[Event]],
) -> Decider[Any, Any, S]:
    """A decider over three commands and three events (created, updated, deleted).

    ``created`` and ``changes`` turn a command into normalised fields and refuse what is not acceptable.
    The created event's fields are the state's first fields; the updated event says what changed and what it was
    (``changed`` and ``previous``, of the same shape). An update that changes nothing is no event.
    """
    created_event, updated_event, _ = events

    def decide(command: Command, current: S | None) -> Sequence[Event]:
        if isinstance(command, create):
            if current is not None:
                raise Refused("conflict", f"This {stream_type} exists already.")
            return [created(command)]
        if current is None:
            raise not_found(stream_type)
        if isinstance(command, update):
            wanted = changes(command)
            changed, previous = difference(named(wanted), current)
            return [updated(type(wanted)(**changed), type(wanted)(**previous))] if changed else []
        if isinstance(command, delete):
            return [deleted()]
        raise TypeError(f"{type(command).__name__} is no command of a {stream_type}")

    def evolve(current: S | None, event: Event) -> S | None:
        if isinstance(event, created_event):
            return state(**named(event))
        if isinstance(event, updated_event) and current is not None:
            return applied(current, event.changed)  # type: ignore[attr-defined]  # every updated event of a record has it; test_deciders checks
        return None

    return Decider(
        stream_type=stream_type,
        state=state,
        commands=(create, update, delete),
        events=events,
        decide=decide,
        evolve=evolve,
    )
