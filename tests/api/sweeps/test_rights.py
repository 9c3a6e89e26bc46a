"""What the table of rights says is what every operation does: for each role, and for keys with each scope alone."""

from __future__ import annotations

from uuid import uuid4

import pytest

from application.calling.rights import RIGHTS, Standing
from domain.api_key import RESOURCES
from tests.api.sweeps.makers import Things
from tests.api.sweeps.operations import Operation, every
from tests.api.team import Member, Team

SCOPES = [f"{resource}:{action}" for resource in RESOURCES for action in ("read", "write")]

TELLS_ALL = {"readLog", "getLogState", "proveLogEntry"}
"""Beyond the table: the entries of the log tell of everything, so they are not for who sees only what is theirs."""


@pytest.fixture(scope="module")
def members(ours: Things) -> dict[Standing, Member]:
    return {
        "owner": ours.team.join("owner"),
        "admin": ours.team.join("admin"),
        "member": ours.team.join("member"),
        "limited": ours.team.join("member", assigned_only=True),
        "viewer": ours.team.join("viewer"),
    }


@pytest.fixture(scope="module")
def keys(ours: Things) -> dict[str, Member]:
    """The owner's keys, by the one scope that each has."""
    return {scope: ours.team.key(scope) for scope in (*SCOPES, "*", "admin")}


def let_in(ours: Things, who: Member, op: Operation) -> bool:
    """Whether the operation is begun, on ids of nothing: then what its path names is not found, and all stays as it was."""
    answer = ours.ask(who, op, path=ours.path(op, **{name: str(uuid4()) for name in op.in_path}))
    assert answer.status_code in (403, 404) or not op.looked_up, answer.text
    assert answer.status_code != 401
    return answer.status_code != 403


def test_the_table_has_every_resource() -> None:
    assert RIGHTS.keys() == set(RESOURCES)


@every(lambda op: op.scope is not None)
def test_each_role_may_what_the_table_says(ours: Things, members: dict[Standing, Member], op: Operation) -> None:
    resource, _, action = str(op.scope).partition(":")
    for standing, member in members.items():
        may = RIGHTS[resource][standing] in ("write", action) and not (standing == "limited" and op.id in TELLS_ALL)
        for who in (member, ours.team.key(of=member)):
            assert let_in(ours, who, op) == may, standing


@every(lambda op: op.scope is not None)
def test_a_key_may_what_its_one_scope_says(ours: Things, keys: dict[str, Member], op: Operation) -> None:
    resource, _, _ = str(op.scope).partition(":")
    for scope, key in keys.items():
        may = scope in (op.scope, f"{resource}:write", "*", "admin")
        assert let_in(ours, key, op) == may, scope


@every(lambda op: op.scope is None and not op.public)
def test_what_takes_no_scope_is_for_everybody_who_is_somebody(team: Team, op: Operation) -> None:
    for member in (team.owner, team.member, team.limited, team.viewer):
        assert member.ask(op.method, op.path).is_success


def test_nobody_may_more_than_who_stands_above_them() -> None:
    order = ("none", "read", "write")
    pairs: list[tuple[Standing, Standing]] = [
        ("owner", "admin"),
        ("admin", "member"),
        ("member", "limited"),
        ("member", "viewer"),
    ]
    for resource, rights in RIGHTS.items():
        for above, below in pairs:
            assert order.index(rights[above]) >= order.index(rights[below]), (resource, above, below)


def test_a_viewer_writes_nothing_and_only_admins_change_what_is_the_workspaces() -> None:
    assert {rights["viewer"] for rights in RIGHTS.values()} == {"read", "none"}
    for resource in ("webhooks", "workspace", "log"):
        assert (RIGHTS[resource]["admin"], RIGHTS[resource]["member"]) == ("write", "read")
    for resource in ("api-keys", "outbox"):
        assert (RIGHTS[resource]["admin"], RIGHTS[resource]["member"]) == ("write", "none")


def test_where_events_are_sent_is_for_those_who_may_see_all_that_is_sent() -> None:
    assert {who for who, right in RIGHTS["webhooks"].items() if right == "none"} == {"limited", "viewer"}
