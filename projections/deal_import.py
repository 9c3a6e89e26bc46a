"""Rows of deal imports."""

from __future__ import annotations

from domain.deal_import import DEAL_IMPORT, DealImport
from projections.table.column import TEXT, Column
from projections.table.rows import RowTable

DEAL_IMPORTS: RowTable[DealImport] = RowTable(
    name="deal_imports", decider=DEAL_IMPORT, version=1, columns=(Column("status", TEXT),), times=()
)
