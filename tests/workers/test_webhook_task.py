"""What webhooks are told of tasks: that they are done, and to be done after all, with their titles."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from uuid import UUID

import pytest

from application import task as tasks
from domain.task import TASK, CreateTask
from eventstore.ids import new_id
from schemas.task import TaskPatch
from tests.receiver import Receiver, receiving
from tests.workers.hooks import Hooks
from tests.workers.running import Installation, eventually


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def test_completing_and_reopening_reach_the_receiver_and_other_changes_do_not(
    installation: Installation, receiver: Receiver
) -> None:
    hooks = Hooks(installation)
    endpoint = receiver.endpoint()
    webhook_id = hooks.create(endpoint, "task.completed", "task.reopened")
    task_id: UUID = hooks.act(lambda unit: unit.begin(TASK, new_id(), CreateTask(title="Call back"))).id
    with hooks.working() as context:
        for form in (
            TaskPatch(status="completed", priority="low"),
            TaskPatch(title="Write"),
            TaskPatch(status="pending"),
        ):
            hooks.act(partial(tasks.update, task_id=task_id, form=form), context.store)
        eventually(lambda: len(endpoint.got) == 2)
    got = {message["type"]: message for message in (each.verified(hooks.secret(webhook_id)) for each in endpoint.got)}
    assert {str(message["subject"]) for message in got.values()} == {str({"type": "task", "id": str(task_id)})}
    completed = got["task.completed"]["data"]
    assert completed == {"title": "Call back", "completedAt": completed["completedAt"]}
    assert got["task.reopened"]["data"] == {"title": "Write"}
