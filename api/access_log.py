"""Who read what, over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from api.http.answers import Json
from api.http.ask import Ask
from api.http.query import malformed_parameter
from api.http.routes import get
from domain.kernel import times
from projections import access_log as rows
from schemas.access_log import AccessView
from schemas.wire.page import Page, PageRequest


class AccessLogController(Controller):
    path = "/access-log"
    tags = ["Log"]  # noqa: RUF012 - what Litestar reads

    @get(operation_id="listAccesses", summary="Who read what", scope="access-log:read")
    def list_accesses(
        self,
        ask: NamedDependency[Ask],
        paged: NamedDependency[PageRequest],
        user_id: Annotated[UUID | None, QueryParameter(name="userId", description="Reads of this user.")] = None,
        operation: Annotated[
            str | None, QueryParameter(max_length=100, description="Reads by this operation, such as `getContact`.")
        ] = None,
        contact_id: Annotated[
            UUID | None, QueryParameter(name="contactId", description="Reads that showed this contact.")
        ] = None,
        since: Annotated[
            str | None, QueryParameter(name="from", description="From this date or RFC 3339 time on.")
        ] = None,
        until: Annotated[
            str | None, QueryParameter(name="to", description="Before this date or RFC 3339 time.")
        ] = None,
    ) -> Json[Page[AccessView]]:
        """The last first: contacts that people were shown, exports, and reads of the log, by whomever. For owners and admins.
        An entry is there a moment after the answer, and as long as the installation keeps them.
        """
        wanted = rows.AccessQuery(user_id, operation, contact_id, _time("from", since), _time("to", until))
        with ask.reading() as conn:
            found, total, cursor, exact = rows.listed(conn, paged, wanted)
        return ask.page(paged, found, total, cursor, exact=exact)


def _time(name: str, given: str | None) -> datetime | None:
    try:
        return None if given is None else times.read(given)
    except ValueError as error:
        raise malformed_parameter(name, str(error)) from None
