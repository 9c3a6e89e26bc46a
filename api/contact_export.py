"""All contacts that are asked for as one file, over HTTP."""

from __future__ import annotations

from typing import Final

from litestar import Controller
from litestar.di import NamedDependency

from api.contact_query import ContactQuery, contact_query
from api.http.ask import Ask
from api.http.exporting import Streamed
from api.http.file_request import HEADERS, FileRequest
from api.http.routes import get
from application.contact_export import CONTACTS
from projections import contact as rows
from schemas.contact import ContactView

_CSV: Final = "type,firstName,lastName,email,phone,tags\r\nperson,Sarah,Kim,sarah.kim@example.com,'+14155552671,VIP\r\n"


class ContactExportController(Controller):
    path = "/contacts/export"
    tags = ["Contacts"]  # noqa: RUF012 - what Litestar reads

    @get(
        operation_id="exportContacts",
        summary="Export contacts as a file",
        scope="contacts:read",
        asked=contact_query,
        csv=_CSV,
        lines=ContactView,
        headers=HEADERS,
    )
    async def export_contacts(
        self, ask: NamedDependency[Ask], file: NamedDependency[FileRequest], asked: NamedDependency[ContactQuery]
    ) -> Streamed:
        """All that the list would find with the same parameters, as they are at one moment: the `Daybook-Seq` of the log.

        As CSV `POST /contacts/import` takes it back as it is; as NDJSON each line is a contact as the list shows it. What a
        spreadsheet would take for a formula has an apostrophe before it, which the importer takes away. Where an answer
        breaks off, it is not all.
        """
        return await file.answer(ask, CONTACTS, "contacts", rows.where(asked.filter), asked.search)
