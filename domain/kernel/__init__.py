"""The words every resource speaks: event, command, decider, refusal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Generic, Literal, NamedTuple, TypeVar, dataclass_transform, get_args
from uuid import UUID

import msgspec
from msgspec import Meta

JSON = dict[str, Any]
Action = Literal["created", "updated", "deleted", "login"]
"""What an event amounts to in the audit trail."""


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(msgspec.field,))
class ValueMeta(msgspec.StructMeta):
    """Makes every subclass frozen, keyword-only and camelCase on the wire.

    msgspec inherits none of these three for a subclass's own fields, and type checkers want to be told.
    """

    def __new__(mcls, class_name: str, bases: tuple[type, ...], namespace: JSON, **config: Any) -> ValueMeta:  # noqa: PYI034 - Self has no meaning in a metaclass
        if "name" in config:
            namespace |= _said_of_event(config)
        config = {"frozen": True, "kw_only": True, "rename": "camel", **config}
        if "id" in namespace.get("__annotations__", ()) and any(
            getattr(base, "__struct_fields__", ()) for base in bases
        ):
            bases = (mcls._identified(class_name, bases, namespace, config),)
        return super().__new__(mcls, class_name, bases, namespace, **config)

    @classmethod
    def _identified(cls, class_name: str, bases: tuple[type, ...], namespace: JSON, config: JSON) -> ValueMeta:
        """The bases with the class's ``id`` before all that they have: what is not keyword-only comes first."""
        annotations = namespace["__annotations__"]
        own: JSON = {name: namespace[name] for name in ("__module__", "__qualname__")}
        own["__annotations__"] = {"id": annotations.pop("id")}
        return super().__new__(cls, class_name, bases, own, **{**config, "kw_only": False})


def _said_of_event(config: JSON) -> JSON:
    """What the class line of an event says about it, taken out of ``config``."""
    if "action" not in config:
        raise TypeError(f"{config['name']} must say its action in the audit trail: {', '.join(get_args(Action))}")
    said = {"name": config.pop("name"), "action": config.pop("action")}
    said |= {"changes": config.pop("changes", {}), "takes_away": config.pop("takes_away", False)}
    return {f"event_{word}": value for word, value in said.items()}


class Value(msgspec.Struct, metaclass=ValueMeta):
    """Something without identity, equal when its fields are."""


class Command(Value, forbid_unknown_fields=True):
    """A wish: well-formed, but not yet accepted. What HTTP callers send is decoded into one."""


class Event(Value):
    """A fact in the past tense: ``class ContactCreated(Event, name="contact.created", action="created")``.

    The name is public and for ever: it stands on disk, in webhooks, on NATS and in the documentation.
    A field may be added if it has a default; anything else is a new event or an upcaster.
    The audit trail tells its ``action`` and what changed: its data, unless the name alone says it all
    (``changes={"globallyUnsubscribed": (False, True)}``, from what to what), or the data was so before and is no more
    (``takes_away=True``).
    """

    event_name: ClassVar[str]
    event_action: ClassVar[Action]
    event_changes: ClassVar[Mapping[str, tuple[Any, Any]]]
    event_takes_away: ClassVar[bool]


class State(Value, omit_defaults=True):
    """What the events of one stream add up to. It is kept without what is not set."""


class FieldError(Value):
    """What is wrong with one field: its wire name (dotted for nested ones) and what was expected."""

    field: Annotated[str, Meta(description="The field's name, dotted for nested ones; `body` for the whole body.")]
    message: Annotated[str, Meta(description="What was expected of it.")]


class Refused(Exception):  # noqa: N818 - a refusal is an answer of the domain, not a malfunction
    """A command that was understood and not accepted; nothing was written.

    ``code`` is stable and one of the documented error codes; ``details`` name the fields at fault;
    ``existing_id`` names what a ``conflict`` collided with.
    """

    def __init__(
        self, code: str, message: str, *, details: Sequence[FieldError] = (), existing_id: str | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = tuple(details)
        self.existing_id = existing_id


def not_found(what: str) -> Refused:
    return Refused("not_found", f"No such {what}.")


def invalid(field: str, message: str) -> Refused:
    """A single field that was understood but is not acceptable."""
    return Refused("validation_failed", f"{field}: {message}", details=[FieldError(field=field, message=message)])


def renamed(refusal: Refused, field: str, given: str) -> Refused:
    """The refusal, which names the field or what is in it, as of who has been given it under another name."""
    details = [
        FieldError(field=given, message=detail.message) if detail.field.partition(".")[0] == field else detail
        for detail in refusal.details
    ]
    message = refusal.message if refusal.details == tuple(details) else f"Not acceptable: {given}."
    return Refused(refusal.code, message, details=details, existing_id=refusal.existing_id)


C = TypeVar("C", bound=Command)
E = TypeVar("E", bound=Event)
S = TypeVar("S", bound=State)


class Ended(NamedTuple):
    """A thing that ends, as those who refer to it remember it: ``name`` is empty where it has none."""

    id: UUID
    name: str


@dataclass(frozen=True)
class Former:
    """An event as it was once written, by a name of its own: it is read as the event that took its place.

    ``upcast`` makes the new event's data of the old one's. The class stays for what stands in logs: its schema, and its place
    in the catalogue.
    """

    event: type[Event]
    now: type[Event]
    upcast: Callable[[JSON], JSON]


@dataclass(frozen=True, eq=False)
class Decider(Generic[C, E, S]):
    """One kind of stream: ``decide(command, state) -> events`` and ``evolve(state, event) -> state``.

    Both are pure. A state of ``None`` is a stream that has not begun or has ended (was deleted). What it refers to may
    end (``domain/kernel/fields.py``): ``unset(path, ended)`` is the command that takes such a reference away (``letting_go``
    of the path is the change), and ``delete`` the one that ends the stream itself. ``refer(path, id)`` has it refer to
    another thing (``leading``). ``former``: events that are not written any more. ``person``: each stream is that of a
    person, and what is personal in it, and in others that refer to it, is sealed with that person's key
    (``domain/kernel/personal.py``).
    """

    stream_type: str
    state: type[S]
    commands: tuple[type[C], ...]
    events: tuple[type[E], ...]
    decide: Callable[[C, S | None], Sequence[E]]
    evolve: Callable[[S | None, E], S | None]
    unset: Callable[[str, Ended], C] | None = None
    refer: Callable[[str, UUID], C] | None = None
    delete: type[C] | None = None
    former: tuple[Former, ...] = ()
    person: bool = False
