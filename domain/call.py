"""A phone call with a contact, as it is logged."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Final, Literal
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from domain.kernel import Command, Event, State, Value, values
from domain.kernel.fields import Kept, Refers
from domain.kernel.personal import PERSONAL
from domain.kernel.record import record
from domain.kernel.types import Text

Direction = Literal["inbound", "outbound"]
Outcome = Literal["completed", "missed", "voicemail", "no_answer"]

MAX_SECONDS: Final = 7 * 24 * 3600


def seconds(value: int) -> int:
    """How long a call takes: up to a week."""
    if not 0 <= value <= MAX_SECONDS:
        raise ValueError(f"must be from 0 to {MAX_SECONDS} seconds")
    return value


def beginning(value: datetime) -> datetime:
    """A time that leaves room for an end."""
    kept = values.moment(value)
    if kept.year > 9998:
        raise ValueError("must be before the year 9999")
    return kept


ContactId = Annotated[
    UUID, Refers("contact", on_end="cascade"), Meta(description="The contact that it is with; it is deleted with it.")
]
DealId = Annotated[UUID, Refers("deal"), Meta(description="The deal that it was about; it stays when that goes.")]
UserId = Annotated[UUID, Refers("user"), Meta(description="The user who made or took it.")]
InOrOut = Annotated[Direction, Meta(description="Whether the contact called (`inbound`) or was called.")]
Status = Annotated[Outcome, Meta(description="What came of it.")]
Duration = Annotated[int, Kept(seconds), Meta(description="How long it took, in seconds.")]
Notes = Annotated[Text, PERSONAL, Meta(description="What was said, with line breaks.")]
StartedAt = Annotated[datetime, Kept(beginning), Meta(description="When it began.")]


class CallFacts(Value):
    """What whoever logs a call has to say of it."""

    contact_id: ContactId
    direction: InOrOut
    status: Status
    duration: Duration | None = None
    notes: Notes | None = None
    deal_id: DealId | None = None


class CallDetails(CallFacts, kw_only=True):
    user_id: UserId
    started_at: StartedAt


class CallChanges(Value):
    """The fields of a call that can change."""

    contact_id: ContactId | UnsetType = UNSET
    deal_id: DealId | UnsetType | None = UNSET
    user_id: UserId | UnsetType = UNSET
    direction: InOrOut | UnsetType = UNSET
    status: Status | UnsetType = UNSET
    duration: Duration | UnsetType | None = UNSET
    notes: Notes | UnsetType | None = UNSET
    started_at: StartedAt | UnsetType = UNSET


class Call(CallDetails, State):
    """A call that was logged."""

    @property
    def ended_at(self) -> datetime | None:
        """When it was over; not known where it is not known how long it took."""
        return None if self.duration is None else self.started_at + timedelta(seconds=self.duration)


class CreateCall(CallDetails, Command):
    """A call to log."""


class UpdateCall(CallChanges, Command):
    """What to change."""


class DeleteCall(Command):
    """For good."""


class CallCreated(CallDetails, Event, name="call.created", action="created"):
    """A call was logged."""


class CallUpdated(Event, name="call.updated", action="updated"):
    """Fields of the call changed."""

    changed: CallChanges
    previous: CallChanges


class CallDeleted(Event, name="call.deleted", action="deleted"):
    """What it was is in the events before."""


CALL = record(
    "call",
    state=Call,
    create=CreateCall,
    update=UpdateCall,
    delete=DeleteCall,
    created=CallCreated,
    updated=CallUpdated,
    deleted=CallDeleted,
)
