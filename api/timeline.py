"""Timelines over HTTP: of each kind of thing that has one."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.http.answers import Json
from api.http.ask import Ask
from api.http.fresh import MinSeq, fresh
from api.http.routes import get
from projections import timeline as rows
from projections.catalogue import ROWS
from schemas.activity import ActivityView
from schemas.wire.page import Page, PageRequest

_SAID: Final[dict[str, Any]] = {"errors": ("validation_failed",), "headers": ("Daybook-View-Seq",)}
_RESOURCES: Final = {"contact_duplicate": "contacts"}
"""Kinds of thing that scopes call otherwise than their table is called."""
_ABOUT: Final = (
    "Newest first: its own creation, changes and deletions, and those of all that refers to it, with what changed from"
    " what to what and by whom. What is about a contact or a deal is also on the timeline of the company that the contact"
    " or deal belonged to at the time, and what is about a deal on that of its contact. A member limited to what is assigned to them sees nothing of what is assigned to others, and a key nothing of what its scopes do not let it read."
    " A worker keeps it, a moment behind the log: `Daybook-View-Seq` says how far it is, and `minSeq` waits for it."
)


class TimelineController(Controller):
    path = "/"
    tags = ["Timelines"]  # noqa: RUF012 - what Litestar reads

    @get(
        "/contacts/{contact_id:uuid}/timeline",
        operation_id="getContactTimeline",
        summary="Everything that touches a contact",
        description=_ABOUT,
        scope="contacts:read",
        **_SAID,
    )
    async def contact_timeline(
        self,
        ask: NamedDependency[Ask],
        contact_id: FromPath[UUID],
        paged: NamedDependency[PageRequest],
        min_seq: MinSeq = None,
    ) -> Json[Page[ActivityView]]:
        return await _timeline(ask, "contact", contact_id, paged, min_seq)

    @get(
        "/companies/{company_id:uuid}/timeline",
        operation_id="getCompanyTimeline",
        summary="Everything that touches a company",
        description=_ABOUT,
        scope="companies:read",
        **_SAID,
    )
    async def company_timeline(
        self,
        ask: NamedDependency[Ask],
        company_id: FromPath[UUID],
        paged: NamedDependency[PageRequest],
        min_seq: MinSeq = None,
    ) -> Json[Page[ActivityView]]:
        return await _timeline(ask, "company", company_id, paged, min_seq)

    @get(
        "/deals/{deal_id:uuid}/timeline",
        operation_id="getDealTimeline",
        summary="Everything that touches a deal",
        description=_ABOUT,
        scope="deals:read",
        **_SAID,
    )
    async def deal_timeline(
        self,
        ask: NamedDependency[Ask],
        deal_id: FromPath[UUID],
        paged: NamedDependency[PageRequest],
        min_seq: MinSeq = None,
    ) -> Json[Page[ActivityView]]:
        return await _timeline(ask, "deal", deal_id, paged, min_seq)


async def _timeline(
    ask: Ask, kind: str, subject_id: UUID, paged: PageRequest, min_seq: int | None
) -> Json[Page[ActivityView]]:
    kinds = {kind for kind in rows.KINDS if ask.caller.may(f"{_RESOURCES.get(kind, ROWS[kind].name)}:read")}
    found, headers = await fresh(
        ask,
        rows.TIMELINE,
        min_seq,
        lambda conn: rows.listed(conn, ROWS, kind, subject_id, paged, ask.visible_to, kinds),
    )
    return ask.page(paged, *found, headers=headers)
