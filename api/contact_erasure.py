"""Erasing contacts over HTTP."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import FromPath, RequestBody

from api.http.answers import Answer, Json
from api.http.ask import Change
from api.http.routes import post
from application import contact_erasure as erasures
from eventstore.work import Work
from schemas.contact_erasure import EraseRequest, Erasure
from schemas.wire.page import One

_ERASE: Final = {"reason": "Request 2026/31"}
_NO_REASON: Final = EraseRequest()


class ContactErasureController(Controller):
    path = "/contacts/{contact_id:uuid}/erase"
    tags = ["Privacy"]  # noqa: RUF012 - what Litestar reads

    @post(
        operation_id="eraseContact",
        summary="Erase a contact, out of the log too",
        scope="privacy:write",
        example=_ERASE,
        errors=("conflict",),
        status=200,
        also={202: "So much refers to it that a job erases it."},
    )
    def erase(
        self, change: NamedDependency[Change], contact_id: FromPath[UUID], data: RequestBody[EraseRequest] = _NO_REASON
    ) -> Json[One[Erasure]]:
        """For good: the key is destroyed with which what is personal is sealed in the log, of the contact, of those merged into
        it, and of its tasks, notes, calls, interactions and deals. These end with it, but for deals: they stay, without a
        name. A deleted contact can be erased too. Again, it answers the same receipt. Refused (409) while a legal hold is
        on it, or on another contact of whom something tells that tells of it. Admins and owners only.
        """

        def begun(unit: Work) -> Answer:
            job = erasures.begin(unit, change.caller, contact_id, data, change.if_version)
            view = Erasure(contact_id=contact_id, job=job)
            return Answer(view, status=202, location=f"/api/v1/jobs/{job.id}")

        def erased(unit: Work) -> Answer:
            return Answer(erasures.erase(unit, change.caller, contact_id, data, change.if_version))

        return change.now_or_later(erased, begun)
