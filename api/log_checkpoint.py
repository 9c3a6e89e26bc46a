"""Signed heads of the log over HTTP: what an auditor keeps, to prove later that nothing was rewritten."""

from __future__ import annotations

from litestar import Controller, get, post
from litestar.di import NamedDependency, Provide

from api.http.answers import Asked, Json, page, plain
from api.http.operation import errors, needs
from api.http.paging import page_request
from api.http.query import malformed_parameter
from application.calling.services import Services
from application.calling.signing import signing_key
from domain.kernel import invalid
from eventstore.checkpoint import read_checkpoints, sign_head
from eventstore.database import reading
from schemas.verification import Checkpoint
from schemas.wire.page import One, Page, PageRequest, page_meta


class LogCheckpointController(Controller):
    path = "/log/checkpoints"
    tags = ["Log"]  # noqa: RUF012 - what Litestar reads

    @get(
        "",
        operation_id="listLogCheckpoints",
        summary="List the signed heads of the log, newest first",
        description="Heads are signed every hour in which something was written, and on demand.",
        opt=needs("log:read"),
        responses=errors(),
        dependencies={"wanted": Provide(page_request, sync_to_thread=False)},
        sync_to_thread=True,
    )
    def list_checkpoints(
        self, services: NamedDependency[Services], request: Asked, wanted: NamedDependency[PageRequest]
    ) -> Json[Page[Checkpoint]]:
        if wanted.cursor is not None:
            raise malformed_parameter("cursor", "this list is read by page")
        if wanted.sort is not None:
            raise invalid("sort", "heads are always listed with the newest first")
        with reading(services.pool, request.user.workspace_id) as conn:
            found, total = read_checkpoints(conn, limit=wanted.limit, offset=wanted.skipped)
        return page(Page(data=found, meta=page_meta(wanted, total, None)))

    @post(
        "",
        operation_id="signLogHead",
        summary="Sign the head of the log as it is now",
        description=(
            "Ed25519 over the RFC 8785 form of `{hash, seq, signedAt, workspaceId}`. Keep the answer: `daybook verify"
            " --checkpoints` proves that the log still goes through it."
        ),
        opt=needs("log:read"),
        responses=errors(),
        sync_to_thread=True,
    )
    def sign(self, services: NamedDependency[Services], request: Asked) -> Json[One[Checkpoint]]:
        found = sign_head(services.pool, request.user.workspace_id, signing_key(services.box.key))
        return plain({"data": found}, 201)
