"""The hash of all that the log adds up to, as of any moment."""

from __future__ import annotations

import threading

import pytest

from api import log_state
from tests.api.asserting import ok, refused
from tests.api.team import Team


def state(team: Team, **params: object) -> dict[str, object]:
    found: dict[str, object] = ok(team.owner.get("/log/state", params=params))["data"]
    return found


def test_it_is_of_what_there_is_and_changes_with_it(team: Team) -> None:
    before = state(team)
    assert before["workspaceId"] == str(team.workspace_id)
    contact = team.owner.contact()
    after = state(team)
    assert after["hash"] != before["hash"]
    assert after["counts"] == {**before["counts"], "contact": 1}  # type: ignore[dict-item]
    team.owner.delete(f"/contacts/{contact['id']}")
    assert state(team)["hash"] == before["hash"]


def test_a_moment_is_a_seq_or_a_time(team: Team) -> None:
    team.owner.tag()
    now = state(team)
    at = ok(team.owner.get("/log"))["data"][-1]["recordedAt"]
    team.owner.tag()
    assert state(team, asOf=at) == state(team, asOf=now["seq"]) == now
    assert state(team)["hash"] != now["hash"]
    empty = state(team, asOf="2020-01-01T00:00:00Z")
    assert (empty["seq"], empty["hash"], empty["counts"]) == (0, "00" * 32, {})


@pytest.mark.parametrize("moment", ["soon", "1000000", "2099-01-01T00:00:00Z", "-1"])
def test_what_is_no_moment_is_refused(team: Team, moment: str) -> None:
    refused(team.owner.get("/log/state", params={"asOf": moment}), 422, "asOf")
    refused(team.owner.get("/log/state", params={"asOf": "x" * 41}), 400, "asOf")


def test_it_is_for_who_may_read_the_whole_log(team: Team) -> None:
    ok(team.member.get("/log/state"))
    ok(team.key("log:read").get("/log/state"))
    for somebody in (team.limited, team.viewer):
        refused(somebody.get("/log/state"), 403)


def test_a_longer_log_is_for_the_command_line(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    seq = state(team)["seq"]
    monkeypatch.setattr(log_state, "MAX_EVENTS", seq)
    assert state(team)["seq"] == seq
    team.owner.tag()
    refused(team.owner.get("/log/state"), 422, "asOf")


def test_one_is_worked_out_at_a_time(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_state, "_PLACES", threading.BoundedSemaphore(1))
    log_state._PLACES.acquire()
    answer = team.owner.get("/log/state")
    refused(answer, 429)
    assert answer.headers["retry-after"] == "2"
    log_state._PLACES.release()
    ok(team.owner.get("/log/state"))
