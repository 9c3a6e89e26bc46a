"""Signed heads of the log over HTTP: what an auditor keeps, to prove later that nothing was rewritten."""

from __future__ import annotations

from litestar import Controller
from litestar.di import NamedDependency

from api.http.answers import Json
from api.http.ask import Ask
from api.http.query import malformed_parameter
from api.http.routes import get, post
from application.calling.signing import signing_key
from domain.kernel import invalid
from eventstore.checkpoint import read_checkpoints, sign_head
from schemas.verification import Checkpoint
from schemas.wire.page import One, Page, PageRequest


class LogCheckpointController(Controller):
    path = "/log/checkpoints"
    tags = ["Log"]  # noqa: RUF012 - what Litestar reads

    @get(operation_id="listLogCheckpoints", summary="List the signed heads of the log, newest first", scope="log:read")
    def list_checkpoints(
        self, ask: NamedDependency[Ask], wanted: NamedDependency[PageRequest]
    ) -> Json[Page[Checkpoint]]:
        """Heads are signed every hour in which something was written, and on demand."""
        if wanted.cursor is not None:
            raise malformed_parameter("cursor", "this list is read by page")
        if wanted.sort is not None:
            raise invalid("sort", "heads are always listed with the newest first")
        with ask.reading() as conn:
            found, total = read_checkpoints(conn, limit=wanted.limit, offset=wanted.skipped)
        return ask.page(wanted, found, total, None)

    @post(operation_id="signLogHead", summary="Sign the head of the log as it is now", scope="log:write")
    def sign(self, ask: NamedDependency[Ask]) -> Json[One[Checkpoint]]:
        """Ed25519 over the RFC 8785 form of `{hash, seq, signedAt, workspaceId}`. Keep the answer: `daybook verify
        --checkpoints` proves that the log still goes through it.
        """
        services = ask.services
        return ask.told(sign_head(services.pool, ask.caller.workspace_id, signing_key(services.box.key)), 201)
