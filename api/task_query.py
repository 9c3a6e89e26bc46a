"""The filters of the task list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar.di import NamedDependency
from litestar.params import QueryParameter

from api.http.filtering import asked_of, date_or_time, in_camel_case
from api.http.paging import Search
from api.http.recall import Recall
from domain.task import PRIORITIES, Priority
from projections.table.asking.compiled import Compiled
from projections.task import TASKS, standing
from schemas.task import ShownStatus


@dataclass(frozen=True)
class TaskQuery:
    """``at``: the time for which it is said what is overdue, in the filter and in what is shown."""

    where: Compiled
    search: str | None
    at: datetime


def task_query(
    recall: NamedDependency[Recall],
    search: Search = None,
    status: Annotated[
        ShownStatus | None,
        QueryParameter(description="`overdue`: should have been done by now; `pending`: need not have been."),
    ] = None,
    priority: Annotated[Priority | None, QueryParameter(description="As urgent as this.")] = None,
    assigned_to: Annotated[
        UUID | None, QueryParameter(name="assignedTo", description="Assigned to the user of this id.")
    ] = None,
    contact_id: Annotated[
        UUID | None, QueryParameter(name="contactId", description="About the contact of this id.")
    ] = None,
    deal_id: Annotated[UUID | None, QueryParameter(name="dealId", description="About the deal of this id.")] = None,
    due_before: Annotated[
        str | None, QueryParameter(name="due_before", description="Due before this date or RFC 3339 time.")
    ] = None,
    due_before_camel: Annotated[str | None, in_camel_case("due_before")] = None,
    due_after: Annotated[
        str | None, QueryParameter(name="due_after", description="Due after this date or RFC 3339 time.")
    ] = None,
    due_after_camel: Annotated[str | None, in_camel_case("due_after")] = None,
) -> TaskQuery:
    """All given filters must hold; an empty one is none."""
    at = recall.now
    where = asked_of(
        TASKS,
        ("priority", "eq", None if priority is None else PRIORITIES.index(priority)),
        ("assignedTo", "eq", assigned_to),
        ("contactId", "eq", contact_id),
        ("dealId", "eq", deal_id),
        ("dueDate", "before", date_or_time(due_before=due_before, dueBefore=due_before_camel)),
        ("dueDate", "after", date_or_time(due_after=due_after, dueAfter=due_after_camel)),
        beside=None if status is None else standing(status, at),
    )
    return TaskQuery(where=where, search=search, at=at)
