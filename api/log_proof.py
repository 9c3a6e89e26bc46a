"""Proofs over HTTP that an entry is in the log, for who has a signed head and not the log."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from api.http.answers import Json
from api.http.ask import Ask
from api.http.routes import get
from domain.kernel import Refused, invalid
from eventstore.proof import prove, seq_of_event
from schemas.verification import Proof
from schemas.wire.page import One

_MOST: Final = 2**53 - 1


class LogProofController(Controller):
    path = "/log/proof"
    tags = ["Log"]  # noqa: RUF012 - what Litestar reads

    @get(
        operation_id="proveLogEntry",
        summary="Prove that an entry is in the log",
        scope="log:read",
        errors=("validation_failed", "not_found", "conflict"),
    )
    def prove(
        self,
        ask: NamedDependency[Ask],
        seq: Annotated[int | None, QueryParameter(ge=1, le=_MOST, description="The entry's place in the log.")] = None,
        event_id: Annotated[
            UUID | None, QueryParameter(name="eventId", description="The event's id, in place of `seq`.")
        ] = None,
    ) -> Json[One[Proof]]:
        """The entry, and the links from it to the next signed head: `daybook audit verify-proof` checks it without the log.
        Refused (409) where no head behind it is signed yet, or the next is more than 10,000 entries on.
        """
        if ask.visible_to is not None:
            raise Refused("permission_denied", "The log tells of everything; you see only what is assigned to you.")
        if (seq is None) is (event_id is None):
            raise invalid("seq", "or eventId must be given, and not both")
        with ask.reading() as conn:
            at = seq_of_event(conn, event_id) if seq is None and event_id is not None else seq or 0
            return ask.told(prove(conn, at))
