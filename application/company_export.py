"""Exports of companies: all that the importer of companies reads."""

from __future__ import annotations

from typing import Final

from application.exporting.exporter import Exporter
from domain.company import Company
from domain.company_mapping import COMPANIES as FIELDS
from projections import company as rows
from projections.custom_field import keys
from schemas.company import CompanyView

COMPANIES: Final[Exporter[Company, CompanyView]] = Exporter(
    listing=rows.LISTING, fields=FIELDS, view=CompanyView, views=rows.views, defined=lambda conn: keys(conn, "company")
)
