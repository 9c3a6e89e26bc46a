"""What there is to know of one kind of thing to import it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, Literal, Protocol, TypeVar
from uuid import UUID

import msgspec

from domain.importing.columns import Columns
from domain.importing.fields import Fields
from domain.kernel import Command, Decider, FieldError, State, Value
from eventstore.rows import Current
from eventstore.work import Work

S = TypeVar("S", bound=State)

Form = Literal["json", "rows", "csv"]
"""How the rows come: as objects, as text by column, or as a file."""


@dataclass(slots=True)
class Entry:
    """A row as a thing's fields by Python name; ``errors`` says what could not even be read.

    ``blank``: a row of a table with nothing in it, as spreadsheets leave them at the end.
    """

    number: int
    line: int | None = None
    blank: bool = False
    fields: dict[str, Any] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    tag_ids: list[UUID] = field(default_factory=list)
    errors: list[FieldError] = field(default_factory=list)


class Plan(Value):
    """What holds for every row of an import.

    ``mapping``: for each column, what it is for; objects have none. ``constants``: a form whose values every row has.
    ``tag_ids`` go on everything; ``tag_names`` are theirs, in this order. ``visible_to``: the member limited to what is assigned to them who imports.
    """

    form: Form
    constants: Any
    mapping: Columns | None = None
    tag_ids: tuple[UUID, ...] = ()
    tag_names: tuple[str, ...] = ()
    skip_duplicates: bool = False
    visible_to: UUID | None = None


class Commands(Protocol[S]):
    """What the rows of a chunk ask for; made once for all of them, so that what they need is looked up in one go."""

    def draft(self, entry: Entry) -> S:
        """What creating it would make, but for what the row brings besides, such as tags; refuses as that would."""
        ...

    def create(self, entry: Entry) -> Current[S]: ...

    def update(self, found: Current[S], entry: Entry) -> None: ...

    def lost(self) -> Sequence[FieldError]:
        """What the plan has for every row, and none of these can have any more."""
        ...


class Matcher(Protocol[S]):
    """Which thing a row is about, so that importing the same rows again creates nothing."""

    def find(self, entry: Entry) -> Current[S] | None: ...

    def remember(self, made: Current[S]) -> None:
        """A row has made it: rows behind it may be about it too."""
        ...


@dataclass(frozen=True)
class Record:
    """The stream in which an import is written down: its decider, and the commands by which it begins and ends."""

    decider: Decider[Any, Any, Any]
    start: type[Command]
    complete: type[Command]
    fail: type[Command]
    cancel: type[Command]


@dataclass(frozen=True)
class Importer(Generic[S]):
    """``kind`` is that of its jobs. ``form``: what a POST takes, and rows that are objects are; ``details``: a form's
    fields by Python name. ``fields``: what columns may be for, where these constants hold for all rows; ``whole``: the
    fields that a text stands for which is none, given the row's others and the constants. ``first`` is the command that
    begins a thing, and ``somebody`` fields with which it is acceptable: so that constants can be judged alone.
    """

    kind: str
    record: Record
    decider: Decider[Any, Any, S]
    form: type[msgspec.Struct]
    details: Callable[[Any], dict[str, Any]]
    fields: Callable[[Any], Fields]
    first: Callable[..., Command]
    commands: Callable[[Work, Plan, Sequence[Entry]], Commands[S]]
    match: Callable[[Work, Plan, Sequence[Entry], Commands[S]], Matcher[S]]
    whole: Callable[[str, Mapping[str, Any], Any], dict[str, Any]] = lambda *_: {}
    somebody: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def decode(self) -> Callable[[Any], Any]:
        """A row that is an object as a form."""
        return msgspec.json.Decoder(self.form).decode

    def packed(self, plan: Plan) -> str:
        """A plan as it is kept with its job."""
        return msgspec.json.encode(plan).decode()

    def unpacked(self, options: str) -> Plan:
        plan = msgspec.json.decode(options, type=Plan)
        return msgspec.structs.replace(plan, constants=msgspec.convert(plan.constants, self.form))
