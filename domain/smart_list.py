"""A smart list: a saved view of the contacts, shared by all of a workspace."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import UNSET, Meta, UnsetType

from domain.kernel import Command, Event, State, Value, values
from domain.kernel.fields import Kept
from domain.kernel.filter import Group, sized
from domain.kernel.record import record
from domain.kernel.types import Line, Name

MAX_COLUMNS: Final = 50


def columns(given: tuple[str, ...]) -> tuple[str, ...]:
    """Up to 50 names of one line each."""
    if len(given) > MAX_COLUMNS:
        raise ValueError(f"must have at most {MAX_COLUMNS} entries")
    return tuple(values.text(name) for name in given)


ListName = Annotated[Name, Meta(description="What it is called; no two are called the same.")]
Query = Annotated[Group, Kept(sized), Meta(description="Which contacts are meant.")]
Words = Annotated[Line, Meta(description="Words that are searched for, too.")]
Order = Annotated[Line, Meta(description="What it is sorted by, such as `-createdAt`.")]
Columns = Annotated[tuple[str, ...], Kept(columns), Meta(description="What is shown of each contact, in order.")]
Place = Annotated[int, Meta(description="Where it stands among the others, from 0.")]


class SmartListDetails(Value):
    name: ListName
    query: Query
    q: Words | None = None
    sort: Order | None = None
    columns: Columns = ()
    place: Place = 0


class SmartListChanges(Value):
    """The fields of a smart list that can change."""

    name: ListName | UnsetType = UNSET
    query: Query | UnsetType = UNSET
    q: Words | UnsetType | None = UNSET
    sort: Order | UnsetType | None = UNSET
    columns: Columns | UnsetType = UNSET
    place: Place | UnsetType = UNSET


class SmartList(SmartListDetails, State):
    """Which contacts are meant, and how they are shown."""


class CreateSmartList(SmartListDetails, Command):
    """A smart list to create."""


class UpdateSmartList(SmartListChanges, Command):
    """What to change."""


class DeleteSmartList(Command):
    """Its contacts stay."""


class SmartListCreated(SmartListDetails, Event, name="smart_list.created", action="created"):
    """A smart list was saved."""


class SmartListUpdated(Event, name="smart_list.updated", action="updated"):
    """The smart list was saved anew."""

    changed: SmartListChanges
    previous: SmartListChanges


class SmartListDeleted(Event, name="smart_list.deleted", action="deleted"):
    """What it was is in the events before."""


SMART_LIST = record(
    "smart_list",
    state=SmartList,
    create=CreateSmartList,
    update=UpdateSmartList,
    delete=DeleteSmartList,
    created=SmartListCreated,
    updated=SmartListUpdated,
    deleted=SmartListDeleted,
)
