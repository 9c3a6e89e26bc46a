"""Who does not say who they are learns nothing and changes nothing, unless an operation is for everybody."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.api.asserting import refused
from tests.api.sweeps.makers import Things
from tests.api.sweeps.operations import OPERATIONS, Operation, every
from tests.api.sweeps.written import Written
from tests.api.team import Member


@pytest.fixture(scope="module")
def strangers(ours: Things) -> list[Member]:
    """Without a token, with one that was never given out, and with a key that was revoked."""
    revoked = ours.team.key()
    (key_id,) = (found["id"] for found in ours.team.owner.listed("/api-keys") if found["name"] == "key")
    assert ours.team.owner.delete(f"/api-keys/{key_id}").is_success
    return [ours.team.anonymous, replace(ours.team.owner, token="no such token"), revoked]


@every(lambda op: not op.public)
def test_nobody_is_let_in_without_a_valid_token(
    ours: Things, strangers: list[Member], written: Written, op: Operation
) -> None:
    before = written(ours.team.workspace_id)
    for stranger in strangers:
        answer = ours.ask(stranger, op)
        refused(answer, 401)
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert written(ours.team.workspace_id) == before


def test_only_registering_logging_in_and_accepting_an_invitation_are_for_everybody() -> None:
    paths = {op.path for op in OPERATIONS if op.public}
    assert paths == {"/auth/register", "/auth/login", "/auth/accept-invitation"}
