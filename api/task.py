"""Tasks over HTTP."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import FromPath, RequestBody

from api.http.answers import Json
from api.http.ask import Act, Change
from api.http.recall import Recall
from api.http.routes import delete, get, patch, post
from api.task_query import TaskQuery, task_query
from application import task as tasks
from domain.task import TASK, CreateTask, DeleteTask
from projections import task as rows
from schemas.task import TaskPatch, TaskView
from schemas.wire.page import One, Page, PageRequest

_NEW: Final = {
    "title": "Follow up with Sarah Kim",
    "description": "Send proposal for Q2 renewal",
    "dueDate": "2026-04-20T17:00:00Z",
    "priority": "high",
}


class TaskController(Controller):
    path = "/tasks"
    tags = ["Tasks"]  # noqa: RUF012 - what Litestar reads

    @get(operation_id="listTasks", summary="List and search tasks", scope="tasks:read", asked=task_query)
    def list_tasks(
        self, recall: NamedDependency[Recall], wanted: NamedDependency[PageRequest], asked: NamedDependency[TaskQuery]
    ) -> Json[Page[TaskView]]:
        """Newest first, unless sorted by title, priority, dueDate, createdAt or updatedAt. All filters that are given
        must hold. Members limited to what is assigned to them see that, and what is about a contact or deal of theirs.
        """
        return recall.listed(
            wanted,
            lambda conn: rows.LISTING.search(conn, wanted, asked.search, asked.where),
            lambda conn, found: rows.views(conn, found, asked.at),
        )

    @post(operation_id="createTask", summary="Create a task", scope="tasks:write", example=_NEW)
    def create_task(self, act: NamedDependency[Act], data: RequestBody[CreateTask]) -> Json[One[TaskView]]:
        return act.begin(TASK, data, rows.views)

    @get("/{task_id:uuid}", operation_id="getTask", summary="Get one task", scope="tasks:read")
    def get_task(self, recall: NamedDependency[Recall], task_id: FromPath[UUID]) -> Json[One[TaskView]]:
        return recall.one(rows.TASKS, task_id, rows.views)

    @patch(
        "/{task_id:uuid}",
        operation_id="updateTask",
        summary="Change, complete or reopen a task",
        scope="tasks:write",
        example={"status": "completed"},
    )
    def update_task(
        self, change: NamedDependency[Change], task_id: FromPath[UUID], data: RequestBody[TaskPatch]
    ) -> Json[One[TaskView]]:
        """A `status` of `completed` marks it done, one of `pending` says that it is to be done after all: events of their
        own (`task.completed`, `task.reopened`).
        """
        return change(
            lambda unit: tasks.update(unit, task_id, data, change.if_version),
            lambda unit, task: rows.views(unit.conn, [task])[0],
        )

    @delete("/{task_id:uuid}", operation_id="deleteTask", summary="Delete a task", scope="tasks:write")
    def delete_task(self, change: NamedDependency[Change], task_id: FromPath[UUID]) -> Json[None]:
        """For good. What happened to it stays in the log."""
        return change.end(TASK, task_id, DeleteTask())
