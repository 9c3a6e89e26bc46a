"""The workspace over HTTP."""

from __future__ import annotations

from litestar import Controller, get, patch
from litestar.di import NamedDependency
from litestar.params import RawBody, RequestBody

from api.http.answers import Answer, Asked, Json, command, if_match, one
from api.http.operation import errors, needs
from application.calling.services import Services
from domain.workspace import WORKSPACE, UpdateWorkspace
from eventstore.database import reading
from eventstore.unit_of_work import Work
from projections import identity as rows
from schemas.identity import WorkspaceView
from schemas.wire.page import One


class WorkspaceController(Controller):
    path = "/workspace"
    tags = ["Workspace"]  # noqa: RUF012 - what Litestar reads

    @get(
        "",
        operation_id="getWorkspace",
        summary="The workspace that the key or session acts in",
        opt=needs("workspace:read"),
        responses=errors(),
        sync_to_thread=True,
    )
    def get_workspace(self, services: NamedDependency[Services], request: Asked) -> Json[One[WorkspaceView]]:
        with reading(services.pool, request.user.workspace_id) as conn:
            found = rows.workspace(conn, request.user.workspace_id)
        return one(request, found, found.version)

    @patch(
        "",
        operation_id="updateWorkspace",
        summary="Rename the workspace, or set its phone region",
        opt=needs("workspace:write", example={"name": "Acme Sales", "phoneRegion": "US"}),
        responses=errors("precondition_failed", "validation_failed"),
        sync_to_thread=True,
    )
    def update_workspace(
        self, services: NamedDependency[Services], request: Asked, body: RawBody, data: RequestBody[UpdateWorkspace]
    ) -> Json[One[WorkspaceView]]:
        workspace_id = request.user.workspace_id

        def work(unit: Work) -> Answer:
            unit.execute(WORKSPACE, workspace_id, data, if_version=if_match(request))
            found = rows.workspace_view(unit.conn, unit.get(WORKSPACE, workspace_id))
            return Answer(found, found.version)

        return command(request, body, services, work)
