"""Workspace rows."""

from __future__ import annotations

from domain.workspace import WORKSPACE, Workspace
from projections.table.rows import RowTable

WORKSPACES: RowTable[Workspace] = RowTable(
    table="workspaces",
    decider=WORKSPACE,
    version=1,
    columns={"plan": "text NOT NULL"},
    project=lambda workspace: (workspace.state.plan,),
    indexes={},
    unique={},
)
