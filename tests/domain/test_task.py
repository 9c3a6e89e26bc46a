"""Rules of tasks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from domain.kernel import Ended
from domain.task import (
    TASK,
    CompleteTask,
    CreateTask,
    DeleteTask,
    ReopenTask,
    Task,
    TaskChanges,
    TaskCompleted,
    TaskCreated,
    TaskDeleted,
    TaskReopened,
    TaskUpdated,
    UpdateTask,
    unset,
)
from eventstore.ids import new_id
from tests.language import given

DUE = datetime(2026, 4, 20, 17, tzinfo=UTC)
NOW = datetime(2026, 4, 19, 9, 30, tzinfo=UTC)
created = TaskCreated(title="Call back", due_date=DUE, priority="high")


def test_a_task_is_pending_and_of_medium_priority_unless_something_else_is_said() -> None:
    state = given(TASK).when(CreateTask(title=" Call back ")).then(TaskCreated(title="Call back", priority="medium"))
    assert state == Task(title="Call back", priority="medium", status="pending", completed_at=None)


def test_a_due_date_is_kept_in_utc() -> None:
    written = datetime(2026, 4, 20, 19, tzinfo=timezone(timedelta(hours=2)))
    state = given(TASK).when(CreateTask(title="Call back", due_date=written, priority="high")).then(created)
    assert state is not None
    assert state.due_date is not None
    assert state.due_date.tzinfo is UTC


@pytest.mark.parametrize(
    "due",
    [datetime(2026, 4, 20, 17), datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=2)))],  # noqa: DTZ001 - what is refused
)
def test_a_due_date_without_a_zone_or_out_of_all_time_is_refused(due: datetime) -> None:
    given(TASK).when(CreateTask(title="A", due_date=due)).refused("validation_failed", field="dueDate")


def test_a_title_is_needed() -> None:
    given(TASK).when(CreateTask(title=" ")).refused("validation_failed", field="title")
    given(TASK, created).when(UpdateTask(title=" ")).refused("validation_failed", field="title")


def test_only_what_differs_is_changed() -> None:
    given(TASK, created).when(UpdateTask(title="Call back", due_date=DUE)).nothing()
    given(TASK, created).when(UpdateTask(priority="low", due_date=None)).then(
        TaskUpdated(
            changed=TaskChanges(priority="low", due_date=None), previous=TaskChanges(priority="high", due_date=DUE)
        )
    )


def test_completing_and_reopening_are_events_of_their_own_once_each() -> None:
    completed = TaskCompleted(title="Call back", completed_at=NOW)
    state = given(TASK, created).when(CompleteTask(at=NOW)).then(completed)
    assert state is not None
    assert (state.status, state.completed_at) == ("completed", NOW)
    given(TASK, created, completed).when(CompleteTask(at=NOW + timedelta(days=1))).nothing()
    again = given(TASK, created, completed).when(ReopenTask()).then(TaskReopened(title="Call back"))
    assert again is not None
    assert (again.status, again.completed_at) == ("pending", None)
    given(TASK, created).when(ReopenTask()).nothing()


def test_a_completed_task_can_be_changed_and_stays_completed() -> None:
    state = given(TASK, created, CompleteTask(at=NOW)).when(UpdateTask(title="Called back")).state
    assert state is not None
    assert (state.title, state.status) == ("Called back", "completed")


def test_a_task_whose_doer_leaves_is_nobodys() -> None:
    user = new_id()
    state = given(TASK, CreateTask(title="A", assigned_to=user)).when(unset("assigned_to", Ended(user, ""))).state
    assert state is not None
    assert state.assigned_to is None


def test_what_is_not_there_cannot_be_changed_completed_or_deleted() -> None:
    for command in (UpdateTask(title="A"), CompleteTask(at=NOW), ReopenTask(), DeleteTask()):
        given(TASK).when(command).refused("not_found")
        given(TASK, created, TaskDeleted()).when(command).refused("not_found")
    given(TASK, created).when(CreateTask(title="A")).refused("conflict")
    given(TASK, created).when(DeleteTask()).then(TaskDeleted())


def test_the_more_urgent_a_task_the_greater_its_urgency() -> None:
    urgencies = [Task(title="A", priority=priority).urgency for priority in ("low", "medium", "high")]
    assert urgencies == sorted(set(urgencies))
