"""Bundles of the log over HTTP: asked for, waited for, and downloaded."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import FromPath, RequestBody

from api.http.answers import Answer, Json
from api.http.ask import Act, Ask
from api.http.download import Download, Sizes
from api.http.routes import get, post
from api.http.turns import in_turn
from application import audit_export as exports
from application.log_checkpoint import sign
from eventstore.bundle.making import stretch
from eventstore.work import Work
from projections import audit_export as rows
from schemas.audit_export import AuditExportView, NewAuditExport
from schemas.wire.page import One, Page, PageRequest

_TAR: Final = "application/x-tar"
_ALL: Final = NewAuditExport()


class AuditExportController(Controller):
    path = "/audit/exports"
    tags = ["Log"]  # noqa: RUF012 - what Litestar reads

    @post(
        operation_id="createAuditExport",
        summary="Have the log written into a bundle for auditors",
        scope="log:write",
        status=202,
        headers=("Location",),
        example=NewAuditExport.example,
    )
    def create_export(
        self, act: NamedDependency[Act], data: RequestBody[NewAuditExport] = _ALL
    ) -> Json[One[AuditExportView]]:
        """All of it, or the stretch between two moments, by a job: it can be cancelled as such. Up to the log's end, that is
        signed first, so that a signed head covers the last event. The bundle is kept for some days (`expiresAt`).
        """
        since = data.since if isinstance(data.since, str) else None
        until = data.until if isinstance(data.until, str) else _signed_end(act, since)

        def work(unit: Work) -> Answer:
            view = exports.begin(unit, act.caller, since, until, act.services.keep_exports)
            return Answer(view, status=202, location=f"/api/v1/audit/exports/{view.id}")

        return act.answer(work)

    @get(operation_id="listAuditExports", summary="List bundles, newest first", scope="log:write")
    def list_exports(
        self, ask: NamedDependency[Ask], paged: NamedDependency[PageRequest]
    ) -> Json[Page[AuditExportView]]:
        """Those that were asked for over HTTP, for 30 days after they were made."""
        with ask.reading() as conn:
            return ask.page(paged, *rows.listed(conn, paged))

    @get("/{export_id:uuid}", operation_id="getAuditExport", summary="How far a bundle has come", scope="log:write")
    def get_export(self, ask: NamedDependency[Ask], export_id: FromPath[UUID]) -> Json[One[AuditExportView]]:
        """It can be downloaded when its status is `completed`, until `expiresAt`."""
        with ask.reading() as conn:
            return ask.told(exports.found(conn, export_id))

    @get(
        "/{export_id:uuid}/bundle",
        operation_id="downloadAuditExport",
        summary="Download a bundle",
        scope="log:write",
        errors=("conflict",),
        file=_TAR,
        headers=("Content-Disposition",),
    )
    async def download(self, ask: NamedDependency[Ask], export_id: FromPath[UUID]) -> Download:
        """A tar that `daybook audit verify` verifies; 409 as long as it is not complete, 404 when it is no longer kept. With
        `Range: bytes=N-` a download that broke off goes on (206).
        """

        def sizes() -> Sizes:
            with ask.reading() as conn:
                return exports.sizes(conn, export_id)

        def content(n: int) -> bytes | None:
            with ask.reading() as conn:
                return rows.content(conn, export_id, n)

        name = f"daybook-{export_id}.tar"
        return Download(name, _TAR, await in_turn(sizes), content, ask.request.headers.get("range"))


def _signed_end(act: Act, since: str | None) -> str:
    """The seq of the log's end, of which there is a signed head now; not signed for what would be refused."""
    services = act.services
    with act.reading() as conn:
        stretch(conn, since, None)
    return str(sign(services.pool, act.caller.workspace_id, services.signer).seq)
