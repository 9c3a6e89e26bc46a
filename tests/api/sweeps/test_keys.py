"""A key does what its scopes say: who may only read changes nothing, and no scope is as good as another."""

from __future__ import annotations

import pytest

from domain.api_key import RESOURCES
from tests.api.asserting import refused
from tests.api.sweeps.makers import Things
from tests.api.sweeps.operations import OPERATIONS, Operation, every
from tests.api.sweeps.written import Written
from tests.api.team import Member


@pytest.fixture(scope="module")
def reader(ours: Things) -> Member:
    """With a key that may read everything."""
    return ours.team.key(*(f"{resource}:read" for resource in RESOURCES))


@pytest.fixture(scope="module")
def keys(ours: Things) -> dict[str, Member]:
    """By scope, somebody with a key that has every other: of the same resource only to read, where it is to write."""
    return {scope: ours.team.key(*all_but(scope)) for scope in {op.scope for op in OPERATIONS if op.scope}}


def all_but(scope: str) -> list[str]:
    resource, _, action = scope.partition(":")
    others = [f"{other}:write" for other in RESOURCES if other != resource]
    return [*others, f"{resource}:read"] if action == "write" else others


@every(lambda op: op.writes)
def test_a_key_to_read_changes_nothing(ours: Things, reader: Member, written: Written, op: Operation) -> None:
    before = written(ours.team.workspace_id)
    refused(ours.ask(reader, op), 403, says=str(op.scope))
    assert written(ours.team.workspace_id) == before


@every(lambda op: op.scope is not None)
def test_no_other_scope_will_do(ours: Things, keys: dict[str, Member], written: Written, op: Operation) -> None:
    before = written(ours.team.workspace_id)
    refused(ours.ask(keys[str(op.scope)], op), 403, says=str(op.scope))
    assert written(ours.team.workspace_id) == before
