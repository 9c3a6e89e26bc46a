"""An interaction: something that went on between a contact and the workspace, and when. It is never changed."""

from __future__ import annotations

from typing import Annotated, Literal, assert_never
from uuid import UUID

import msgspec
from msgspec import Meta

from domain.kernel import Command, Decider, Event, Refused, State, Value, not_found, values
from domain.kernel.changes import applied, named
from domain.kernel.fields import Kept, Refers, kept
from domain.kernel.personal import PERSONAL
from domain.kernel.types import Line, Moment, Text

InteractionType = Literal[
    "email_sent", "email_received", "call", "meeting", "note", "form_submission", "event_attended", "action_taken",
    "stage_change",
]  # fmt: skip

ContactId = Annotated[
    UUID, Refers("contact", on_end="cascade"), Meta(description="The contact that it was with; it is deleted with it.")
]
Type = Annotated[InteractionType, Meta(description="What it was.")]
Subject = Annotated[Line, PERSONAL, Meta(description="What it was about, in a line.")]
Body = Annotated[Text, PERSONAL, Meta(description="What was said or written, with line breaks.")]
OccurredAt = Annotated[Moment, Meta(description="When it was.")]
Metadata = Annotated[
    dict[str, str],
    PERSONAL,
    Kept(values.metadata),
    Meta(description="Whatever else there is to say, from text to text."),
]


class InteractionFacts(Value):
    """What whoever records an interaction has to say of it."""

    type: Type
    subject: Subject | None = None
    body: Body | None = None
    metadata: Metadata = msgspec.field(default_factory=dict)


class InteractionDetails(InteractionFacts, kw_only=True):
    contact_id: ContactId
    occurred_at: OccurredAt


class Interaction(InteractionDetails, State):
    """An interaction that was recorded."""


class CreateInteraction(InteractionDetails, Command):
    """An interaction to record."""


class MoveInteraction(Command):
    """It was with another contact, as which the one that it was with goes on."""

    contact_id: ContactId


class DeleteInteraction(Command):
    """For good."""


class InteractionCreated(InteractionDetails, Event, name="interaction.created", action="created"):
    """An interaction was recorded."""


class WithWhom(Value):
    """Whom an interaction is with."""

    contact_id: ContactId


class InteractionMoved(Event, name="interaction.moved", action="updated"):
    """The interaction is another contact's, as its own was merged into that or parted from it again."""

    changed: WithWhom
    previous: WithWhom


class InteractionDeleted(Event, name="interaction.deleted", action="deleted"):
    """What it was is in the events before."""


InteractionCommand = CreateInteraction | MoveInteraction | DeleteInteraction
InteractionEvent = InteractionCreated | InteractionMoved | InteractionDeleted


def decide(command: InteractionCommand, interaction: Interaction | None) -> list[InteractionEvent]:
    match command, interaction:
        case CreateInteraction(), None:
            return [InteractionCreated(**kept(command))]
        case CreateInteraction(), _:
            raise Refused("conflict", "This interaction exists already.")
        case _, None:
            raise not_found("interaction")
        case MoveInteraction(contact_id=to), Interaction(contact_id=at):
            moved = InteractionMoved(changed=WithWhom(contact_id=to), previous=WithWhom(contact_id=at))
            return [] if to == at else [moved]
        case DeleteInteraction(), Interaction():
            return [InteractionDeleted()]
        case never, _:
            assert_never(never)


def evolve(interaction: Interaction | None, event: InteractionEvent) -> Interaction | None:
    match event, interaction:
        case InteractionCreated(), _:
            return Interaction(**named(event))
        case (InteractionDeleted(), _) | (_, None):
            return None
        case InteractionMoved(changed=changed), Interaction():
            return applied(interaction, changed)
        case never, _:
            assert_never(never)


INTERACTION: Decider[InteractionCommand, InteractionEvent, Interaction] = Decider(
    stream_type="interaction",
    state=Interaction,
    commands=(CreateInteraction, MoveInteraction, DeleteInteraction),
    events=(InteractionCreated, InteractionMoved, InteractionDeleted),
    decide=decide,
    evolve=evolve,
    refer=lambda _, to: MoveInteraction(contact_id=to),
    delete=DeleteInteraction,
)
