"""Object types over HTTP: kinds of thing of a workspace's own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from application import object_type as types
from eventstore.ids import new_id
from tests.api.asserting import gone, ok, refused
from tests.api.team import Team, created

DEALS = {"name": "Deals", "slug": "deals", "singularName": "Deal", "icon": "Briefcase"}


def defined(team: Team, slug: str = "projects", **more: Any) -> dict[str, Any]:
    return created(team.owner.post("/objects", {"name": slug.title(), "slug": slug, **more}))


class TestATypeOfObject:
    def test_is_made_shown_changed_and_deleted(self, team: Team) -> None:
        made = created(team.owner.post("/objects", DEALS))
        assert {name: made[name] for name in DEALS} == DEALS
        assert team.owner.listed("/objects") == [made]
        assert team.owner.shown(f"/objects/{made['id']}") == made
        changes = {"name": "Ventures", "icon": None, "singularName": "Venture"}
        changed = ok(team.owner.patch(f"/objects/{made['id']}", changes, headers={"if-match": '"1"'}))["data"]
        assert changed == {**made, **changes, "version": 2, "updatedAt": changed["updatedAt"]}
        refused(team.owner.patch(f"/objects/{made['id']}", {"name": "V"}, headers={"if-match": '"1"'}), 412)
        gone(team.owner.delete(f"/objects/{made['id']}"))
        refused(team.owner.get(f"/objects/{made['id']}"), 404, says="object type")
        assert team.owner.listed("/objects") == []

    def test_needs_a_name_and_a_slug_alone(self, team: Team) -> None:
        made = defined(team)
        assert (made["singularName"], made["icon"]) == (None, None)
        refused(team.owner.post("/objects", {"slug": "b"}), 422, "name")
        refused(team.owner.post("/objects", {"name": "B"}), 422, "slug")
        refused(team.owner.post("/objects", {"name": " ", "slug": "b c"}), 422, "name", "slug")
        refused(team.owner.post("/objects", {"name": "B", "slug": "b", "kind": "x"}), 422, "kind")

    def test_is_found_by_its_slug_too(self, team: Team) -> None:
        made = defined(team, "projects")
        assert team.owner.shown("/objects/projects") == made
        assert team.owner.shown("/objects/Projects") == made
        ok(team.owner.patch("/objects/projects", {"slug": "ventures"}))
        refused(team.owner.get("/objects/projects"), 404, says="object type")
        gone(team.owner.delete("/objects/ventures"))
        refused(team.owner.patch("/objects/ventures", {"name": "V"}), 404)
        refused(team.owner.delete("/objects/ventures"), 404)
        refused(team.owner.get(f"/objects/{new_id()}"), 404)

    def test_of_another_workspace_is_not_found_by_a_slug_that_both_have(self, team: Team, others: Team) -> None:
        ours, theirs = defined(team), defined(others)
        assert team.owner.shown("/objects/projects")["id"] == ours["id"] != theirs["id"]
        refused(team.owner.get(f"/objects/{theirs['id']}"), 404)

    def test_has_a_slug_of_its_own(self, team: Team) -> None:
        made, other = defined(team, "projects"), defined(team, "leases")
        error = refused(team.owner.post("/objects", {"name": "P", "slug": "PROJECTS"}), 409, says="slug")
        assert error["existingId"] == made["id"]
        refused(team.owner.patch(f"/objects/{other['id']}", {"slug": "projects"}), 409, says="slug")

    def test_is_made_once_by_two_at_once(self, team: Team) -> None:
        with ThreadPoolExecutor(6) as threads:
            answers = list(threads.map(lambda _: team.owner.post("/objects", DEALS).status_code, range(6)))
        assert sorted(answers) == [201, 409, 409, 409, 409, 409]

    def test_is_one_of_a_limited_number(self, team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(types, "MAX_TYPES", 1)
        defined(team)
        refused(team.owner.post("/objects", {"name": "B", "slug": "b"}), 422, says="at most 1")

    def test_is_listed_in_an_order_by_page_and_by_its_words(self, team: Team) -> None:
        made = [defined(team, slug) for slug in ("projects", "assets", "leases")]
        assert team.owner.listed("/objects") == made
        assert team.owner.listed("/objects", sort="-slug") == [made[0], made[2], made[1]]
        assert team.owner.listed("/objects", sort="name", limit=1) == [made[1]]
        assert team.owner.listed("/objects", search="lea") == [made[2]]

    def test_is_defined_by_owners_and_admins_and_seen_by_all(self, team: Team) -> None:
        created(team.admin.post("/objects", DEALS))
        for member in (team.member, team.limited, team.viewer):
            assert len(member.listed("/objects")) == 1
            refused(member.patch("/objects/deals", {"name": "Mine"}), 403)
