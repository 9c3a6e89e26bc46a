"""Importing companies over HTTP: as objects, as rows with a mapping, or as a CSV file."""

from __future__ import annotations

from typing import Final

from litestar import Controller
from litestar.di import NamedDependency

from api.http.answers import Json
from api.http.ask import Act
from api.http.importing import Importing, files, plain_options
from api.http.routes import post
from api.http.upload import MAX_BODY, Uploads, read_in_turn, received
from application import company_import as imports
from schemas.company_import import CompanyImportRequest
from schemas.job_import import ImportAnswer, ImportOptions
from schemas.wire.page import One

_DESCRIPTION: Final = """\
Companies come as JSON objects (`companies`), as JSON objects of text by column (`rows`), or as a CSV file: the body itself
(`text/csv`, options in the query) or a form (`multipart/form-data`, the part `file`, options in the other fields).

Companies are found again by name, in any case. What is found is updated, or with `skipDuplicates` left as it is; so the
same import a second time creates nothing. An empty cell is no value and changes nothing.

Each row is accepted or refused by itself. Every row is counted: created, updated, skipped (nothing to change) or at fault.

Without a `mapping` columns are recognised by their headers (`Organization Name`, `Website`, `Number of employees`, `City`
…); others become custom fields under their headers, and a column that only numbers the rows is left out. A mapping names a
company's field, a part of its address, such as `address.city`, or `custom.<key>`; columns that it does not name are left
out. The answer says what the columns were taken for.

Up to 1,000 rows are answered at once, larger imports are a job, and limits hold, as in the import of contacts."""

_ROWS: Final = {
    "rows": [{"Organization": "Acme Corp", "Town": "San Francisco"}],
    "mapping": {"Organization": "name", "Town": "address.city"},
    "constantValues": {"industry": "Brewing"},
    "skipDuplicates": True,
}
_CSV: Final = "Name,Website,Number of employees,City\nAcme Corp,https://acme.example.com,42,San Francisco\n"
_IMPORTS: Final = Importing("companies", CompanyImportRequest, ImportOptions, imports.start)


class CompanyImportController(Controller):
    path = "/companies/import"
    tags = ["Companies"]  # noqa: RUF012 - what Litestar reads

    @post(
        operation_id="importCompanies",
        summary="Import companies",
        description=_DESCRIPTION,
        scope="companies:write",
        json=CompanyImportRequest,
        example=_ROWS,
        bodies=files(_CSV),
        max_body=MAX_BODY,
        asked=plain_options,
        status=200,
        also={202: "A job does it."},
        headers=("Location",),
    )
    async def import_companies(
        self,
        act: NamedDependency[Act],
        asked: NamedDependency[dict[str, list[str]]],
        uploads: NamedDependency[Uploads],
    ) -> Json[One[ImportAnswer]]:
        async with received(act.request) as upload:
            return await read_in_turn(uploads, _IMPORTS.imported, act, upload, asked)
