"""Legal holds on contacts over HTTP."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import FromPath, RequestBody

from api.http.answers import Json
from api.http.ask import Change
from api.http.routes import delete, put
from application import contact as contacts
from application import contact_legal_hold as holds
from schemas.contact import ContactView
from schemas.contact_legal_hold import NewLegalHold
from schemas.wire.page import One

_HOLD: Final = {"reason": "Case 2026/114, Acme v. Northwind"}


class ContactLegalHoldController(Controller):
    path = "/contacts/{contact_id:uuid}/legal-hold"
    tags = ["Privacy"]  # noqa: RUF012 - what Litestar reads

    @put(
        operation_id="placeLegalHold",
        summary="Have a contact kept",
        scope="privacy:write",
        example=_HOLD,
        errors=("conflict",),
    )
    def place(
        self, change: NamedDependency[Change], contact_id: FromPath[UUID], data: RequestBody[NewLegalHold]
    ) -> Json[One[ContactView]]:
        """Until it is released, the contact is neither deleted, by itself or in bulk, nor erased, nor merged into another (409);
        nor is another erased of whom something tells that tells of this one, too. Again, it gives the hold another reason.
        Refused (409) while a job deletes the contact. Admins and owners only.
        """
        return change(lambda unit: holds.place(unit, change.caller, contact_id, data, change.if_version), contacts.view)

    @delete(operation_id="releaseLegalHold", summary="Have a contact kept no more", scope="privacy:write")
    def release(self, change: NamedDependency[Change], contact_id: FromPath[UUID]) -> Json[None]:
        """Without a hold it is no change. Admins and owners only."""
        return change.done(lambda unit: holds.release(unit, contact_id, change.if_version))
