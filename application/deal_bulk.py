"""What is done to many deals: changed, by a job."""

from __future__ import annotations

from typing import Final

from application import deal as deals
from application.calling.caller import Caller
from application.working.bulk import Action, check_changes, meant
from domain.kernel.check import Check
from eventstore.work import Work
from projections.custom_field_asked import defined
from projections.deal import DEALS
from projections.table.asking.asked import asked
from schemas.deal import DealPatch
from schemas.deal_bulk import DealUpdates
from schemas.job import BulkAnswer

UPDATE: Final[Action[DealPatch]] = Action("deal_update", DEALS, DealPatch, deals.update, "updated")


def update(unit: Work, caller: Caller, form: DealUpdates) -> BulkAnswer:
    """Refuses what is acceptable for no deal at all; what is not for one is told by the job."""
    check = Check()
    check.field("updates", lambda updates: check_changes(unit, DEALS, updates), form.updates)
    check.done()
    ids = meant(form, lambda wanted: UPDATE.found(unit, asked(wanted, defined(unit.conn, DEALS), "filter").where()))
    return UPDATE.begin(unit, caller, ids, form.updates)
