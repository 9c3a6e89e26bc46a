"""Use cases of tasks: a change of one that may also complete or reopen it."""

from __future__ import annotations

from uuid import UUID

from msgspec import UNSET

from domain.kernel.changes import named
from domain.task import TASK, CompleteTask, ReopenTask, Task, UpdateTask
from eventstore.rows import Current
from eventstore.work import Work
from schemas.task import TaskPatch


def update(unit: Work, task_id: UUID, form: TaskPatch, if_version: int | None = None) -> Current[Task]:
    """Changes the given fields; refuses as the unit of work does."""
    fields = named(form)
    fields.pop("status", None)
    unit.execute(TASK, task_id, UpdateTask(**fields), if_version=if_version)
    if form.status is not UNSET:
        done = form.status == "completed"
        unit.execute(TASK, task_id, CompleteTask(at=unit.now) if done else ReopenTask())
    return unit.get(TASK, task_id)
