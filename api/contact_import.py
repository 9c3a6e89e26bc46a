"""Importing contacts over HTTP: as objects, as rows with a mapping, or as a CSV file."""

from __future__ import annotations

from typing import Final

from litestar import Controller
from litestar.di import NamedDependency

from api.contact_import_options import READERS, import_query
from api.http.answers import Json
from api.http.ask import Act
from api.http.importing import Importing, files
from api.http.routes import post
from api.http.upload import MAX_BODY, Uploads, read_in_turn, received
from application import contact_import as imports
from schemas.contact_import import ContactImportOptions, ImportRequest
from schemas.job_import import ImportAnswer
from schemas.wire.page import One

_DESCRIPTION: Final = """\
Contacts come as JSON objects (`contacts`), as JSON objects of text by column (`rows`), or as a CSV file: the body itself
(`text/csv`, options in the query) or a form (`multipart/form-data`, the part `file`, options in the other fields).

Contacts are found again by e-mail address; without one by phone number and name; with neither, a row is only taken for a
contact that has all of its values already. What is found is updated, or with `skipDuplicates` left as it is; so the same
import a second time creates nothing. An empty cell is no value and changes nothing.

Each row is accepted or refused by itself. Every row is counted: created, updated, skipped (nothing to change) or at fault.

Without a `mapping` columns are recognised by their headers (`First Name`, `E-mail`, `Phone 1`, `Lead Source` …); others
become custom fields under their headers, and a column that only numbers the rows is left out. With one, columns that it
does not name are left out. The answer says what the columns were taken for.

Up to 1,000 rows are answered at once. Larger imports (and with `Prefer: respond-async` or `async=true` all) are a job:
202, and `GET /jobs/{jobId}` says how far it has come. JSON takes 10,000 rows, a file 500,000 rows and 50 MB, in UTF-8 or
UTF-16 unless `encoding` says otherwise, delimited by `,` `;` tab or `|`."""

_ROWS: Final = {
    "rows": [{"First": "Sarah", "Mail": "sarah.kim@example.com"}],
    "mapping": {"First": "firstName", "Mail": "email"},
    "constantValues": {"source": "Spring fair"},
    "skipDuplicates": True,
}
_CSV: Final = "First Name,Last Name,E-mail,Phone 1\nSarah,Kim,sarah.kim@example.com,(415) 555-2671\n"
_IMPORTS: Final = Importing("contacts", ImportRequest, ContactImportOptions, imports.start, READERS)


class ContactImportController(Controller):
    path = "/contacts/import"
    tags = ["Contacts"]  # noqa: RUF012 - what Litestar reads

    @post(
        operation_id="importContacts",
        summary="Import contacts",
        description=_DESCRIPTION,
        scope="contacts:write",
        json=ImportRequest,
        example=_ROWS,
        bodies=files(_CSV),
        max_body=MAX_BODY,
        asked=import_query,
        status=200,
        also={202: "A job does it."},
        headers=("Location",),
    )
    async def import_contacts(
        self,
        act: NamedDependency[Act],
        asked: NamedDependency[dict[str, list[str]]],
        uploads: NamedDependency[Uploads],
    ) -> Json[One[ImportAnswer]]:
        async with received(act.request) as upload:
            return await read_in_turn(uploads, _IMPORTS.imported, act, upload, asked)
