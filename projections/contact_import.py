"""Rows of contact imports."""

from __future__ import annotations

from domain.contact_import import CONTACT_IMPORT, ContactImport
from projections.table.column import TEXT, Column
from projections.table.rows import RowTable

CONTACT_IMPORTS: RowTable[ContactImport] = RowTable(
    name="contact_imports", decider=CONTACT_IMPORT, version=3, columns=(Column("status", TEXT),), times=()
)
