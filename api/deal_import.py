"""Importing deals over HTTP: as objects, as rows with a mapping, or as a CSV file."""

from __future__ import annotations

from typing import Final

from litestar import Controller
from litestar.di import NamedDependency

from api.http.answers import Json
from api.http.ask import Act
from api.http.importing import Importing, files, plain_options
from api.http.routes import post
from api.http.upload import MAX_BODY, Uploads, read_in_turn, received
from application import deal_import as imports
from schemas.deal_import import DealImportRequest
from schemas.job_import import ImportAnswer, ImportOptions
from schemas.wire.page import One

_DESCRIPTION: Final = """\
Deals come as JSON objects (`deals`), as JSON objects of text by column (`rows`), or as a CSV file: the body itself
(`text/csv`, options in the query) or a form (`multipart/form-data`, the part `file`, options in the other fields).

A row may name what the deal refers to in place of its id: `pipeline`, `stage` and `company` by name, `contact` and `owner` by
e-mail address; what nothing or several things are called is an error of its row. A deal without a pipeline is in the only
one, where there is one alone; without a stage in the pipeline's first; and without a value worth nothing.

Deals are found again by name, pipeline, contact and company together. What is found is updated, or with `skipDuplicates` left
as it is; so the same import a second time creates nothing. An empty cell is no value and changes nothing.

Each row is accepted or refused by itself. Columns are recognised by their headers (`Deal Name`, `Amount`, `Deal Stage`,
`Close Date` …) or taken as `mapping` says; others become custom fields. How many rows there may be, and when a job does it
(202), is as for contacts."""

_ROWS: Final = {
    "rows": [{"Deal": "Northwind Logistics", "Amount": "$42,000.00", "Deal Stage": "Lead"}],
    "mapping": {"Deal": "name", "Amount": "value", "Deal Stage": "stage"},
    "skipDuplicates": True,
}
_CSV: Final = "Deal Name,Amount,Deal Stage,Contact Email\nNorthwind Logistics,42000.50,Lead,\n"
_IMPORTS: Final = Importing("deals", DealImportRequest, ImportOptions, imports.start)


class DealImportController(Controller):
    path = "/deals/import"
    tags = ["Deals"]  # noqa: RUF012 - what Litestar reads

    @post(
        operation_id="importDeals",
        summary="Import deals",
        description=_DESCRIPTION,
        scope="deals:write",
        json=DealImportRequest,
        example=_ROWS,
        bodies=files(_CSV),
        max_body=MAX_BODY,
        asked=plain_options,
        status=200,
        also={202: "A job does it."},
        headers=("Location",),
    )
    async def import_deals(
        self,
        act: NamedDependency[Act],
        asked: NamedDependency[dict[str, list[str]]],
        uploads: NamedDependency[Uploads],
    ) -> Json[One[ImportAnswer]]:
        async with received(act.request) as upload:
            return await read_in_turn(uploads, _IMPORTS.imported, act, upload, asked)
