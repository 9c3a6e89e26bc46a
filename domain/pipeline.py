"""A pipeline: the way that deals of one kind take, stage by stage."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from domain.kernel import Command, Event, State, Value, invalid, values
from domain.kernel.money import Currency
from domain.kernel.record import record
from domain.kernel.types import CustomFields, Name

PipelineName = Annotated[Name, Meta(description="What it is called.")]
PipelineCurrency = Annotated[
    Currency,
    Meta(
        description="The currency, by its ISO 4217 code, of its deals that name no other, and of its statistics: `USD`."
    ),
]
Settings = Annotated[
    CustomFields,
    Meta(
        description="Settings of your own by key: text, numbers, booleans, or lists of these. In a PATCH they are merged"
        " by key, and null takes one away."
    ),
]


class PipelineDetails(Value):
    name: PipelineName
    currency: PipelineCurrency = "USD"
    settings: Settings = msgspec.field(default_factory=dict)


class PipelineChanges(Value):
    """The fields of a pipeline that can change."""

    name: PipelineName | UnsetType = UNSET
    currency: PipelineCurrency | UnsetType = UNSET
    settings: Settings | UnsetType = UNSET


class Pipeline(PipelineDetails, State):
    """What stages are in, and deals."""


class CreatePipeline(PipelineDetails, Command):
    """A pipeline to create."""


class UpdatePipeline(PipelineChanges, Command):
    """What to change."""


class DeletePipeline(Command):
    """Its stages go with it; one that has deals stays."""


class PipelineCreated(PipelineDetails, Event, name="pipeline.created", action="created"):
    """A pipeline was made."""


class PipelineUpdated(Event, name="pipeline.updated", action="updated"):
    """Fields of the pipeline changed."""

    changed: PipelineChanges
    previous: PipelineChanges


class PipelineDeleted(Event, name="pipeline.deleted", action="deleted"):
    """What it was is in the events before."""


_RECORD = record(
    "pipeline",
    state=Pipeline,
    create=CreatePipeline,
    update=UpdatePipeline,
    delete=DeletePipeline,
    created=PipelineCreated,
    updated=PipelineUpdated,
    deleted=PipelineDeleted,
)


def decide(command: Command, pipeline: Pipeline | None) -> list[Event]:
    """As a plain record, with no more settings than it may have, however many were merged."""
    events = list(_RECORD.decide(command, pipeline))
    for event in events:
        pipeline = _RECORD.evolve(pipeline, event)
    if pipeline is not None and len(pipeline.settings) > values.MAX_CUSTOM_FIELDS:
        raise invalid("settings", f"must have at most {values.MAX_CUSTOM_FIELDS} entries")
    return events


PIPELINE = replace(_RECORD, decide=decide)
