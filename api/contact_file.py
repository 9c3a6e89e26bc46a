"""All that is held of one person as one file, over HTTP."""

from __future__ import annotations

from uuid import UUID

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation

from api.http.ask import Ask
from api.http.exporting import Exports, Streamed
from api.http.file_request import HEADERS
from api.http.routes import get
from application.contact_file import ContactFile
from schemas import contact_file as schemas


class ContactFileController(Controller):
    path = "/contacts/{contact_id:uuid}/export"
    tags = ["Contacts"]  # noqa: RUF012 - what Litestar reads

    @get(
        operation_id="exportContact",
        summary="Export all that is held of one person",
        scope="contacts:read",
        answers=schemas.ContactFile,
        headers=HEADERS,
    )
    async def export_contact(
        self,
        ask: NamedDependency[Ask],
        exports: NamedDependency[SkipValidation[Exports]],
        contact_id: FromPath[UUID],
    ) -> Streamed:
        """The contact with its custom fields and tags, all that refers to it, what was merged into it, and every change of
        it: as one file, for the person to have. What you may not read is left out, and `complete` says so.
        """
        file = ContactFile(ask.services.store, ask.caller, contact_id)
        return await exports.answer(ask, "application/json", f"contact-{contact_id}.json", file.written)
