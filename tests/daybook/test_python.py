"""The program in docs/python.md, run as it stands beside a Daybook that serves."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from daybook.embedded import EmbeddedPostgres
from tests.daybook.serving import Served
from tests.receiver import receiving
from tests.workers.running import eventually

PAGE = Path(__file__).parent.parent.parent / "docs" / "python.md"


@pytest.fixture(scope="module")
def contact_id(served: Served) -> UUID:
    return UUID(served.request("POST", "/contacts", json={"firstName": "Ada"}).json()["data"]["id"])


@pytest.fixture(scope="module")
def program(served: Served, contact_id: UUID) -> Iterator[Any]:
    """The page's blocks as one module."""
    path = served.folder / "program.py"
    path.write_text("\n".join(re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)))
    spec = spec_from_file_location("program", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", EmbeddedPostgres(served.folder / "data").url(user="daybook_app"))
        patch.setenv("WORKSPACE_ID", served.credentials["workspaceId"])
        patch.setitem(sys.modules, "program", module)
        spec.loader.exec_module(module)
        yield module
    module.pool.close()


def test_reads_the_log_in_order(program: Any, contact_id: UUID) -> None:
    found = program.recorder.select_notifications(start=1, limit=100)
    assert [notification.id for notification in found] == list(range(1, len(found) + 1))
    assert [notification.topic for notification in found if notification.originator_id == contact_id] == [
        "contact.created"
    ]


def test_folds_one_thing(program: Any, contact_id: UUID) -> None:
    assert program.contact_of(contact_id).first_name == "Ada"


def test_appends_an_event_of_its_own_which_goes_where_all_events_go(
    program: Any, served: Served, contact_id: UUID
) -> None:
    with receiving() as receiver:
        endpoint = receiver.endpoint()
        hook = {"url": endpoint.url, "events": ["*"]}
        assert served.request("POST", "/webhooks", json=hook).status_code == 201
        visit_id = program.log_visit(contact_id, "/pricing")
        eventually(lambda: "acme:visit.logged" in endpoint.types)
    told = served.request("GET", "/activities").json()["data"][0]
    assert (told["event"], told["entityType"], told["entityId"]) == ("acme:visit.logged", "acme:visit", str(visit_id))
    (entry,) = [one for one in served.request("GET", "/log").json()["data"] if one["stream"]["id"] == str(visit_id)]
    assert entry["data"] == {"contactId": str(contact_id), "page": "/pricing"}
    assert entry["meta"]["requestId"] == "nightly"
    assert served.run("verify").returncode == 0


def test_follows_the_log_from_where_it_was(program: Any, contact_id: UUID) -> None:
    before = program.recorder.max_notification_id()
    program.log_visit(contact_id, "/about")
    seen: list[Any] = []

    def handle(found: Any) -> str:
        seen.append(found)
        return "stop"

    program.follow(before, handle)
    assert [(found.id, found.topic) for found in seen] == [(before + 1, "acme:visit.logged")]


def test_cannot_change_what_commands_decide(program: Any, served: Served, contact_id: UUID) -> None:
    assert "decided by commands" in program.delete_behind_its_back(contact_id)
    assert served.request("GET", f"/contacts/{contact_id}").status_code == 200
    assert program.contact_of(contact_id) is not None
