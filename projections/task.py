"""Task rows, and which tasks are overdue."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from domain.kernel.filter import Condition, Conditions, Filter, Group
from domain.task import TASK, Task
from eventstore.database import Db
from eventstore.rows import Current
from projections.contact import CONTACTS
from projections.deal import DEALS
from projections.table.column import FOLDED, ID, TEXT, TIME, WHOLE, Column
from projections.table.listing import Listing
from projections.table.rows import RowTable
from projections.table.showing import shown
from schemas.task import ShownStatus, TaskView
from schemas.wire.page import Sort

TASKS: RowTable[Task] = RowTable(
    name="tasks",
    decider=TASK,
    version=2,
    columns=(
        Column("title", FOLDED, sort=True, searched=True),
        Column("description", FOLDED, searched=True),
        Column("status", TEXT),
        Column("urgency", WHOLE, wire="priority", sort=True),
        Column("due_date", TIME, sort=True),
        Column("assigned_to", ID),
        Column("contact_id", ID),
        Column("deal_id", ID),
    ),
    owner="assigned_to",
    times=("created_at", "updated_at"),
    hangs_on={"contact_id": CONTACTS, "deal_id": DEALS},
)

LISTING: Final = Listing(TASKS, default=Sort(field="createdAt", descending=True), led=(CONTACTS,))


def views(conn: Db, tasks: Sequence[Current[Task]], at: datetime | None = None) -> list[TaskView]:
    """The tasks as they stand ``at`` a time: now, or then, unless another is given."""
    now = at or conn.now
    return [shown(TaskView, task, status=status(task.state, now)) for task in tasks]


def status(task: Task, at: datetime) -> ShownStatus:
    """How it stands at that time."""
    late = task.status == "pending" and task.due_date is not None and task.due_date < at
    return "overdue" if late else task.status


def standing(wanted: ShownStatus, at: datetime) -> Filter:
    """The tasks of which ``status`` says that."""
    if wanted == "completed":
        return Condition(field="status", operator="eq", value="completed")
    late = Condition(field="dueDate", operator="before", value=at)
    undue = Condition(field="dueDate", operator="is_not_set")
    early = Condition(field="dueDate", operator="gte", value=at)
    pending = Condition(field="status", operator="eq", value="pending")
    if wanted == "overdue":
        return Conditions(match="all", conditions=(pending, late))
    return Group(match="all", conditions=(pending,), groups=(Conditions(match="any", conditions=(undue, early)),))
