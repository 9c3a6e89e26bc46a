"""Every operation can be asked as it is meant: what its path names can be made, and its example is taken."""

from __future__ import annotations

from tests.api.sweeps.makers import Things, makeable
from tests.api.sweeps.operations import Operation, every


@every()
def test_all_that_its_path_names_can_be_made(op: Operation) -> None:
    missing = set(op.in_path) - makeable()
    assert missing == set(), f"{op.method} {op.path}: add a maker of {missing} to tests/api/sweeps/makers.py"


@every(lambda op: op.id != "testWebhook")  # asks the receiver, whom the example only makes up
def test_its_example_is_taken(ours: Things, op: Operation) -> None:
    things = ours.anew()
    answer = things.ask(things.team.join("owner"), op)
    assert answer.is_success, answer.text
