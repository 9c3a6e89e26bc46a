"""Who acts on what they knew writes nothing when it has changed; who asks twice with one key is answered twice."""

from __future__ import annotations

from itertools import count

import httpx

from tests.api.asserting import refused
from tests.api.sweeps.makers import Things
from tests.api.sweeps.operations import Operation, every
from tests.api.sweeps.written import Written

_keys = count(1)


def version_of(things: Things, op: Operation) -> int:
    """The one that a reader of the thing knows, or of the thing that it belongs to: by the operation's path."""
    path = things.path(op)
    things.body(op)  # what that makes may change it
    while True:
        answer = things.team.owner.get(path)
        if answer.is_success and "etag" in answer.headers:
            return int(answer.headers["etag"].strip('"'))
        assert path, f"nothing in {op.path} has an ETag"
        path = path.rpartition("/")[0]


@every(lambda op: "If-Match" in op.taken("header"))
def test_what_has_changed_since_is_left_as_it_is(ours: Things, written: Written, op: Operation) -> None:
    things = ours.anew()
    version = version_of(things, op)
    before = written(things.team.workspace_id)
    for stale in (version - 1, version + 1):
        refused(things.ask(things.team.owner, op, headers={"if-match": f'"{stale}"'}), 412)
    assert written(things.team.workspace_id) == before


@every(lambda op: "If-Match" in op.taken("header"))
def test_what_has_not_changed_since_is_changed(ours: Things, op: Operation) -> None:
    things = ours.anew()
    answer = things.ask(things.team.owner, op, headers={"if-match": f'"{version_of(things, op)}"'})
    assert answer.is_success, answer.text


@every(lambda op: "Idempotency-Key" in op.taken("header"))
def test_a_request_sent_again_with_its_key_is_answered_again_and_writes_once(
    ours: Things, written: Written, op: Operation
) -> None:
    things = ours.anew()
    path, body = things.path(op), things.body(op)
    headers = {"idempotency-key": f"sweep {next(_keys)}"}
    unwritten = written(things.team.workspace_id)

    def ask() -> httpx.Response:
        return things.ask(things.team.owner, op, path=path, headers=headers, **({"json": body} if op.body else {}))

    first = ask()
    assert first.is_success, first.text
    after = written(things.team.workspace_id)
    assert after != unwritten
    again = ask()
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert {name: again.headers.get(name) for name in SAME} == {name: first.headers.get(name) for name in SAME}
    assert written(things.team.workspace_id) == after


SAME = ("etag", "location", "daybook-seq")
