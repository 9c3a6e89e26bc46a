"""What belongs to another workspace is not there: by id, by reference to the workspace, in lists, searches and trails."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any
from uuid import uuid4

import pytest

from tests.api.asserting import refused
from tests.api.sweeps.makers import Things
from tests.api.sweeps.operations import OPERATIONS, Operation, every
from tests.api.sweeps.written import Written
from tests.api.team import Member


@pytest.fixture(scope="module")
def callers(ours: Things) -> list[Member]:
    """The owner, with a session and with a key that may do everything."""
    return [ours.team.owner, ours.team.key()]


@every(lambda op: bool(op.looked_up))
def test_an_id_of_theirs_is_like_one_of_nobodys(
    ours: Things, theirs: Things, callers: list[Member], written: Written, op: Operation
) -> None:
    """Any of the ids in a path, and all of them together."""
    before = written(ours.team.workspace_id), written(theirs.team.workspace_id)
    for count in range(1, len(op.looked_up) + 1):
        for names in combinations(op.looked_up, count):
            path = ours.path(op, **{name: theirs[name] for name in names})
            nobodys = ours.path(op, **{name: str(uuid4()) for name in names})
            for somebody in callers:
                there, nowhere = (refused(ours.ask(somebody, op, path=asked), 404) for asked in (path, nobodys))
                assert there["message"] == nowhere["message"]
    assert (written(ours.team.workspace_id), written(theirs.team.workspace_id)) == before


@every(lambda op: not op.public)
def test_their_workspace_cannot_be_chosen(
    theirs: Things, callers: list[Member], written: Written, op: Operation
) -> None:
    workspace_id = str(theirs.team.workspace_id)
    choices: list[dict[str, Any]] = [
        {"headers": {"x-workspace-id": workspace_id}},
        {"headers": {"x-org-id": workspace_id}},
        {"params": {**theirs.params(op), "workspaceId": workspace_id}},
    ]
    before = written(theirs.team.workspace_id)
    for choice in choices:
        for somebody in callers:
            refused(theirs.ask(somebody, op, **choice), 403)
    assert written(theirs.team.workspace_id) == before


def test_nobody_logs_in_to_a_workspace_that_they_are_no_member_of(ours: Things, theirs: Things) -> None:
    (op,) = (op for op in OPERATIONS if op.id == "logIn")
    choice = {"x-workspace-id": str(theirs.team.workspace_id)}
    refused(ours.ask(ours.team.anonymous, op, headers=choice), 403)


@every(lambda op: op.method == "GET")
def test_no_answer_tells_of_what_is_theirs(ours: Things, theirs: Things, op: Operation) -> None:
    """Nor does one that was asked for it: by their ids where an id is taken, by their names where text is."""
    secret = {theirs.mark, *theirs.ids().values()}
    secret |= {str(theirs.team.workspace_id), str(theirs.team.owner.account_id)}
    for params in asked_for(op, theirs):
        answer = ours.ask(ours.team.owner, op, params={**ours.params(op), **params})
        if answer.is_success:
            told = {found for found in secret if found in answer.text}
            assert told == set(), (params, told)
        else:
            assert answer.status_code in (400, 404, 422), answer.text


def asked_for(op: Operation, things: Things) -> Iterator[dict[str, str]]:
    """No parameters, and each parameter with whatever could find something of theirs."""
    yield {}
    ids = list(things.ids().values())
    for parameter in op.parameters:
        if parameter["in"] == "query":
            is_list = parameter["schema"].get("type") == "array"
            is_id = "uuid" in (parameter["schema"].get("format"), parameter["schema"].get("items", {}).get("format"))
            for value in ids if is_id or is_list else [things.mark, things["tag"], *ids[:1]]:
                yield {parameter["name"]: value}


def test_what_is_searched_for_would_be_found_by_them(theirs: Things) -> None:
    """Else the sweep above would find nothing wherever it looked."""
    found = {
        op.id
        for op in OPERATIONS
        if op.method == "GET"
        for params in asked_for(op, theirs)
        if theirs.mark in theirs.ask(theirs.team.owner, op, params={**theirs.params(op), **params}).text
    }
    assert {"listContacts", "listTags", "listApiKeys", "listActivities", "readLog", "getTagsOfContacts"} <= found


@every(lambda op: op.makes and not op.public)
def test_what_they_have_can_be_made_here_too_even_under_the_same_idempotency_key(
    ours: Things, theirs: Things, op: Operation
) -> None:
    body = theirs.body(op)
    headers = {"idempotency-key": theirs.word()}
    first, second = (
        things.ask(things.team.owner, op, headers=headers, json=body | things.referred(op), path=things.path(op))
        for things in (theirs, ours)
    )
    assert first.status_code == second.status_code == 201, (first.text, second.text)
    assert first.json()["data"]["id"] != second.json()["data"]["id"]
