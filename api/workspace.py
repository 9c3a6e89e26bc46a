"""The workspace over HTTP."""

from __future__ import annotations

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import RequestBody

from api.http.answers import Json
from api.http.ask import Ask, Change
from api.http.routes import get, patch
from domain.workspace import WORKSPACE, UpdateWorkspace, Workspace
from eventstore.rows import Current
from eventstore.work import Work
from projections import identity as rows
from schemas.identity import WorkspaceView
from schemas.wire.page import One


class WorkspaceController(Controller):
    path = "/workspace"
    tags = ["Workspace"]  # noqa: RUF012 - what Litestar reads

    @get(operation_id="getWorkspace", summary="The workspace that the key or session acts in", scope="workspace:read")
    def get_workspace(self, ask: NamedDependency[Ask]) -> Json[One[WorkspaceView]]:
        with ask.reading() as conn:
            found = rows.workspace(conn, ask.caller.workspace_id)
        return ask.versioned(found, found.version)

    @patch(
        operation_id="updateWorkspace",
        summary="Rename the workspace, or set its phone region",
        scope="workspace:write",
        example={"name": "Acme Sales", "phoneRegion": "US"},
    )
    def update_workspace(
        self, change: NamedDependency[Change], data: RequestBody[UpdateWorkspace]
    ) -> Json[One[WorkspaceView]]:
        def work(unit: Work) -> Current[Workspace]:
            unit.execute(WORKSPACE, unit.origin.workspace_id, data, if_version=change.if_version)
            return unit.get(WORKSPACE, unit.origin.workspace_id)

        return change(work, lambda unit, workspace: rows.workspace_view(unit.conn, workspace))
