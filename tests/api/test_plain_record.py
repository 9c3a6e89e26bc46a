"""A record without rules of its own: its five operations say what they are called, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID, uuid4

import httpx
import pytest
from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import FromPath, RequestBody

import api.app
from api.http.answers import Json
from api.http.ask import Act, Ask, Change
from api.http.routes import delete, get, patch, post
from application.calling.services import Services
from domain.tag import TAG, CreateTag, DeleteTag, UpdateTag
from projections import tag as rows
from projections.tag_row import TAGS
from schemas.tag import TagView
from schemas.wire.page import One, Page, PageRequest
from tests.api.asserting import gone, ok, refused
from tests.api.serving import serving
from tests.api.team import Team


class LabelController(Controller):
    """Tags by another name, as plain as they come."""

    path = "/labels"

    @get(operation_id="listLabels", summary="List labels", scope="tags:read")
    def list_labels(self, ask: NamedDependency[Ask], wanted: NamedDependency[PageRequest]) -> Json[Page[TagView]]:
        return ask.many(rows.LISTING, wanted, rows.views)

    @post(operation_id="createLabel", summary="Create a label", scope="tags:write")
    def create_label(self, act: NamedDependency[Act], data: RequestBody[CreateTag]) -> Json[One[TagView]]:
        return act.begin(TAG, data, rows.views)

    @get("/{label_id:uuid}", operation_id="getLabel", summary="Get one label", scope="tags:read")
    def get_label(self, ask: NamedDependency[Ask], label_id: FromPath[UUID]) -> Json[One[TagView]]:
        return ask.one(TAGS, label_id, rows.views)

    @patch("/{label_id:uuid}", operation_id="updateLabel", summary="Change a label", scope="tags:write")
    def update_label(
        self, change: NamedDependency[Change], label_id: FromPath[UUID], data: RequestBody[UpdateTag]
    ) -> Json[One[TagView]]:
        return change.execute(TAG, label_id, data, rows.views)

    @delete("/{label_id:uuid}", operation_id="deleteLabel", summary="Delete a label", scope="tags:write")
    def delete_label(self, change: NamedDependency[Change], label_id: FromPath[UUID]) -> Json[None]:
        return change.end(TAG, label_id, DeleteTag())


@pytest.fixture(scope="module")
def http(services: Services) -> Iterator[httpx.Client]:
    """A client of an API that has labels too."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(api.app, "CONTROLLERS", (*api.app.CONTROLLERS, LabelController))
        with serving(services) as url, httpx.Client(base_url=url, timeout=60) as client:
            yield client


def test_it_is_created_shown_listed_changed_and_deleted(team: Team) -> None:
    made = team.owner.post("/labels/", {"name": "A"})
    label = ok(made, 201)["data"]
    path = f"/labels/{label['id']}"
    assert (made.headers["location"], made.headers["etag"]) == (f"/api/v1{path}", '"1"')
    changed = team.owner.patch(path, {"name": "B"}, headers={"if-match": made.headers["etag"]})
    assert (ok(changed)["data"]["name"], changed.headers["etag"]) == ("B", '"2"')
    shown = team.owner.get(path)
    assert (shown.json(), shown.headers["etag"]) == (changed.json(), '"2"')
    assert team.owner.listed("/labels") == [ok(shown)["data"]]
    gone(team.owner.delete(path))
    assert team.owner.listed("/labels") == []


def test_what_has_changed_since_is_not_changed_or_deleted(team: Team) -> None:
    path = f"/labels/{ok(team.owner.post('/labels', {'name': 'A'}), 201)['data']['id']}"
    stale = {"if-match": '"2"'}
    refused(team.owner.patch(path, {"name": "B"}, headers=stale), 412)
    refused(team.owner.delete(path, headers=stale), 412)
    assert team.owner.shown(path)["name"] == "A"


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("PATCH", {"name": "B"}), ("DELETE", None)])
def test_what_is_not_there_is_not_found(team: Team, method: str, body: dict[str, str] | None) -> None:
    refused(team.owner.ask(method, f"/labels/{uuid4()}", json=body), 404, says="tag")


def test_a_command_is_done_once_under_its_idempotency_key(team: Team) -> None:
    asked = [team.owner.post("/labels", {"name": "A"}, headers={"idempotency-key": "k"}) for _ in range(2)]
    assert asked[0].json() == asked[1].json()
    refused(team.owner.post("/labels", {"name": "B"}, headers={"idempotency-key": "k"}), 422, "Idempotency-Key")
    gone(team.owner.delete(f"/labels/{asked[0].json()['data']['id']}", headers={"idempotency-key": "d"}))
    refused(team.owner.delete(f"/labels/{uuid4()}", headers={"idempotency-key": "d"}), 422, "Idempotency-Key")


def test_who_may_only_read_changes_nothing(team: Team) -> None:
    refused(team.viewer.post("/labels", {"name": "A"}), 403, says="tags:write")
    assert team.viewer.listed("/labels") == []
