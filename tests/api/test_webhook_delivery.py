"""Deliveries of webhooks over HTTP: looked at, and sent again."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from daybook.embedded import EmbeddedPostgres
from eventstore.database import Db
from tests.api.asserting import gone, ok, refused
from tests.api.team import Team, created
from tests.workers.hooks import Expanding
from workers.running.context import async_pool

HOOK = {"url": "https://hooks.example.com/daybook", "events": ["contact.*", "tag.created"]}


class Deliveries:
    """A webhook of the team's, and what became of its deliveries, as workers would write it."""

    def __init__(self, team: Team, owner: Db, worker_url: str) -> None:
        self.team = team
        self.owner = owner
        self.worker_url = worker_url
        self.id = created(team.owner.post("/webhooks", HOOK))["id"]
        self.path = f"/webhooks/{self.id}"

    def expand(self) -> None:
        async def work() -> None:
            async with async_pool(self.worker_url) as pool:
                await Expanding(pool).expand(self.team.workspace_id)

        asyncio.run(work())

    def make(self, *statuses: str) -> list[dict[str, Any]]:
        """A contact for each of these, whose delivery came to that; newest last."""
        for _ in statuses:
            self.team.owner.contact()
        self.expand()
        found = self.listed(limit=len(statuses))[::-1]
        for delivery, status in zip(found, statuses, strict=True):
            self.owner.execute(
                "UPDATE webhook_deliveries SET status = %s, attempts = 2, tries = 2, last_status = 500,"
                " completed_at = CASE WHEN %s <> 'pending' THEN now() END WHERE id = %s",
                (status, status, delivery["id"]),
            )
            for attempt in (1, 2):
                self.owner.execute(
                    "INSERT INTO webhook_attempts VALUES (%s, %s, %s, now(), 7, 500, 'The receiver answered 500.', 'no')",
                    (self.team.workspace_id, delivery["id"], attempt),
                )
        return self.listed(limit=len(statuses))[::-1]

    def listed(self, **params: Any) -> list[dict[str, Any]]:
        return self.team.owner.listed(f"{self.path}/deliveries", **params)

    def statuses(self) -> list[str]:
        """Oldest first."""
        return [delivery["status"] for delivery in self.listed()[::-1]]


@pytest.fixture
def deliveries(team: Team, owner: Db, postgres: EmbeddedPostgres) -> Deliveries:
    return Deliveries(team, owner, postgres.url(user="daybook_worker"))


class TestLooking:
    def test_one_says_which_event_it_is_of_and_how_far_it_came(self, team: Team, deliveries: Deliveries) -> None:
        (delivery,) = deliveries.make("pending")
        entry = ok(team.owner.get("/log?limit=1000"))["data"][-1]
        assert delivery == {
            "id": delivery["id"],
            "webhookId": deliveries.id,
            "eventId": entry["id"],
            "eventType": "contact.created",
            "seq": entry["seq"],
            "status": "pending",
            "attemptCount": 2,
            "lastStatus": 500,
            "lastError": None,
            "lastAttemptAt": None,
            "nextAttemptAt": delivery["createdAt"],
            "createdAt": delivery["createdAt"],
            "completedAt": None,
        }

    def test_one_that_is_completed_has_no_next_attempt(self, deliveries: Deliveries) -> None:
        (delivery,) = deliveries.make("failed")
        assert delivery["nextAttemptAt"] is None
        assert delivery["completedAt"] is not None

    def test_its_attempts_come_with_it_the_latest_first(self, team: Team, deliveries: Deliveries) -> None:
        (delivery,) = deliveries.make("failed")
        shown = team.owner.shown(f"{deliveries.path}/deliveries/{delivery['id']}")
        attempts = shown.pop("attempts")
        assert shown == delivery
        assert [attempt["attempt"] for attempt in attempts] == [2, 1]
        assert attempts[0] == {
            "attempt": 2,
            "startedAt": attempts[0]["startedAt"],
            "durationMs": 7,
            "statusCode": 500,
            "error": "The receiver answered 500.",
            "responseExcerpt": "no",
        }

    def test_the_webhook_shows_its_latest(self, team: Team, deliveries: Deliveries) -> None:
        deliveries.make(*["succeeded"] * 22)
        assert team.owner.shown(deliveries.path)["deliveries"] == deliveries.listed(limit=20)

    def test_they_are_filtered_by_status_and_event(self, team: Team, deliveries: Deliveries) -> None:
        deliveries.make("failed", "succeeded", "failed", "cancelled", "pending")
        team.owner.tag("A")
        deliveries.expand()
        assert [found["status"] for found in deliveries.listed(status="failed")] == ["failed"] * 2
        assert [found["eventType"] for found in deliveries.listed(eventType="tag.created")] == ["tag.created"]
        assert deliveries.listed(eventType="tag.created", status="failed") == []
        refused(team.owner.get(f"{deliveries.path}/deliveries?status=lost"), 400, "status")

    def test_they_come_newest_first_by_page_or_cursor_or_the_other_way_round(
        self, team: Team, deliveries: Deliveries
    ) -> None:
        made = [delivery["id"] for delivery in deliveries.make(*["succeeded"] * 5)]
        path = f"{deliveries.path}/deliveries"
        first = ok(team.owner.get(f"{path}?limit=2"))
        assert [found["id"] for found in first["data"]] == made[:2:-1]
        assert first["meta"] == {
            "page": 1, "limit": 2, "total": 5, "totalPages": 3, "nextCursor": first["meta"]["nextCursor"],
        }  # fmt: skip
        second = ok(team.owner.get(f"{path}?limit=2&cursor={first['meta']['nextCursor']}"))
        assert second["data"] == ok(team.owner.get(f"{path}?limit=2&page=2"))["data"]
        assert [found["id"] for found in second["data"]] == made[2:0:-1]
        last = ok(team.owner.get(f"{path}?limit=2&cursor={second['meta']['nextCursor']}"))
        assert last["meta"]["nextCursor"] is None
        up = ok(team.owner.get(f"{path}?sort=createdAt&limit=3"))
        assert [found["id"] for found in up["data"]] == made[:3]
        up = ok(team.owner.get(f"{path}?sort=createdAt&limit=3&cursor={up['meta']['nextCursor']}"))
        assert [found["id"] for found in up["data"]] == made[3:]
        refused(team.owner.get(f"{path}?cursor=x"), 400, says="cursor")
        refused(team.owner.get(f"{path}?sort=status"), 422, "sort")

    def test_one_of_another_webhook_is_not_found(self, team: Team, deliveries: Deliveries) -> None:
        (delivery,) = deliveries.make("failed")
        other = created(team.owner.post("/webhooks", HOOK))["id"]
        refused(team.owner.get(f"/webhooks/{other}/deliveries/{delivery['id']}"), 404)
        refused(team.owner.post(f"/webhooks/{other}/deliveries/{delivery['id']}/replay"), 404)
        refused(team.owner.get(f"{deliveries.path}/deliveries/{uuid4()}"), 404)


class TestReplaying:
    @pytest.mark.parametrize("status", ["failed", "succeeded", "cancelled", "pending"])
    def test_one_is_due_at_once_whatever_became_of_it(self, team: Team, deliveries: Deliveries, status: str) -> None:
        (delivery,) = deliveries.make(status)
        answer = team.owner.post(f"{deliveries.path}/deliveries/{delivery['id']}/replay")
        again = ok(answer, 202)["data"]
        assert (again["id"], again["status"], again["completedAt"]) == (delivery["id"], "pending", None)
        assert again["attemptCount"] == 2
        assert again["nextAttemptAt"] > delivery["createdAt"]
        row = "SELECT tries, lease FROM webhook_deliveries WHERE id = %s"
        assert deliveries.owner.execute(row, (delivery["id"],)).fetchone() == (0, None)

    def test_a_lease_on_one_that_is_on_its_way_is_kept(self, team: Team, deliveries: Deliveries) -> None:
        (delivery,) = deliveries.make("pending")
        row = "SELECT lease, leased_until FROM webhook_deliveries WHERE id = %s"
        deliveries.owner.execute(
            "UPDATE webhook_deliveries SET lease = %s, leased_until = now() + interval '9 seconds' WHERE id = %s",
            (uuid4(), delivery["id"]),
        )
        before = deliveries.owner.execute(row, (delivery["id"],)).fetchone()
        ok(team.owner.post(f"{deliveries.path}/deliveries/{delivery['id']}/replay"), 202)
        assert deliveries.owner.execute(row, (delivery["id"],)).fetchone() == before

    def test_all_of_a_status_are_due_at_once(self, team: Team, deliveries: Deliveries) -> None:
        deliveries.make("failed", "succeeded", "failed", "cancelled", "pending")
        assert ok(team.owner.post(f"{deliveries.path}/replay", {"status": "failed"}), 202) == {"data": {"replayed": 2}}
        assert deliveries.statuses() == ["pending", "succeeded", "pending", "cancelled", "pending"]

    def test_all_of_a_time_are_due_at_once_but_not_those_that_are_anyway(
        self, team: Team, deliveries: Deliveries
    ) -> None:
        made = deliveries.make("failed", "succeeded", "pending", "succeeded")
        for hours, delivery in zip((4, 3, 2, 1), made, strict=True):
            deliveries.owner.execute(
                "UPDATE webhook_deliveries SET created_at = now() - make_interval(hours => %s) WHERE id = %s",
                (hours, delivery["id"]),
            )
        now = datetime.now(UTC)
        wanted = {
            "since": (now - timedelta(hours=3.5)).isoformat(),
            "until": (now - timedelta(hours=0.5)).isoformat(),
        }
        assert ok(team.owner.post(f"{deliveries.path}/replay", wanted), 202)["data"] == {"replayed": 2}
        assert deliveries.statuses() == ["failed", "pending", "pending", "pending"]
        late = {"since": now.isoformat()}
        assert ok(team.owner.post(f"{deliveries.path}/replay", late), 202)["data"] == {"replayed": 0}

    def test_a_repeated_request_replays_once(self, team: Team, deliveries: Deliveries) -> None:
        deliveries.make("failed", "failed")
        headers = {"idempotency-key": "once"}
        for _ in range(2):
            answer = team.owner.post(f"{deliveries.path}/replay", {"status": "failed"}, headers=headers)
            assert ok(answer, 202)["data"] == {"replayed": 2}

    def test_what_to_replay_must_be_said_and_understood(self, team: Team, deliveries: Deliveries) -> None:
        path = f"{deliveries.path}/replay"
        refused(team.owner.post(path, {}), 422, "since", says="must be given")
        refused(team.owner.post(path, {"status": "pending"}), 422, "status")
        refused(team.owner.post(path, {"since": "yesterday"}), 422, "since")
        refused(
            team.owner.post(path, {"since": "2026-03-15T00:00:00", "until": "2026-03-16T00:00:00"}),
            422,
            "since",
            "until",
        )
        refused(team.owner.post(path, {"from": "2026-03-15T00:00:00Z"}), 422, "from")

    def test_a_webhook_that_is_switched_off_replays_nothing(self, team: Team, deliveries: Deliveries) -> None:
        (delivery,) = deliveries.make("failed")
        ok(team.owner.patch(deliveries.path, {"active": False}))
        refused(team.owner.post(f"{deliveries.path}/replay", {"status": "failed"}), 409, says="switched off")
        refused(team.owner.post(f"{deliveries.path}/deliveries/{delivery['id']}/replay"), 409)
        assert deliveries.statuses() == ["failed"]


class TestCancelling:
    def test_switching_off_cancels_what_is_pending(self, team: Team, deliveries: Deliveries) -> None:
        deliveries.make("pending", "succeeded", "pending")
        ok(team.owner.patch(deliveries.path, {"active": False}))
        assert deliveries.statuses() == ["cancelled", "succeeded", "cancelled"]
        ok(team.owner.patch(deliveries.path, {"active": True}))
        assert ok(team.owner.post(f"{deliveries.path}/replay", {"status": "cancelled"}), 202)["data"]["replayed"] == 2

    def test_other_changes_do_not(self, team: Team, deliveries: Deliveries) -> None:
        deliveries.make("pending")
        ok(team.owner.patch(deliveries.path, {"events": ["*"], "url": "https://other.example.com/"}))
        assert deliveries.statuses() == ["pending"]

    def test_deleting_does(self, team: Team, deliveries: Deliveries, owner: Db) -> None:
        (delivery,) = deliveries.make("pending")
        gone(team.owner.delete(deliveries.path))
        row = owner.execute("SELECT status FROM webhook_deliveries WHERE id = %s", (delivery["id"],)).fetchone()
        assert row == ("cancelled",)
        refused(team.owner.get(f"{deliveries.path}/deliveries"), 404)
