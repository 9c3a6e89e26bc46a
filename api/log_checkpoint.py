"""Signed heads of the log over HTTP: what an auditor keeps, to prove later that nothing was rewritten."""

from __future__ import annotations

from typing import Final

from litestar import Controller
from litestar.di import NamedDependency

from api.http.answers import Json
from api.http.ask import Ask
from api.http.routes import get, post
from application.log_checkpoint import sign
from eventstore.checkpoint import read_checkpoints
from projections.table import keyset
from schemas.verification import Checkpoint
from schemas.wire.page import One, Page, PageRequest

_NEWEST_FIRST: Final = "-seq"


class LogCheckpointController(Controller):
    path = "/log/checkpoints"
    tags = ["Log"]  # noqa: RUF012 - what Litestar reads

    @get(operation_id="listLogCheckpoints", summary="List the signed heads of the log, newest first", scope="log:read")
    def list_checkpoints(
        self, ask: NamedDependency[Ask], paged: NamedDependency[PageRequest]
    ) -> Json[Page[Checkpoint]]:
        """Heads are signed every hour in which something was written, and on demand."""
        with ask.reading() as conn:
            (before,) = (None,) if paged.cursor is None else keyset.read(paged.cursor, _NEWEST_FIRST, int)
            found, total = read_checkpoints(conn, limit=paged.limit + 1, offset=paged.skipped, before=before)
        heads, cursor = keyset.page(found, paged.limit, lambda head: keyset.written(_NEWEST_FIRST, head.seq))
        return ask.page(paged, heads, total, cursor)

    @post(operation_id="signLogHead", summary="Sign the head of the log as it is now", scope="log:write")
    def sign(self, ask: NamedDependency[Ask]) -> Json[One[Checkpoint]]:
        """Ed25519 over the RFC 8785 form of `{hash, previous, seq, signedAt, workspaceId}`. Keep the answer: `daybook
        verify --checkpoints` proves that the log still goes through it. Endpoints that ask for `log.checkpoint_signed` are
        sent it.
        """
        services = ask.services
        return ask.told(sign(services.pool, ask.caller.workspace_id, services.signer), 201)
