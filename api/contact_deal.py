"""The deals of contacts over HTTP, which a document calls opportunities."""

from __future__ import annotations

from uuid import UUID

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.http.answers import Json
from api.http.ask import Ask
from api.http.routes import get
from domain.deal import Deal
from domain.kernel.filter import every_given
from eventstore.database import Db
from projections import deal as rows
from projections.contact import CONTACTS
from projections.table.listing import Listed
from schemas.deal import DealView
from schemas.wire.page import Page, PageRequest


class ContactDealController(Controller):
    path = "/contacts"
    tags = ["Contacts"]  # noqa: RUF012 - what Litestar reads

    @get(
        "/{contact_id:uuid}/opportunities",
        operation_id="listContactOpportunities",
        summary="List the deals that are with a contact",
        scope="deals:read",
        errors=("validation_failed",),
    )
    def opportunities(
        self, ask: NamedDependency[Ask], contact_id: FromPath[UUID], wanted: NamedDependency[PageRequest]
    ) -> Json[Page[DealView]]:
        """Whatever their status; those changed last come first. A member limited to what is assigned to them finds the deals
        that are, of contacts that are.
        """

        def theirs(conn: Db) -> Listed[Deal]:
            ask.found(conn, CONTACTS, contact_id)
            return rows.listed(conn, wanted, every_given(("contactId", contact_id)))

        return ask.listed(wanted, theirs, rows.views)
