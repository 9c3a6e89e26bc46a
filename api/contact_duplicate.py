"""Contacts that may be the same person, over HTTP."""

from __future__ import annotations

from litestar import Controller
from litestar.di import NamedDependency

from api.http.answers import Json
from api.http.ask import Ask
from api.http.routes import get
from projections import contact_duplicate as rows
from schemas.contact_duplicate import DuplicateGroup
from schemas.wire.page import Page, PageRequest


class ContactDuplicateController(Controller):
    path = "/contacts/duplicates"
    tags = ["Contacts"]  # noqa: RUF012 - what Litestar reads

    @get(operation_id="listDuplicates", summary="Find duplicates among contacts", scope="contacts:read")
    def list_duplicates(
        self, ask: NamedDependency[Ask], paged: NamedDependency[PageRequest]
    ) -> Json[Page[DuplicateGroup]]:
        """Groups of contacts that have something in common which hardly two people have, those most alike first: each with
        what it is, and how likely they are the same. `POST /contacts/{id}/merge` makes one of two.
        """
        with ask.reading() as conn:
            found = rows.listed(conn, paged)
        return ask.page(paged, *found)
