"""Rows of company imports."""

from __future__ import annotations

from domain.company_import import COMPANY_IMPORT, CompanyImport
from projections.table.column import TEXT, Column
from projections.table.rows import RowTable

COMPANY_IMPORTS: RowTable[CompanyImport] = RowTable(
    name="company_imports", decider=COMPANY_IMPORT, version=1, columns=(Column("status", TEXT),), times=()
)
