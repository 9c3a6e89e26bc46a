"""Importing contacts over HTTP: as objects, as rows with a mapping, or as a CSV file."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from litestar import Controller
from litestar.di import NamedDependency
from msgspec import UNSET

from api.contact_import_options import FileOptions, Texts, file_options, import_query, only_async
from api.http.answers import Answer, Json
from api.http.ask import Act
from api.http.routes import post
from api.http.upload import MAX_BODY, Upload, Uploads, received
from application import contact_import as imports
from application.importing.source import Source
from domain.kernel import JSON, Refused, invalid
from eventstore.ids import new_id
from eventstore.work import Work
from schemas.contact_import import ImportAnswer, ImportRequest
from schemas.wire.page import One
from schemas.wire.reading import Reader

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
_FILES: Final[dict[str, JSON]] = {
    "text/csv": {"schema": {"type": "string", "description": "The file, with a line of headers."}, "example": _CSV},
    "multipart/form-data": {
        "schema": {
            "type": "object",
            "properties": {
                "file": {
                    "type": "string",
                    "contentMediaType": "text/csv",
                    "description": "The file. Options are other fields of the form.",
                }
            },
            "required": ["file"],
        },
        "example": {"file": _CSV},
    },
}
"""How a file may come, for the documentation."""

_request: Final = Reader[ImportRequest](ImportRequest)


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
        bodies=_FILES,
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
            return await uploads.run(_import, act, upload, asked)


def _import(act: Act, upload: Upload, query: Texts) -> Json[One[ImportAnswer]]:
    source, wanted = _wanted(upload, query)
    as_job = wanted.as_job or "respond-async" in act.request.headers.get("prefer", "").lower()
    import_id = new_id()

    def work(unit: Work) -> Answer:
        done = imports.start(unit, act.caller, import_id, source, wanted.options, as_job=as_job)
        location = f"/api/v1/jobs/{import_id}"
        return Answer(done, None, 202 if done.status == "processing" else 200, location)

    origin = replace(act.caller.origin(), correlation_id=import_id)
    return act.answer(work, body=upload.digest, origin=origin, bulk=True)


def _wanted(upload: Upload, query: Texts) -> tuple[Source, FileOptions]:
    if upload.kind == "json":
        return _wanted_as_json(upload, query)
    if not upload.has_file:
        raise invalid("file", "is required: the CSV file, as a part of the form")
    twice = sorted(upload.fields.keys() & query.keys())
    if twice:
        raise invalid(twice[0], "must be given in the form or in the query, not in both")
    wanted = file_options({**query, **upload.fields})
    source = Source(file=upload.file, encoding=wanted.encoding or upload.charset, delimiter=wanted.delimiter)
    return source, wanted


def _wanted_as_json(upload: Upload, query: Texts) -> tuple[Source, FileOptions]:
    as_job = only_async(query)
    body = upload.file.read()
    try:
        text = body.decode()  # a row that is kept as it came is not looked into
    except UnicodeDecodeError as error:
        raise Refused("invalid_request", f"The body is not valid JSON: {error}") from None
    form = _request.read(text)
    if (form.contacts is UNSET) == (form.rows is UNSET):
        raise invalid("contacts", "is required, or rows in its place, or a CSV file")
    contacts = None if form.contacts is UNSET else form.contacts
    rows = None if form.rows is UNSET else form.rows
    return Source(things=contacts, rows=rows, noun="contacts"), FileOptions(form, as_job=as_job)
