"""Times in bodies and parameters, wherever there are any: with any offset, without seconds, or as a date."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.api.asserting import ok, refused
from tests.api.team import Team, created
from tests.api.test_custom_field import define

Given = Callable[[Team, str], tuple[str, dict[str, Any]]]

DOORS: dict[str, Given] = {
    "dueDate": lambda _, at: ("/tasks", {"title": "A", "dueDate": at}),
    "startedAt": lambda team, at: (
        "/calls",
        {"contactId": team.owner.contact()["id"], "direction": "inbound", "status": "missed", "startedAt": at},
    ),
    "occurredAt": lambda team, at: (
        f"/contacts/{team.owner.contact()['id']}/interactions",
        {"type": "meeting", "occurredAt": at},
    ),
    "expiresAt": lambda _, at: ("/api-keys", {"name": "A", "expiresAt": at}),
}
"""By field, what is posted where, with a time."""
READ = {
    "2126-03-15T10:30:00Z": "2126-03-15T10:30:00Z",
    "2126-03-15T10:30Z": "2126-03-15T10:30:00Z",
    "2126-03-15T11:30+01:00": "2126-03-15T10:30:00Z",
    "2126-03-15T11:30:00.5+0100": "2126-03-15T10:30:00.500000Z",
    "2126-03-15": "2126-03-15T00:00:00Z",
}


@pytest.mark.parametrize("field", DOORS)
def test_a_time_is_taken_in_every_documented_form_and_answered_in_one(team: Team, field: str) -> None:
    for written, shown in READ.items():
        assert created(team.owner.post(*DOORS[field](team, written)))[field] == shown


@pytest.mark.parametrize("field", DOORS)
def test_a_time_without_its_zone_is_refused_under_its_name(team: Team, field: str) -> None:
    for written in ("2126-03-15T10:30:00", "2126-03-15T10:30"):
        refused(team.owner.post(*DOORS[field](team, written)), 422, field, says="must have a time zone")
    for wrong in ("soon", "2126-02-30", "2126-03-15T25:00Z"):
        refused(team.owner.post(*DOORS[field](team, wrong)), 422, field, says="must be a date or time, such as")
    refused(team.owner.post(*DOORS[field](team, "")), 422, field)


def test_all_that_is_wrong_beside_a_time_is_told_and_nothing_of_the_time(team: Team) -> None:
    body = {"title": 1, "dueDate": "2126-03-15", "priority": "urgent", "planet": "Mars"}
    refused(team.owner.post("/tasks", body), 422, "planet", "title", "priority")


def test_a_change_takes_them_too(team: Team) -> None:
    task = created(team.owner.post("/tasks", {"title": "A"}))
    changed = ok(team.owner.patch(f"/tasks/{task['id']}", {"dueDate": "2126-03-15T10:30Z"}))["data"]
    assert changed["dueDate"] == "2126-03-15T10:30:00Z"


def test_a_custom_field_takes_them_and_keeps_them_in_utc(team: Team) -> None:
    define(team, key="met", type="datetime")
    for written, kept in READ.items():
        contact = team.owner.contact(customFields={"met": written})
        assert contact["customFields"]["met"] == kept
    refused(team.owner.post("/contacts", {"firstName": "A", "customFields": {"met": "2026-03-15T10:30"}}), 422)


def test_a_filter_takes_them(team: Team) -> None:
    for day in ("14", "15", "16"):
        created(team.owner.post("/tasks", {"title": day, "dueDate": f"2126-03-{day}T11:00Z"}))
    for before in ("2126-03-15T10:59Z", "2126-03-15T11:59+01:00", "2126-03-15"):
        assert [task["title"] for task in team.owner.listed("/tasks", due_before=before)] == ["14"]
    refused(team.owner.get("/tasks", params={"due_before": "2126-03-15T10:59"}), 400, "due_before", says="time zone")
