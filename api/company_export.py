"""All companies as one file, over HTTP."""

from __future__ import annotations

from typing import Final

from litestar import Controller
from litestar.di import NamedDependency

from api.http.ask import Ask
from api.http.exporting import Streamed
from api.http.file_request import HEADERS, FileRequest
from api.http.paging import Search
from api.http.routes import get
from application.company_export import COMPANIES
from schemas.company import CompanyView

_CSV: Final = "name,domain,industry,size,address.city\r\nAcme Corp,acme.example.com,Brewing,11-50,San Francisco\r\n"


class CompanyExportController(Controller):
    path = "/companies/export"
    tags = ["Companies"]  # noqa: RUF012 - what Litestar reads

    @get(
        operation_id="exportCompanies",
        summary="Export companies as a file",
        scope="companies:read",
        csv=_CSV,
        lines=CompanyView,
        headers=HEADERS,
    )
    async def export_companies(
        self, ask: NamedDependency[Ask], file: NamedDependency[FileRequest], search: Search = None
    ) -> Streamed:
        """As `GET /contacts/export`; `POST /companies/import` takes the CSV back as it is."""
        return await file.answer(ask, COMPANIES, "companies", search=search)
