"""Companies over HTTP."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import FromPath, RequestBody

from api.http.answers import Json
from api.http.ask import Act, Change
from api.http.paging import SearchOfOwn
from api.http.recall import Recall
from api.http.routes import delete, get, patch, post
from domain.company import COMPANY, CreateCompany, DeleteCompany, UpdateCompany
from projections import company as rows
from schemas.company import CompanyView, CompanyWithContacts
from schemas.job import JobView
from schemas.wire.page import One, Page, PageRequest

_NEW: Final = {"name": "Acme Corp", "domain": "acme.example.com", "size": "11-50", "address": {"city": "San Francisco"}}


class CompanyController(Controller):
    path = "/companies"
    tags = ["Companies"]  # noqa: RUF012 - what Litestar reads

    @get(operation_id="listCompanies", summary="List and search companies", scope="companies:read")
    def list_companies(
        self, recall: NamedDependency[Recall], wanted: NamedDependency[PageRequest], search: SearchOfOwn = None
    ) -> Json[Page[CompanyView]]:
        """Newest first, unless sorted by another field, or `custom.<key>`."""
        return recall.listed(wanted, lambda conn: rows.LISTING.search(conn, wanted, search), rows.views)

    @post(operation_id="createCompany", summary="Create a company", scope="companies:write", example=_NEW)
    def create_company(self, act: NamedDependency[Act], data: RequestBody[CreateCompany]) -> Json[One[CompanyView]]:
        return act.begin(COMPANY, data, rows.views)

    @get(
        "/{company_id:uuid}",
        operation_id="getCompany",
        summary="Get one company with its contacts",
        scope="companies:read",
    )
    def get_company(
        self, recall: NamedDependency[Recall], company_id: FromPath[UUID]
    ) -> Json[One[CompanyWithContacts]]:
        views = rows.with_contacts if recall.caller.may("contacts:read") else rows.without_contacts
        return recall.one(rows.COMPANIES, company_id, views)

    @patch(
        "/{company_id:uuid}",
        operation_id="updateCompany",
        summary="Change a company",
        scope="companies:write",
        example={"industry": "Brewing", "size": "51-200"},
    )
    def update_company(
        self, change: NamedDependency[Change], company_id: FromPath[UUID], data: RequestBody[UpdateCompany]
    ) -> Json[One[CompanyView]]:
        return change.execute(COMPANY, company_id, data, rows.views)

    @delete(
        "/{company_id:uuid}",
        operation_id="deleteCompany",
        summary="Delete a company",
        scope="companies:write",
        large=True,
    )
    def delete_company(self, change: NamedDependency[Change], company_id: FromPath[UUID]) -> Json[One[JobView]]:
        """Its contacts stay, and belong to no company any more."""
        return change.end(COMPANY, company_id, DeleteCompany())
