"""Imports of deals: what columns may be for, which deal a row is about, and what it has done."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from application import deal as deals
from application.deal_names import Names, texts
from application.importing.importer import Commands, Entry, Importer, Plan, Record
from application.importing.importing import as_jobs
from application.importing.plain import starting
from domain.deal import DEAL, CreateDeal, Deal
from domain.deal_import import (
    DEAL_IMPORT,
    CancelDealImport,
    CompleteDealImport,
    DealImportStarted,
    FailDealImport,
    StartDealImport,
)
from domain.deal_mapping import DEALS as FIELDS
from domain.kernel import FieldError
from domain.kernel.changes import named
from domain.kernel.values import folded
from domain.stage import Place, StageRef
from eventstore.rows import Current
from eventstore.work import Work
from projections import deal_match as matches
from schemas.deal import DealPatch, NewDeal
from schemas.deal_import import ImportedDeal

KIND: Final = "deal_import"

Key = tuple[str, UUID | None, UUID | None, UUID | None]
"""A folded name, and the ids of pipeline, contact and company: what a deal is found again by."""

_NOWHERE: Final = StageRef(
    place=Place(pipeline_id=UUID(int=0), pipeline_name="", stage_id=UUID(int=0), stage_name=""), type="open"
)


def _first(**fields: Any) -> CreateDeal:
    """What there is to judge of a row by itself, wherever the deal will be."""
    own = {name: value for name, value in fields.items() if name in CreateDeal.__struct_fields__}
    return CreateDeal(**{"value": Decimal(0), "currency": "USD", **own, "stage": _NOWHERE, "status": None})


class DealCommands:
    """What the rows of a chunk have done to deals. What they name is looked up for all of them at once."""

    def __init__(self, unit: Work, plan: Plan, chunk: Sequence[Entry]) -> None:
        self._unit = unit
        self._names = Names(unit, chunk, plan.visible_to)

    def draft(self, entry: Entry) -> Deal:
        created, *_ = DEAL.decide(_first(**{"name": "", **entry.fields}), None)
        deal = DEAL.evolve(None, created)
        assert deal is not None
        return deal

    def create(self, entry: Entry) -> Current[Deal]:
        self.draft(entry)
        return deals.create(self._unit, NewDeal(**{"value": Decimal(0), **self._names.resolved(entry, new=True)}))

    def update(self, found: Current[Deal], entry: Entry) -> None:
        deals.update(self._unit, found.id, DealPatch(**self._names.resolved(entry)))

    def lost(self) -> Sequence[FieldError]:
        return ()

    def key(self, entry: Entry) -> Key:
        """Refuses where the row names what there is not."""
        fields = self._names.resolved(entry, new=True)
        name = folded(str(fields.get("name", "")).strip())
        return name, fields["pipeline_id"], fields.get("contact_id"), fields.get("company_id")


class DealMatcher:
    """Finds a row's deal by name, pipeline, contact and company."""

    def __init__(self, unit: Work, plan: Plan, chunk: Sequence[Entry], commands: DealCommands) -> None:
        self._commands = commands
        self._unit = unit
        self._known: dict[Key, UUID] = {}
        for deal in matches.named(unit.conn, texts(chunk, "name"), plan.visible_to):
            unit.know(DEAL, [deal])
            self._known.setdefault(_key(deal.state), deal.id)

    def find(self, entry: Entry) -> Current[Deal] | None:
        found = self._known.get(self._commands.key(entry))
        return None if found is None else self._unit.at_hand(DEAL, found)

    def remember(self, made: Current[Deal]) -> None:
        self._known[_key(made.state)] = made.id


def _key(deal: Deal) -> Key:
    return folded(deal.name), deal.pipeline_id, deal.contact_id, deal.company_id


def _matcher(unit: Work, plan: Plan, chunk: Sequence[Entry], commands: Commands[Deal]) -> DealMatcher:
    assert isinstance(commands, DealCommands)
    return DealMatcher(unit, plan, chunk, commands)


DEALS: Final[Importer[Deal]] = Importer(
    kind=KIND,
    record=Record(DEAL_IMPORT, StartDealImport, CompleteDealImport, FailDealImport, CancelDealImport),
    decider=DEAL,
    form=ImportedDeal,
    details=named,
    fields=lambda _: FIELDS,
    first=_first,
    somebody={"name": "Something"},
    commands=DealCommands,
    match=_matcher,
)

JOBS: Final = as_jobs(DEALS, DealImportStarted)

start: Final = starting(DEALS, FIELDS)
