"""Tasks on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from msgspec import UNSET, Meta, UnsetType

from domain.kernel import JSON
from domain.task import TaskChanges, TaskDetails, TaskStatus
from schemas.wire.words import CreatedAt, Id, UpdatedAt, Version

ShownStatus = Literal["pending", "completed", "overdue"]
"""Overdue is what is pending and was due before now."""


class TaskPatch(TaskChanges, forbid_unknown_fields=True):
    """What to change. A ``status`` of completed marks the task done, one of pending says that it is to be done after all."""

    status: Annotated[
        TaskStatus | UnsetType, Meta(description="Whether it is done. That it is overdue follows from `dueDate`.")
    ] = UNSET


class TaskView(TaskDetails, kw_only=True):
    """A task."""

    id: Id
    status: Annotated[
        ShownStatus, Meta(description="Completed, or else pending; overdue when it should have been done by now.")
    ]
    completed_at: Annotated[datetime | None, Meta(description="When it was done.")]
    created_at: CreatedAt
    updated_at: UpdatedAt
    version: Version

    example: ClassVar[JSON] = {
        "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f00a0",
        "title": "Follow up with Sarah Kim",
        "description": "Send proposal for Q2 renewal",
        "status": "pending",
        "priority": "high",
        "dueDate": "2026-04-20T17:00:00Z",
        "completedAt": None,
        "assignedTo": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0010",
        "contactId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0001",
        "dealId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f00d1",
        "createdAt": "2026-04-15T10:00:00.123456Z",
        "updatedAt": "2026-04-15T10:00:00.123456Z",
        "version": 1,
    }
