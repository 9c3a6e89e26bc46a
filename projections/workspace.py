"""Workspace rows."""

from __future__ import annotations

from domain.workspace import WORKSPACE, Workspace
from projections.table.column import TEXT, Column
from projections.table.rows import RowTable

WORKSPACES: RowTable[Workspace] = RowTable(
    name="workspaces", decider=WORKSPACE, version=3, columns=(Column("plan", TEXT),), times=()
)
