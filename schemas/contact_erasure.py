"""Erasures of contacts on the wire."""

from __future__ import annotations

from typing import Annotated, ClassVar
from uuid import UUID

from msgspec import Meta

from domain.contact_erasure import Receipt, Why
from domain.kernel import JSON, Value
from schemas.job import JobView


class EraseRequest(Value, forbid_unknown_fields=True):
    """Why a contact is erased."""

    reason: Why | None = None


class Erasure(Value):
    """What came of it: a receipt, or the job that sees to it. The event `contact.erased` has the same receipt."""

    contact_id: Annotated[UUID, Meta(description="The contact.")]
    receipt: Annotated[Receipt | None, Meta(description="What was erased; null while a job is at it.")] = None
    job: Annotated[JobView | None, Meta(description="The job, where so much refers to the contact.")] = None

    example: ClassVar[JSON] = {
        "contactId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0001",
        "receipt": {
            "erasedAt": "2026-11-20T09:12:44.120331Z",
            "erasedBy": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0020",
            "reason": "Request 2026/31",
            "merged": [],
            "unreadable": [{"kind": "contact", "streams": 1, "events": 3, "firstSeq": 41, "lastSeq": 207}],
            "goesOn": [{"kind": "deal", "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0040"}],
        },
        "job": None,
    }
