"""A deal: what may be earned, on its way through the stages of a pipeline until it is won or lost."""

from __future__ import annotations

from typing import Annotated, Any, Final, assert_never
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import asdict

from domain.kernel import Command, Decider, Ended, Event, Refused, State, Value, invalid, not_found, values
from domain.kernel.changes import applied, begun, difference, named
from domain.kernel.check import Check
from domain.kernel.fields import Kept, Refers, kept, leading, letting_go
from domain.kernel.money import Amount, Currency, Money, money, not_negative
from domain.kernel.personal import PERSONAL
from domain.kernel.types import CustomFields, Day, Name
from domain.stage import (
    CalledPipeline,
    CalledStage,
    DealStatus,
    InPipeline,
    InStage,
    Place,
    Probability,
    StageRef,
)

DealName = Annotated[Name, PERSONAL, Meta(description="What it is called.")]
DealValue = Annotated[
    Amount, Kept(not_negative), Meta(description="What it is worth, in whole units of its currency: 42000.5.")
]
Status = Annotated[DealStatus, Meta(description="Whether it is `open`, `won` or `lost`.")]
PipelineId = Annotated[UUID, Refers("pipeline", on_end="refuse"), Meta(description="The pipeline that it is in.")]
StageId = Annotated[
    UUID, Refers("stage", on_end="refuse"), Meta(description="The stage of the pipeline that it is in.")
]
ContactId = Annotated[UUID, Refers("contact"), Meta(description="The contact that it is with.")]
CompanyId = Annotated[UUID, Refers("company"), Meta(description="The company that it is with.")]
AssignedTo = Annotated[
    UUID, Refers("membership"), Meta(description="The user who owns the deal: a member of the workspace.")
]
CloseDate = Annotated[Day, Meta(description="When it should be closed: a date, `YYYY-MM-DD`.")]
Likely = Meta(description="How likely it is to be won, 0 to 1; null: as likely as its stage says.")


class DealDetails(Value):
    name: DealName
    contact_id: ContactId | None = None
    company_id: CompanyId | None = None
    assigned_to: AssignedTo | None = None
    probability: Annotated[Probability | None, Likely] = None
    expected_close_date: CloseDate | None = None
    custom_fields: Annotated[CustomFields, PERSONAL] = msgspec.field(default_factory=dict)


class DealChanges(Value):
    """The fields of a deal that can change, beside what it is worth, where it is and how it stands."""

    name: DealName | UnsetType = UNSET
    contact_id: ContactId | UnsetType | None = UNSET
    company_id: CompanyId | UnsetType | None = UNSET
    assigned_to: AssignedTo | UnsetType | None = UNSET
    probability: Annotated[Probability | UnsetType | None, Likely] = UNSET
    expected_close_date: CloseDate | UnsetType | None = UNSET
    custom_fields: Annotated[CustomFields, PERSONAL] | UnsetType = UNSET


class Deal(DealDetails, State, kw_only=True):
    """What may be earned."""

    value: Money
    pipeline_id: PipelineId
    stage_id: StageId
    status: Status = "open"


class CreateDeal(DealDetails, Command, kw_only=True):
    """A deal to create in a stage; as that makes it, unless ``status`` says how it stands."""

    value: DealValue
    currency: Currency
    stage: StageRef
    status: Status | None = None


class UpdateDeal(DealChanges, Command):
    """What to change."""

    value: DealValue | UnsetType = UNSET
    currency: Currency | UnsetType = UNSET


class MoveDeal(Command):
    """From the stage ``at`` which it is, to another or the same; and how it is to stand there.

    Unless that is said, entering a stage for won or lost deals makes it so, and leaving one reopens it.
    """

    at: StageRef
    to: StageRef
    status: Status | UnsetType = UNSET


class DeleteDeal(Command):
    """For good: the row goes; what happened stays in the log."""


Worth = Annotated[Money, Meta(description="What it is worth.")]


Called = Annotated[str, PERSONAL, Meta(description="The deal's name at that moment.")]


class DealAsItIs(Place):
    """Where a deal is, what it is called and what it is worth at that moment."""

    name: Called
    value: Worth


class DealFields(DealChanges):
    """Fields of a deal, of which those are there that changed."""

    value: Worth | UnsetType = UNSET


class Standing(Value):
    """How a deal stands."""

    status: Status


class DealCreated(DealDetails, Event, kw_only=True, name="deal.created", action="created"):
    """A deal was made. It is open; where it was won or lost from the beginning, that event follows."""

    value: Worth
    pipeline_id: InPipeline
    pipeline_name: CalledPipeline
    stage_id: InStage
    stage_name: CalledStage


class DealUpdated(Event, name="deal.updated", action="updated"):
    """Fields of the deal changed."""

    changed: DealFields
    previous: DealFields


class DealStageChanged(Event, name="deal.stage_changed", action="updated"):
    """The deal went from one stage to another."""

    name: Called
    value: Worth
    changed: Annotated[Place, Meta(description="Where it is now.")]
    previous: Annotated[Place, Meta(description="Where it was.")]


class DealWon(DealAsItIs, Event, name="deal.won", action="updated"):
    """The deal was won."""

    changed: Standing
    previous: Standing


class DealLost(DealAsItIs, Event, name="deal.lost", action="updated"):
    """The deal was lost."""

    changed: Standing
    previous: Standing


class DealReopened(DealAsItIs, Event, name="deal.reopened", action="updated"):
    """The deal, which had been won or lost, is open again."""

    changed: Standing
    previous: Standing


class DealDeleted(Event, name="deal.deleted", action="deleted"):
    """What it was is in the events before."""


DealCommand = CreateDeal | UpdateDeal | MoveDeal | DeleteDeal
DealEvent = DealCreated | DealUpdated | DealStageChanged | DealWon | DealLost | DealReopened | DealDeleted
DETAILS: Final = frozenset(DealChanges.__struct_fields__)


_BECOMING: Final[dict[DealStatus, type[DealWon | DealLost | DealReopened]]] = {
    "open": DealReopened,
    "won": DealWon,
    "lost": DealLost,
}


def decide(command: DealCommand, deal: Deal | None) -> list[DealEvent]:
    match command, deal:
        case CreateDeal(), None:
            return _created(command)
        case CreateDeal(), _:
            raise Refused("conflict", "This deal exists already.")
        case _, None:
            raise not_found("deal")
        case UpdateDeal(), Deal():
            return _updated(command, deal)
        case MoveDeal(), Deal():
            return _moved(command, deal)
        case DeleteDeal(), Deal():
            return [DealDeleted()]
        case never, _:
            assert_never(never)


def _created(command: CreateDeal) -> list[DealEvent]:
    fields = begun(_details(command, None))
    place = command.stage.place
    made = Deal(**fields, pipeline_id=place.pipeline_id, stage_id=place.stage_id)
    _check(made)
    standing = _standing(command.status or command.stage.type, made, command.stage)
    return [DealCreated(**fields, **asdict(place)), *standing]


def _updated(command: UpdateDeal, deal: Deal) -> list[DealEvent]:
    changed, previous = difference(_details(command, deal), deal)
    if not changed:
        return []
    _check(applied(deal, DealFields(**changed)))
    return [DealUpdated(changed=DealFields(**changed), previous=DealFields(**previous))]


def _details(command: CreateDeal | UpdateDeal, deal: Deal | None) -> dict[str, Any]:
    """The given fields as they are kept; refuses with every field that is not acceptable."""
    check = Check()
    fields = kept(command, check)
    found = {name: value for name, value in fields.items() if name in DETAILS}
    if "value" in fields or "currency" in fields:
        found["value"] = _worth(fields, deal, check)
    check.done()
    return found


def _worth(fields: dict[str, Any], deal: Deal | None, check: Check) -> Money | None:
    """The amount and currency that are given; where one of them is not, it stays."""
    amount, currency = fields.get("value"), fields.get("currency")
    if deal is not None and not check.errors:
        amount = deal.value.decimal if amount is None else amount
        currency = currency or deal.value.currency
    if amount is None or currency is None:
        return None  # refused already
    return check.field("value", lambda given: money(given, currency), amount)


def _check(deal: Deal) -> None:
    """What holds of every deal, however it came to be as it is."""
    if len(deal.custom_fields) > values.MAX_CUSTOM_FIELDS:
        raise invalid("customFields", f"must have at most {values.MAX_CUSTOM_FIELDS} fields")


def _moved(command: MoveDeal, deal: Deal) -> list[DealEvent]:
    to, at = command.to.place, command.at.place
    moves = to.stage_id != deal.stage_id
    status = command.status
    if status is UNSET:
        changes = moves and (command.to.type, command.at.type) != ("open", "open")
        status = command.to.type if changes else deal.status
    standing = _standing(status, deal, command.to)
    moved = [DealStageChanged(name=deal.name, value=deal.value, changed=to, previous=at)] if moves else []
    return [*moved, *standing]


def _standing(status: DealStatus, deal: Deal, at: StageRef) -> list[DealEvent]:
    """What happens to a deal in a stage that is to stand so."""
    if at.type not in ("open", status):
        raise invalid("status", f"must be {at.type}, as of all deals in the stage {at.place.stage_name}")
    if status == deal.status:
        return []
    happened = _BECOMING[status]
    changed, previous = Standing(status=status), Standing(status=deal.status)
    return [happened(name=deal.name, value=deal.value, **asdict(at.place), changed=changed, previous=previous)]


def evolve(deal: Deal | None, event: DealEvent) -> Deal | None:
    match event, deal:
        case DealCreated(), _:
            return Deal(**{name: value for name, value in named(event).items() if name in Deal.__struct_fields__})
        case DealDeleted(), _:
            return None
        case _, None:
            return None
        case DealUpdated(changed=changed), Deal():
            return applied(deal, changed)
        case DealStageChanged(changed=to), Deal():
            return msgspec.structs.replace(deal, pipeline_id=to.pipeline_id, stage_id=to.stage_id)
        case ((DealWon(changed=now) | DealLost(changed=now) | DealReopened(changed=now)), Deal()):
            return msgspec.structs.replace(deal, status=now.status)
        case never, _:
            assert_never(never)


def unset(field: str, _: Ended) -> DealCommand:
    return UpdateDeal(**letting_go(field))


DEAL: Decider[DealCommand, DealEvent, Deal] = Decider(
    stream_type="deal",
    state=Deal,
    commands=(CreateDeal, UpdateDeal, MoveDeal, DeleteDeal),
    events=(DealCreated, DealUpdated, DealStageChanged, DealWon, DealLost, DealReopened, DealDeleted),
    decide=decide,
    evolve=evolve,
    unset=unset,
    refer=lambda path, to: UpdateDeal(**leading(path, to)),
    delete=DeleteDeal,
)
