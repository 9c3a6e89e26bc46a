"""The workspace over HTTP."""

from __future__ import annotations

from collections.abc import Sequence

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import RequestBody

from api.http.answers import Json
from api.http.ask import Change
from api.http.recall import Recall
from api.http.routes import get, patch
from domain.workspace import WORKSPACE, UpdateWorkspace, Workspace
from eventstore.database import Db
from eventstore.rows import Current
from projections import identity as rows
from projections.workspace import WORKSPACES
from schemas.identity import WorkspaceView
from schemas.wire.page import One


class WorkspaceController(Controller):
    path = "/workspace"
    tags = ["Workspace"]  # noqa: RUF012 - what Litestar reads

    @get(
        operation_id="getWorkspace",
        summary="The workspace that the key or session acts in",
        scope="workspace:read",
        errors=("not_found",),
    )
    def get_workspace(self, recall: NamedDependency[Recall]) -> Json[One[WorkspaceView]]:
        return recall.one(WORKSPACES, recall.caller.workspace_id, _views)

    @patch(
        operation_id="updateWorkspace",
        summary="Rename the workspace, or set its phone region",
        scope="workspace:write",
        example={"name": "Acme Sales", "phoneRegion": "US"},
    )
    def update_workspace(
        self, change: NamedDependency[Change], data: RequestBody[UpdateWorkspace]
    ) -> Json[One[WorkspaceView]]:
        return change.execute(WORKSPACE, change.caller.workspace_id, data, _views)


def _views(conn: Db, workspaces: Sequence[Current[Workspace]]) -> list[WorkspaceView]:
    return [rows.workspace_view(conn, workspace) for workspace in workspaces]
