"""Every operation can be asked as it is meant: what its path names can be made, and its example is taken."""

from __future__ import annotations

from tests.api.sweeps.makers import Things, makeable
from tests.api.sweeps.operations import Operation, every


@every()
def test_all_that_its_path_names_can_be_made(op: Operation) -> None:
    missing = set(op.in_path) - makeable()
    assert missing == set(), f"{op.method} {op.path}: add a maker of {missing} to tests/api/sweeps/makers.py"


def test_what_an_example_refers_to_is_there(ours: Things) -> None:
    nobody = {"contactId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0001", "name": "A"}
    fields = {"contactId": {"type": "string", "format": "uuid"}, "name": {"type": "string"}}
    body = {"schema": {"type": "object", "properties": fields}, "example": nobody}
    op = Operation(
        "PUT", "/things", {"operationId": "putThing", "requestBody": {"content": {"application/json": body}}}
    )
    assert ours.body(op) == {"contactId": ours["contactId"], "name": "A"}


@every(lambda op: op.id != "testWebhook")  # asks the receiver, whom the example only makes up
def test_its_example_is_taken(ours: Things, op: Operation) -> None:
    things = ours.anew()
    answer = things.ask(things.team.anonymous if op.public else things.team.join("owner"), op)
    assert answer.is_success, answer.text
