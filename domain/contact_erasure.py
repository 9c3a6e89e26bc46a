"""The erasure of a contact: that its key was destroyed, what cannot be read since, and what goes on without it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from domain.kernel import Command, Event, Value
from domain.kernel.fields import kept
from domain.kernel.types import Line

Why = Annotated[Line, Meta(description="Why, in a line: it stays for ever, so it must not tell who it was.")]


class Unreadable(Value):
    """Events of one kind of stream, of which what is personal cannot be read any more."""

    kind: Annotated[str, Meta(description="What they happened to, such as `note`.")]
    streams: Annotated[int, Meta(description="To how many of these.")]
    events: Annotated[int, Meta(description="How many they are.")]
    first_seq: Annotated[int, Meta(description="The `seq` of the first.")]
    last_seq: Annotated[int, Meta(description="The `seq` of the last.")]


class GoesOn(Value):
    """What told of the contact and is still there, without what is personal."""

    kind: Annotated[str, Meta(description="What it is, such as `deal`.")]
    id: Annotated[UUID, Meta(description="Its id.")]


class Receipt(Value):
    """What was erased, when and by whom; nothing in it is personal."""

    erased_at: Annotated[datetime, Meta(description="When.")]
    erased_by: Annotated[UUID, Meta(description="The user who did it.")]
    reason: Why | None = None
    merged: Annotated[tuple[UUID, ...], Meta(description="Contacts that were merged into it, erased with it.")] = ()
    unreadable: Annotated[
        tuple[Unreadable, ...], Meta(description="By kind, the events that cannot be read in full any more.")
    ] = ()
    goes_on: Annotated[
        tuple[GoesOn, ...], Meta(description="What is still there, without what was personal in it.")
    ] = ()


class EraseContact(Receipt, Command):
    """For good, and out of the log: of what happened nothing stays that tells who it was."""


class ContactErased(Receipt, Event, name="contact.erased", action="deleted"):
    """The contact's key was destroyed: what was personal in its events, and in those of what told of it, is unreadable."""


def erased(command: EraseContact) -> ContactErased:
    return ContactErased(**kept(command))
