"""A stage of a pipeline: where deals in it stand, and how likely they are to be won there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from domain.kernel import Command, Event, State, Value
from domain.kernel.fields import Kept, Refers
from domain.kernel.record import record
from domain.kernel.types import Name

DealStatus = Literal["open", "won", "lost"]

MAX_STAGES: Final = 50
"""Of a pipeline."""
_LAST: Final = 1_000_000


def position(value: int) -> int:
    """A place in an order: 0 to 1,000,000."""
    if not 0 <= value <= _LAST:
        raise ValueError(f"must be between 0 and {_LAST}")
    return value


def probability(value: float) -> float:
    """How likely something is: 0 (not at all) to 1 (certain)."""
    if not 0 <= value <= 1:
        raise ValueError("must be between 0 and 1")
    return float(value)


OfPipeline = Annotated[UUID, Refers("pipeline", on_end="cascade"), Meta(description="The pipeline that it is in.")]
StageName = Annotated[Name, Meta(description="What it is called.")]
Order = Annotated[int, Kept(position), Meta(description="Its place in the pipeline, whose stages come by this number.")]
Kind = Annotated[
    DealStatus,
    Meta(
        description="What a deal becomes that enters it: `won` or `lost`, and stays so in it; or neither, where it is `open`."
    ),
]
Probability = Annotated[float, Kept(probability)]
OfStage = Meta(description="How likely a deal in it is to be won, 0 to 1; 1 where it is `won`, else 0, unless given.")


InPipeline = Annotated[UUID, Meta(description="The pipeline that it is in.")]
InStage = Annotated[UUID, Meta(description="The stage of the pipeline that it is in.")]
CalledPipeline = Annotated[str, Meta(description="The pipeline's name at that moment.")]
CalledStage = Annotated[str, Meta(description="The stage's name at that moment.")]


class StageDetails(Value):
    pipeline_id: OfPipeline
    name: StageName
    order: Order
    type: Kind = "open"
    probability: Annotated[Probability, OfStage] = 0.0


class StageChanges(Value):
    """The fields of a stage that can change."""

    name: StageName | UnsetType = UNSET
    order: Order | UnsetType = UNSET
    type: Kind | UnsetType = UNSET
    probability: Annotated[Probability, OfStage] | UnsetType = UNSET


class Stage(StageDetails, State):
    """What deals are in."""


class Place(Value):
    """Where a deal is, by the names of that moment."""

    pipeline_id: InPipeline
    pipeline_name: CalledPipeline
    stage_id: InStage
    stage_name: CalledStage


class StageRef(Value):
    """A stage as deals need to know it."""

    place: Place
    type: DealStatus


class CreateStage(Command):
    """A stage to create; nothing else of its pipeline may be at its place."""

    pipeline_id: OfPipeline
    name: StageName
    order: Order
    type: Kind = "open"
    probability: Annotated[Probability, OfStage] | None = None


class UpdateStage(StageChanges, Command):
    """What to change."""


class DeleteStage(Command):
    """One that has deals stays."""


class StageCreated(StageDetails, Event, name="stage.created", action="created"):
    """A stage was made."""


class StageUpdated(Event, name="stage.updated", action="updated"):
    """Fields of the stage changed; its `order` too where another took its place."""

    changed: StageChanges
    previous: StageChanges


class StageDeleted(Event, name="stage.deleted", action="deleted"):
    """What it was is in the events before."""


def making_room(others: Mapping[UUID, int], wanted: int, left: int | None = None) -> dict[UUID, int]:
    """Of a pipeline's other stages, by their places, those that have to move for one to stand at ``wanted``, and where to.

    Each in the way goes one further, up to the first gap: towards the place that is ``left``, else to the end.
    """
    step = -1 if left is not None and left < wanted else 1
    standing = {place: stage for stage, place in others.items()}
    moved: dict[UUID, int] = {}
    while wanted in standing:
        moved[standing[wanted]] = wanted + step
        wanted += step
    return moved


def _likely(fields: dict[str, Any]) -> dict[str, Any]:
    """The probability of a new stage that none was given for."""
    unsaid = "probability" in fields and fields["probability"] is None
    return {"probability": float(fields["type"] == "won")} if unsaid else {}


STAGE = record(
    "stage",
    state=Stage,
    create=CreateStage,
    update=UpdateStage,
    delete=DeleteStage,
    created=StageCreated,
    updated=StageUpdated,
    deleted=StageDeleted,
    derived=_likely,
)
