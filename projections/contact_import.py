"""Rows of contact imports."""

from __future__ import annotations

from domain.contact_import import CONTACT_IMPORT, ContactImport
from projections.table.rows import RowTable

CONTACT_IMPORTS: RowTable[ContactImport] = RowTable(
    table="contact_imports",
    decider=CONTACT_IMPORT,
    version=1,
    columns={"status": "text NOT NULL"},
    project=lambda current: (current.state.status,),
    indexes={},
    unique={},
)
