"""A segment: the contacts of which a filter holds, whenever it is asked."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from domain.kernel import Command, Event, State, Value
from domain.kernel.fields import Kept
from domain.kernel.filter import Group, sized
from domain.kernel.record import record
from domain.kernel.types import Name, Text

SegmentName = Annotated[Name, Meta(description="What it is called.")]
Description = Annotated[Text, Meta(description="What it is for.")]
Members = Annotated[Group, Kept(sized), Meta(description="What holds of its contacts; given anew as a whole.")]
Across = Annotated[
    bool,
    Meta(description="Kept as it is given: whether the filter is meant for other workspaces too. Its contacts are those of this one."),
]  # fmt: skip


class SegmentDetails(Value):
    name: SegmentName
    filter: Members
    description: Description | None = None
    cross_workspace: Across = False


class SegmentChanges(Value):
    """The fields of a segment that can change."""

    name: SegmentName | UnsetType = UNSET
    filter: Members | UnsetType = UNSET
    description: Description | UnsetType | None = UNSET
    cross_workspace: Across | UnsetType = UNSET


class Segment(SegmentDetails, State):
    """Which contacts are meant."""


class CreateSegment(SegmentDetails, Command):
    """A segment to create."""


class UpdateSegment(SegmentChanges, Command):
    """What to change."""


class DeleteSegment(Command):
    """Its contacts stay."""


class SegmentCreated(SegmentDetails, Event, name="segment.created", action="created"):
    """A segment was made."""


class SegmentUpdated(Event, name="segment.updated", action="updated"):
    """Fields of the segment changed."""

    changed: SegmentChanges
    previous: SegmentChanges


class SegmentDeleted(Event, name="segment.deleted", action="deleted"):
    """What it was is in the events before."""


SEGMENT = record(
    "segment",
    state=Segment,
    create=CreateSegment,
    update=UpdateSegment,
    delete=DeleteSegment,
    created=SegmentCreated,
    updated=SegmentUpdated,
    deleted=SegmentDeleted,
)
