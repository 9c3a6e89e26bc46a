"""A task: something to be done, by itself or about a contact or a deal."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal, assert_never
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import replace

from domain.kernel import Command, Decider, Ended, Event, Refused, State, Value, not_found
from domain.kernel.changes import applied, difference, named
from domain.kernel.fields import Refers, kept, leading
from domain.kernel.personal import PERSONAL
from domain.kernel.types import Moment, Name, Text

Priority = Literal["low", "medium", "high"]
TaskStatus = Literal["pending", "completed"]
"""What is kept; that a pending one is overdue follows from the time."""

PRIORITIES: Final[tuple[Priority, ...]] = ("low", "medium", "high")

Title = Annotated[Name, PERSONAL, Meta(description="What is to be done.")]
Description = Annotated[Text, PERSONAL, Meta(description="More about it, with line breaks.")]
DueDate = Annotated[Moment, Meta(description="By when; from then on it is overdue, unless it is completed.")]
HowUrgent = Annotated[Priority, Meta(description="How urgent it is.")]
AssignedTo = Annotated[
    UUID, Refers("membership"), Meta(description="The user who is to do it: a member of the workspace.")
]
ContactId = Annotated[
    UUID, Refers("contact", on_end="cascade"), Meta(description="The contact that it is about; it is deleted with it.")
]
DealId = Annotated[UUID, Refers("deal"), Meta(description="The deal that it is about; it stays when that goes.")]
TitleThen = Annotated[str, PERSONAL, Meta(description="Its title at that moment.")]


class TaskDetails(Value):
    title: Title
    description: Description | None = None
    due_date: DueDate | None = None
    priority: HowUrgent = "medium"
    assigned_to: AssignedTo | None = None
    contact_id: ContactId | None = None
    deal_id: DealId | None = None


class TaskChanges(Value):
    """The fields of a task that can change."""

    title: Title | UnsetType = UNSET
    description: Description | UnsetType | None = UNSET
    due_date: DueDate | UnsetType | None = UNSET
    priority: HowUrgent | UnsetType = UNSET
    assigned_to: AssignedTo | UnsetType | None = UNSET
    contact_id: ContactId | UnsetType | None = UNSET
    deal_id: DealId | UnsetType | None = UNSET


class Task(TaskDetails, State):
    status: TaskStatus = "pending"
    completed_at: datetime | None = None

    @property
    def urgency(self) -> int:
        """By which tasks are sorted: the more urgent, the greater."""
        return PRIORITIES.index(self.priority)


class CreateTask(TaskDetails, Command):
    """A task to create."""


class UpdateTask(TaskChanges, Command):
    """What to change, but for whether it is done."""


class CompleteTask(Command):
    """It is done; once more is no change."""

    at: datetime


class ReopenTask(Command):
    """It is to be done after all."""


class DeleteTask(Command):
    """For good."""


class TaskCreated(TaskDetails, Event, name="task.created", action="created"):
    """A task was made."""


class TaskUpdated(Event, name="task.updated", action="updated"):
    """Fields of the task changed."""

    changed: TaskChanges
    previous: TaskChanges


class TaskCompleted(Event, name="task.completed", action="updated", changes={"status": ("pending", "completed")}):
    """The task is done."""

    title: TitleThen
    completed_at: Annotated[datetime, Meta(description="When it was done.")]


class TaskReopened(Event, name="task.reopened", action="updated", changes={"status": ("completed", "pending")}):
    """The task is to be done after all."""

    title: TitleThen


class TaskDeleted(Event, name="task.deleted", action="deleted"):
    """What it was is in the events before."""


TaskCommand = CreateTask | UpdateTask | CompleteTask | ReopenTask | DeleteTask
TaskEvent = TaskCreated | TaskUpdated | TaskCompleted | TaskReopened | TaskDeleted


def decide(command: TaskCommand, task: Task | None) -> list[TaskEvent]:
    match command, task:
        case CreateTask(), None:
            return [TaskCreated(**kept(command))]
        case CreateTask(), _:
            raise Refused("conflict", "This task exists already.")
        case _, None:
            raise not_found("task")
        case UpdateTask(), Task():
            return _updated(command, task)
        case CompleteTask(at=at), Task():
            return [] if task.status == "completed" else [TaskCompleted(title=task.title, completed_at=at)]
        case ReopenTask(), Task():
            return [TaskReopened(title=task.title)] if task.status == "completed" else []
        case DeleteTask(), Task():
            return [TaskDeleted()]
        case never, _:
            assert_never(never)


def _updated(command: UpdateTask, task: Task) -> list[TaskEvent]:
    changed, previous = difference(kept(command), task)
    if not changed:
        return []
    return [TaskUpdated(changed=TaskChanges(**changed), previous=TaskChanges(**previous))]


def evolve(task: Task | None, event: TaskEvent) -> Task | None:
    match event, task:
        case TaskCreated(), _:
            return Task(**named(event))
        case (TaskDeleted(), _) | (_, None):
            return None
        case TaskUpdated(changed=changed), Task():
            return applied(task, changed)
        case TaskCompleted(completed_at=at), Task():
            return replace(task, status="completed", completed_at=at)
        case TaskReopened(), Task():
            return replace(task, status="pending", completed_at=None)
        case never, _:
            assert_never(never)


def unset(field: str, _: Ended) -> TaskCommand:
    """Lets go of who has left, or of what is no more."""
    gone: dict[str, Any] = {field: None}
    return UpdateTask(**gone)


TASK: Decider[TaskCommand, TaskEvent, Task] = Decider(
    stream_type="task",
    state=Task,
    commands=(CreateTask, UpdateTask, CompleteTask, ReopenTask, DeleteTask),
    events=(TaskCreated, TaskUpdated, TaskCompleted, TaskReopened, TaskDeleted),
    decide=decide,
    evolve=evolve,
    unset=unset,
    refer=lambda path, to: UpdateTask(**leading(path, to)),
    delete=DeleteTask,
)
