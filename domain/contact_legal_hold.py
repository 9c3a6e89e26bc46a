"""A legal hold on a contact: why it has to be kept, so that it is neither deleted nor erased until the hold is released."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from domain.kernel import Command, Event, Refused, Value
from domain.kernel.changes import named
from domain.kernel.fields import kept
from domain.kernel.personal import PERSONAL
from domain.kernel.types import Name

Reason = Annotated[Name, PERSONAL, Meta(description="Why it has to be kept, in a line.")]
PlacedAt = Annotated[datetime, Meta(description="When the hold was placed, or its reason last changed.")]
PlacedBy = Annotated[UUID, Meta(description="The user who did that.")]


class LegalHold(Value):
    """That a contact has to be kept."""

    reason: Reason
    placed_at: PlacedAt
    placed_by: PlacedBy

    def refusal(self, what: str) -> Refused:
        """The answer to who would do ``what`` with the contact, such as delete it."""
        since = self.placed_at.strftime("%Y-%m-%d")
        return Refused(
            "conflict",
            f"A legal hold is on this contact since {since} ({self.reason}): nobody can {what} it until that is released.",
        )

    def refusal_beside(self, held: UUID) -> Refused:
        """The answer to who would erase another than the contact ``held``, of whom something tells that tells of it, too."""
        since = self.placed_at.strftime("%Y-%m-%d")
        return Refused(
            "conflict",
            f"A legal hold is on the contact {held} since {since}, and some of what tells of this contact tells of that one,"
            " too: nobody can erase it until that is released.",
        )


class PlaceLegalHold(Command):
    """It has to be kept; on hold already, with this reason from here on."""

    reason: Reason
    at: datetime
    by: UUID


class ReleaseLegalHold(Command):
    """It need not be kept any more; without a hold that is no change."""


class ContactLegalHoldPlaced(Event, name="contact.legal_hold_placed", action="updated"):
    """The contact has to be kept: it cannot be deleted, merged into another or erased."""

    reason: Reason
    placed_at: PlacedAt
    placed_by: PlacedBy


class ContactLegalHoldReleased(Event, name="contact.legal_hold_released", action="updated", takes_away=True):
    """The contact need not be kept any more."""

    reason: Annotated[str, PERSONAL, Meta(description="Why it had to be kept.")]
    placed_at: PlacedAt
    placed_by: PlacedBy


LegalHoldCommand = PlaceLegalHold | ReleaseLegalHold
LegalHoldEvent = ContactLegalHoldPlaced | ContactLegalHoldReleased


def decided(command: LegalHoldCommand, hold: LegalHold | None) -> list[LegalHoldEvent]:
    """What comes of it where such a hold is on the contact already, or none."""
    if isinstance(command, ReleaseLegalHold):
        return [] if hold is None else [ContactLegalHoldReleased(**named(hold))]
    reason = kept(command)["reason"]
    if hold is not None and hold.reason == reason:
        return []
    return [ContactLegalHoldPlaced(reason=reason, placed_at=command.at, placed_by=command.by)]


def after(event: LegalHoldEvent) -> LegalHold | None:
    """The hold on the contact behind that."""
    return LegalHold(**named(event)) if isinstance(event, ContactLegalHoldPlaced) else None
