"""Contacts that are asked for by conditions, or by any of their fields."""

from __future__ import annotations

from typing import Final

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import RequestBody

from api.contact_query import any_field
from api.http.answers import Json
from api.http.paging import SearchOfOwn, sorted_by
from api.http.recall import Recall
from api.http.routes import get, post
from domain.contact import Contact
from domain.kernel.fields import kept
from domain.kernel.filter import Group
from eventstore.database import Db
from projections.contact import CONTACTS
from projections.contact_asked import fields, found
from projections.contact_view import views
from projections.custom_field_asked import defined
from projections.table.listing import Listed
from schemas.contact import ContactView
from schemas.contact_search import ContactSearch
from schemas.wire.page import Page, PageRequest

_ASKED: Final = {
    "query": {
        "groups": [
            {"conditions": [{"field": "tags", "op": "contains", "value": "VIP"}]},
            {"conditions": [{"field": "created_at", "op": "after", "value": "2026-01-01"}]},
        ]
    },
    "q": "kim",
    "limit": 50,
    "offset": 0,
}
_ALL: Final = ContactSearch()


class ContactSearchController(Controller):
    path = "/contacts/search"
    tags = ["Contacts"]  # noqa: RUF012 - what Litestar reads

    @get(
        operation_id="findContacts",
        summary="Find contacts by any field",
        scope="contacts:read",
        free_query="Any field of a contact, or the key of a custom field, and what it must be, whatever its case.",
    )
    def find_contacts(
        self, recall: NamedDependency[Recall], wanted: NamedDependency[PageRequest], search: SearchOfOwn = None
    ) -> Json[Page[ContactView]]:
        """All that is given must hold. None is no error: the page is empty."""
        known = fields(recall.visible_to, recall.caller.may)

        def page(conn: Db) -> Listed[Contact]:
            return found(conn, wanted, any_field(recall.request, defined(conn, CONTACTS, known)), known, search)

        return recall.listed(wanted, page, views)

    @post(
        operation_id="searchContacts",
        summary="Search contacts by conditions",
        scope="contacts:read",
        status=200,
        example=_ASKED,
    )
    def search_contacts(
        self, recall: NamedDependency[Recall], data: RequestBody[ContactSearch] = _ALL
    ) -> Json[Page[ContactView]]:
        """All conditions of one group must hold, whichever group, and the words of `q`, too. Newest first."""
        given, known = kept(data), fields(recall.visible_to, recall.caller.may)
        wanted = PageRequest(limit=data.limit, offset=data.offset, sort=sorted_by(given["sort"]))
        asked = Group(match="all") if data.query is None else data.query.asked()
        return recall.listed(wanted, lambda conn: found(conn, wanted, asked, known, given["q"], at="query"), views)
