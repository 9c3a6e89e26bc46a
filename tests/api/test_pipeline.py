"""Pipelines and their stages over HTTP: what the documents say of them, and what is added to that."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.api.asserting import gone, ok, refused
from tests.api.team import Member, Team, created

STAGES = [
    {"name": "Lead", "order": 1, "probability": 0.1},
    {"name": "Qualified", "order": 2, "probability": 0.3},
    {"name": "Proposal", "order": 3, "probability": 0.6},
    {"name": "Negotiation", "order": 4, "probability": 0.8},
    {"name": "Closed Won", "order": 5, "probability": 1.0, "type": "won"},
]


@pytest.fixture
def sales(team: Team) -> dict[str, Any]:
    return created(team.owner.post("/pipelines", {"name": "New Business", "stages": STAGES}))


def path(pipeline: dict[str, Any], stage: int | None = None) -> str:
    """Of the pipeline, or of its stage of this number."""
    below = "" if stage is None else f"/stages/{pipeline['stages'][stage]['id']}"
    return f"/pipelines/{pipeline['id']}{below}"


def order(who: Member, pipeline: dict[str, Any]) -> list[tuple[str, int]]:
    return [(stage["name"], stage["order"]) for stage in who.listed(f"{path(pipeline)}/stages")]


def add(who: Member, pipeline: dict[str, Any], stage: int, value: float = 100, **fields: Any) -> dict[str, Any]:
    """A deal in the stage of this number."""
    place = {"pipelineId": pipeline["id"], "stageId": pipeline["stages"][stage]["id"]}
    return created(who.post("/deals", {"name": "Deal", "value": value, **place, **fields}))


class TestPipelines:
    def test_one_is_created_with_its_stages_shown_changed_and_deleted(self, team: Team, sales: dict[str, Any]) -> None:
        assert (sales["name"], sales["currency"], sales["settings"], sales["stageCount"]) == (
            "New Business",
            "USD",
            {},
            5,
        )
        known = [{name: stage[name] for name in ("name", "order", "probability", "type")} for stage in sales["stages"]]
        assert known == [{"type": "open", **stage} for stage in STAGES]
        assert team.owner.shown(path(sales)) == sales
        answer = team.owner.patch(
            path(sales), {"name": "Enterprise", "settings": {"a": 1}}, headers={"if-match": '"1"'}
        )
        changed = ok(answer)["data"]
        assert (changed["name"], changed["settings"], changed["version"]) == ("Enterprise", {"a": 1}, 2)
        refused(team.owner.patch(path(sales), {"name": "A"}, headers={"if-match": '"1"'}), 412)
        gone(team.owner.delete(path(sales)))
        for gone_path in (path(sales), f"{path(sales)}/stages", path(sales, 0)):
            refused(team.owner.get(gone_path), 404)

    def test_it_may_begin_without_stages_and_stages_without_a_place_come_in_turn(self, team: Team) -> None:
        assert created(team.owner.post("/pipelines", {"name": "Bare"}))["stages"] == []
        stages = [{"name": "A"}, {"name": "B", "order": 7}, {"name": "C"}]
        made = created(team.owner.post("/pipelines", {"name": "Some", "stages": stages}))
        assert order(team.owner, made) == [("A", 1), ("B", 7), ("C", 8)]

    def test_what_is_not_acceptable_is_named(self, team: Team) -> None:
        refused(team.owner.post("/pipelines", {"name": " ", "currency": "?"}), 422, "name", "currency")
        refused(team.owner.post("/pipelines", {"stages": []}), 422, "name")
        stages = [{"name": "A", "order": 1}, {"name": " ", "order": -1, "probability": 2}]
        wrong = ["stages[1].name", "stages[1].order", "stages[1].probability"]
        refused(team.owner.post("/pipelines", {"name": "A", "stages": stages}), 422, *wrong)
        same = [{"name": "A", "order": 1}, {"name": "B", "order": 1}]
        refused(team.owner.post("/pipelines", {"name": "A", "stages": same}), 422, "stages")
        many = [{"name": "A"} for _ in range(51)]
        refused(team.owner.post("/pipelines", {"name": "A", "stages": many}), 422, "stages")
        assert team.owner.listed("/pipelines") == []

    def test_they_come_in_pages_with_stage_count_deal_count_and_total_value(
        self, team: Team, sales: dict[str, Any]
    ) -> None:
        other = created(team.owner.post("/pipelines", {"name": "Renewals"}))
        add(team.owner, sales, 0, 1000.25)
        add(team.owner, sales, 4, 500)
        add(team.owner, sales, 0, 7, currency="JPY")
        answer = ok(team.owner.get("/pipelines"))
        told = [(one["id"], one["stageCount"], one["dealCount"], one["totalValue"]) for one in answer["data"]]
        assert told == [(sales["id"], 5, 3, 1500.25), (other["id"], 0, 0, 0)]
        assert answer["meta"] == {"page": 1, "limit": 50, "total": 2, "totalPages": 1, "nextCursor": None}
        assert [one["name"] for one in team.owner.listed("/pipelines", search="RENEW")] == ["Renewals"]

    def test_its_statistics_add_up_deals_by_status_stage_and_currency(self, team: Team, sales: dict[str, Any]) -> None:
        add(team.owner, sales, 0, 1000)
        add(team.owner, sales, 2, 0.05, probability=0.5)
        add(team.owner, sales, 4, 300)
        add(team.owner, sales, 1, 200, status="lost")
        add(team.owner, sales, 1, 50, status="won")
        add(team.owner, sales, 0, 7000, currency="JPY")
        shown = team.owner.shown(path(sales))
        assert (shown["dealCount"], shown["totalValue"]) == (6, 1550.05)
        assert shown["statistics"] == {
            "open": {"dealCount": 3, "totalValue": 1000.05},
            "won": {"dealCount": 2, "totalValue": 350},
            "lost": {"dealCount": 1, "totalValue": 200},
            "weightedValue": 100.02,
            "winRate": 0.6667,
            "currencies": [
                {"currency": "USD", "dealCount": 5, "totalValue": 1550.05, "weightedValue": 100.02},
                {"currency": "JPY", "dealCount": 1, "totalValue": 7000, "weightedValue": 700},
            ],
        }
        told = [(stage["dealCount"], stage["totalValue"], stage["weightedValue"]) for stage in shown["stages"]]
        assert told == [(2, 1000, 100), (2, 250, 0), (1, 0.05, 0.02), (0, 0, 0), (1, 300, 0)]
        assert team.owner.shown(path(sales, 0)) == shown["stages"][0]

    def test_without_closed_deals_there_is_no_win_rate(self, team: Team, sales: dict[str, Any]) -> None:
        add(team.owner, sales, 0)
        assert team.owner.shown(path(sales))["statistics"]["winRate"] is None

    def test_a_limited_member_is_told_of_their_deals_alone(self, team: Team, sales: dict[str, Any]) -> None:
        add(team.owner, sales, 0, 100, assignedTo=str(team.limited.account_id))
        add(team.owner, sales, 0, 900)
        (listed,) = team.limited.listed("/pipelines")
        shown = team.limited.shown(path(sales))
        assert (listed["dealCount"], listed["totalValue"]) == (shown["dealCount"], shown["totalValue"]) == (1, 100)
        assert team.limited.shown(path(sales, 0))["dealCount"] == 1
        refused(team.limited.patch(path(sales), {"name": "Mine"}), 403)

    def test_one_that_has_deals_is_not_deleted(self, team: Team, sales: dict[str, Any]) -> None:
        deal = add(team.owner, sales, 0)
        refused(team.owner.delete(path(sales)), 409, says="deal")
        assert team.owner.shown(path(sales))["stageCount"] == 5
        gone(team.owner.delete(f"/deals/{deal['id']}"))
        gone(team.owner.delete(path(sales)))

    def test_one_of_another_workspace_is_not_there(self, others: Team, sales: dict[str, Any]) -> None:
        refused(others.owner.get(path(sales)), 404)
        refused(others.owner.get(f"{path(sales)}/stages"), 404)
        refused(others.owner.post(f"{path(sales)}/stages", {"name": "A", "order": 1}), 404)


class TestStages:
    def test_they_are_listed_by_position_without_pages(self, team: Team, sales: dict[str, Any]) -> None:
        created(team.owner.post(f"{path(sales)}/stages", {"name": "First", "order": 0}))
        answer = ok(team.owner.get(f"{path(sales)}/stages"))
        assert answer.keys() == {"data"}
        assert [stage["name"] for stage in answer["data"]] == ["First", *(stage["name"] for stage in STAGES)]

    def test_one_is_added_where_it_says_and_those_there_make_room(self, team: Team, sales: dict[str, Any]) -> None:
        added = created(team.owner.post(f"{path(sales)}/stages", {"name": "Demo", "order": 3, "probability": 0.4}))
        assert (added["order"], added["probability"], added["type"]) == (3, 0.4, "open")
        names = ["Lead", "Qualified", "Demo", "Proposal", "Negotiation", "Closed Won"]
        assert order(team.owner, sales) == list(zip(names, range(1, 7), strict=True))
        refused(team.owner.post(f"{path(sales)}/stages", {"name": "Demo"}), 422, "order")
        refused(
            team.owner.post(f"{path(sales)}/stages", {"name": "D", "order": 1, "probability": 2}), 422, "probability"
        )

    @pytest.mark.parametrize(
        ("moved", "to", "names"),
        [
            (4, 1, ["Closed Won", "Lead", "Qualified", "Proposal", "Negotiation"]),
            (0, 5, ["Qualified", "Proposal", "Negotiation", "Closed Won", "Lead"]),
            (1, 3, ["Lead", "Proposal", "Qualified", "Negotiation", "Closed Won"]),
            (2, 3, [stage["name"] for stage in STAGES]),
        ],
    )
    def test_one_is_moved_and_the_others_close_up(
        self, team: Team, sales: dict[str, Any], moved: int, to: int, names: list[str]
    ) -> None:
        assert ok(team.owner.patch(path(sales, moved), {"order": to}))["data"]["order"] == to
        assert order(team.owner, sales) == list(zip(names, range(1, 6), strict=True))

    def test_stages_added_at_one_place_at_the_same_time_each_get_their_own(
        self, team: Team, sales: dict[str, Any]
    ) -> None:
        def add_one(number: int) -> int:
            answer = team.owner.post(f"{path(sales)}/stages", {"name": f"New {number}", "order": 2})
            return answer.status_code

        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(add_one, range(16))) == {201}
        assert [place for _, place in order(team.owner, sales)] == list(range(1, 22))

    def test_a_pipeline_has_at_most_fifty(self, team: Team) -> None:
        stages = [{"name": f"Stage {number}"} for number in range(50)]
        full = created(team.owner.post("/pipelines", {"name": "Full", "stages": stages}))
        refused(team.owner.post(f"{path(full)}/stages", {"name": "One more", "order": 51}), 409)

    def test_one_is_shown_and_changed(self, team: Team, sales: dict[str, Any]) -> None:
        changed = ok(team.owner.patch(path(sales, 2), {"name": "Offer", "probability": 0.5}))["data"]
        assert (changed["name"], changed["order"], changed["probability"]) == ("Offer", 3, 0.5)
        assert team.owner.shown(path(sales, 2)) == {**changed, "dealCount": 0, "totalValue": 0, "weightedValue": 0}
        refused(team.owner.patch(path(sales, 2), {"probability": None}), 422, "probability")

    def test_one_of_another_pipeline_is_not_there(self, team: Team, sales: dict[str, Any]) -> None:
        other = created(team.owner.post("/pipelines", {"name": "Other", "stages": [{"name": "A"}]}))
        foreign = f"{path(other)}/stages/{sales['stages'][0]['id']}"
        refused(team.owner.get(foreign), 404, says="stage")
        refused(team.owner.patch(foreign, {"name": "B"}), 404, says="stage")
        refused(team.owner.delete(foreign), 404, says="stage")

    def test_one_that_holds_deals_is_not_deleted(self, team: Team, sales: dict[str, Any]) -> None:
        deal = add(team.owner, sales, 1)
        refused(team.owner.delete(path(sales, 1)), 409, says="deal")
        ok(team.owner.patch(f"/deals/{deal['id']}", {"stageId": sales["stages"][0]["id"]}))
        gone(team.owner.delete(path(sales, 1)))
        assert [place for _, place in order(team.owner, sales)] == [1, 3, 4, 5]

    def test_the_type_of_one_that_holds_deals_stays(self, team: Team, sales: dict[str, Any]) -> None:
        deal = add(team.owner, sales, 1)
        refused(team.owner.patch(path(sales, 1), {"type": "lost"}), 409, says="deals")
        ok(team.owner.patch(path(sales, 1), {"type": "open", "name": "Still open"}))
        gone(team.owner.delete(f"/deals/{deal['id']}"))
        assert ok(team.owner.patch(path(sales, 1), {"type": "lost"}))["data"]["type"] == "lost"
        assert add(team.owner, sales, 1)["status"] == "lost"
