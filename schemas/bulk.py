"""Bulk operations on the wire: which things, what is to be done to each, and the job that does it."""

from __future__ import annotations

from typing import Annotated, ClassVar
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from domain.kernel import JSON, Value
from domain.kernel.filter import Group
from schemas.contact import ContactPatch
from schemas.deal import DealPatch
from schemas.job import JobStatus

MAX_IDS = 1_000


class Many(Value, forbid_unknown_fields=True):
    """Things by id, or all of which a filter holds."""

    ids: Annotated[list[UUID], Meta(description="Up to 1,000 ids.", min_length=1, max_length=MAX_IDS)] | UnsetType = (
        UNSET
    )
    filter: Annotated[Group, Meta(description="In place of ids: all of which it holds, up to 200,000.")] | UnsetType = (
        UNSET
    )


class ContactUpdates(Many, forbid_unknown_fields=True, kw_only=True):
    """The same changes for many contacts."""

    updates: Annotated[ContactPatch, Meta(description="What to change in each.")]


class ContactDeletions(Many, forbid_unknown_fields=True):
    """Many contacts to delete."""


class ContactTaggings(Many, forbid_unknown_fields=True, kw_only=True):
    """The same tags for many contacts."""

    tags: Annotated[list[str], Meta(description="Tags by name, which are added; missing ones are made.", min_length=1)]


class DealUpdates(Many, forbid_unknown_fields=True, kw_only=True):
    """The same changes for many deals."""

    updates: Annotated[DealPatch, Meta(description="What to change in each.")]


class BulkAnswer(Value):
    """The job that does it: ``GET /jobs/{jobId}`` says how far it has come, and what was wrong with which."""

    job_id: Annotated[UUID, Meta(description="The job that does it.")]
    status: Annotated[JobStatus, Meta(description="How it stands.")]
    total: Annotated[int, Meta(description="How many things it is about.")]
    processed: Annotated[int, Meta(description="How many were dealt with so far.")]
    errors: Annotated[int, Meta(description="How many it could not be done to.")]

    example: ClassVar[JSON] = {
        "jobId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0080",
        "status": "processing",
        "total": 3,
        "processed": 0,
        "errors": 0,
    }
