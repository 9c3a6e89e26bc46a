"""The dashboard over HTTP; what a worker does is done here by the view's own consumer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.http import fresh
from eventstore.database import reading
from projections.dashboard_series import series
from projections.dashboard_statistics import statistics
from schemas.dashboard import DashboardSeries, DashboardStatistics, Period
from tests.api.asserting import gone, ok, refused
from tests.api.conftest import Keep
from tests.api.team import Member, Team, created

DAY = timedelta(days=1)


def stats(member: Member, **params: Any) -> dict[str, Any]:
    found: dict[str, Any] = ok(member.get("/dashboard/stats", params=params))
    return found


def days(member: Member, **params: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ok(member.get("/dashboard/series", params=params))["days"]
    return found


def later(team: Team, by: timedelta, period: Period = "30d") -> DashboardStatistics:
    """What the owner is told when that much time has passed."""
    with reading(team.services.pool, team.workspace_id) as conn:
        return statistics(conn, period, None, datetime.now(UTC) + by)


def series_later(team: Team, by: timedelta, period: Period = "7d") -> DashboardSeries:
    with reading(team.services.pool, team.workspace_id) as conn:
        return series(conn, period, None, datetime.now(UTC) + by)


@pytest.fixture
def stages(team: Team) -> dict[str, str]:
    """The ids of an open stage, one for won deals and one for lost ones, with their pipeline's."""
    kinds = ("open", "won", "lost")
    body = {"name": "Sales", "stages": [{"name": kind, "type": kind} for kind in kinds]}
    pipeline = created(team.owner.post("/pipelines", body))
    return {"pipeline": pipeline["id"], **{stage["type"]: stage["id"] for stage in pipeline["stages"]}}


def deal(member: Member, stages: dict[str, str], stage: str = "open", **fields: Any) -> dict[str, Any]:
    place = {"pipelineId": stages["pipeline"], "stageId": stages[stage]}
    return created(member.post("/deals", {"name": "A deal", "value": 100, "currency": "USD", **place, **fields}))


class TestAWorkspaceWithNothingInIt:
    def test_is_told_of_noughts_without_an_envelope(self, team: Team, keep: Keep) -> None:
        keep(team)
        assert stats(team.owner) == {
            "contacts": {"total": 0, "new": 0, "trend": 0},
            "deals": {
                "open": 0,
                "currency": None,
                "totalValue": 0,
                "wonThisPeriod": 0,
                "wonValue": 0,
                "winRate": 0,
                "currencies": [],
            },
            "tasks": {"pending": 0, "overdue": 0, "completedThisPeriod": 0},
            "messages": {"sent": 0, "received": 0, "responseRate": 0},
            "period": "30d",
        }


class TestPeriods:
    @pytest.mark.parametrize("period", ["7d", "30d", "90d", "ytd"])
    def test_the_one_asked_for_is_echoed(self, team: Team, period: str) -> None:
        assert stats(team.owner, period=period)["period"] == period
        assert ok(team.owner.get("/dashboard/series", params={"period": period}))["period"] == period

    @pytest.mark.parametrize("period", ["1d", "30", "", "YTD"])
    def test_another_is_refused_by_name(self, team: Team, period: str) -> None:
        for path in ("/dashboard/stats", "/dashboard/series"):
            refused(team.owner.get(path, params={"period": period}), 400, "period")

    def test_days_are_so_many_and_the_last_is_today(self, team: Team) -> None:
        today = datetime.now(UTC).date()
        for period, count in (("7d", 7), ("30d", 30), ("90d", 90), ("ytd", today.timetuple().tm_yday)):
            found = [day["day"] for day in days(team.owner, period=period)]
            assert found == [str(today - number * DAY) for number in reversed(range(count))]

    def test_what_is_older_than_the_period_is_not_new(self, team: Team, keep: Keep) -> None:
        team.owner.contact()
        keep(team)
        assert stats(team.owner, period="7d")["contacts"] == {"total": 1, "new": 1, "trend": 0}
        in_a_week = later(team, 6 * DAY, "7d").contacts
        assert (in_a_week.total, in_a_week.new) == (1, 1)
        after = later(team, 7 * DAY, "7d").contacts
        assert (after.total, after.new, after.trend) == (1, 0, -1.0)
        assert later(team, 14 * DAY, "7d").contacts.trend == 0


class TestContacts:
    def test_who_is_deleted_counts_no_more_in_the_total_and_among_the_new(self, team: Team, keep: Keep) -> None:
        team.owner.contact()
        gone(team.owner.delete(f"/contacts/{team.owner.contact()['id']}"))
        keep(team)
        assert stats(team.owner)["contacts"] == {"total": 1, "new": 1, "trend": 0}
        assert days(team.owner)[-1]["contacts"] == {"total": 1, "new": 1}


class TestDeals:
    def test_open_won_and_lost_ones_in_number_and_worth(self, team: Team, stages: dict[str, str], keep: Keep) -> None:
        deal(team.owner, stages, value=1000.5)
        moved = deal(team.owner, stages, value=42000.25)
        ok(team.owner.patch(f"/deals/{moved['id']}", {"stageId": stages["won"]}))
        deal(team.owner, stages, "lost", value=7)
        deal(team.owner, stages, "won", value=3)
        keep(team)
        told = stats(team.owner)["deals"]
        assert told["currencies"] == [
            {"currency": "USD", "open": 1, "totalValue": 1000.5, "wonThisPeriod": 2, "wonValue": 42003.25}
        ]
        del told["currencies"]
        assert told == {
            "open": 1,
            "currency": "USD",
            "totalValue": 1000.5,
            "wonThisPeriod": 2,
            "wonValue": 42003.25,
            "winRate": 0.6667,
        }
        assert days(team.owner)[-1]["deals"] == {
            "open": 1, "totalValue": 1000.5, "won": 2, "wonValue": 42003.25, "winRate": 0.6667,
        }  # fmt: skip

    def test_a_deal_that_is_reopened_or_deleted_was_not_won(
        self, team: Team, stages: dict[str, str], keep: Keep
    ) -> None:
        first, second = deal(team.owner, stages, "won"), deal(team.owner, stages, "won")
        keep(team)
        assert stats(team.owner)["deals"]["wonThisPeriod"] == 2
        ok(team.owner.patch(f"/deals/{first['id']}", {"stageId": stages["open"]}))
        gone(team.owner.delete(f"/deals/{second['id']}"))
        keep(team)
        told = stats(team.owner)["deals"]
        assert (told["open"], told["totalValue"], told["wonThisPeriod"], told["wonValue"]) == (1, 100, 0, 0)

    def test_a_win_is_of_the_day_that_it_was_won_on(self, team: Team, stages: dict[str, str], keep: Keep) -> None:
        won = deal(team.owner, stages, "won")
        ok(team.owner.patch(f"/deals/{won['id']}", {"value": 250}))
        keep(team)
        told = later(team, 7 * DAY, "7d").deals
        assert [told.won_this_period, told.won_value, told.win_rate] == [0, 0, 0]
        told = later(team, 7 * DAY, "30d").deals
        assert [told.won_this_period, told.won_value, told.win_rate] == [1, 250, 1]

    def test_amounts_are_summed_by_currency_and_never_across(
        self, team: Team, stages: dict[str, str], keep: Keep
    ) -> None:
        for value, currency in ((1, "EUR"), (2.5, "EUR"), (1000, "JPY"), (1.125, "BHD")):
            deal(team.owner, stages, value=value, currency=currency)
        keep(team)
        told = stats(team.owner)["deals"]
        assert (told["open"], told["currency"], told["totalValue"]) == (4, "EUR", 3.5)
        assert [(each["currency"], each["totalValue"]) for each in told["currencies"]] == [
            ("EUR", 3.5), ("BHD", 1.125), ("JPY", 1000),
        ]  # fmt: skip
        told = stats(team.owner, currency="jpy")["deals"]
        assert (told["open"], told["currency"], told["totalValue"]) == (4, "JPY", 1000)
        assert days(team.owner, currency="BHD")[-1]["deals"]["totalValue"] == 1.125
        refused(team.owner.get("/dashboard/stats", params={"currency": "XYZ"}), 422, "currency")


class TestTasks:
    def test_pending_overdue_and_completed_ones(self, team: Team, keep: Keep) -> None:
        now = datetime.now(UTC)
        for due in (None, now - 2 * DAY, now - timedelta(seconds=30), now + timedelta(hours=1)):
            created(team.owner.post("/tasks", {"title": "A", **({"dueDate": due.isoformat()} if due else {})}))
        done = created(team.owner.post("/tasks", {"title": "B", "dueDate": (now - DAY).isoformat()}))
        ok(team.owner.patch(f"/tasks/{done['id']}", {"status": "completed"}))
        keep(team)
        assert stats(team.owner)["tasks"] == {"pending": 2, "overdue": 2, "completedThisPeriod": 1}
        for status, count in (("pending", 2), ("overdue", 2)):
            assert len(team.owner.listed("/tasks", status=status)) == count
        assert later(team, timedelta(hours=2)).tasks.overdue == 3
        assert later(team, 8 * DAY, "7d").tasks.completed_this_period == 0
        assert [day["tasks"]["open"] for day in days(team.owner)][-2:] == [0, 4]
        assert sum(day["tasks"]["overdue"] for day in days(team.owner)) == 2

    def test_a_task_that_is_reopened_was_not_completed(self, team: Team, keep: Keep) -> None:
        task = created(team.owner.post("/tasks", {"title": "A"}))
        for status in ("completed", "pending"):
            ok(team.owner.patch(f"/tasks/{task['id']}", {"status": status}))
        keep(team)
        assert stats(team.owner)["tasks"] == {"pending": 1, "overdue": 0, "completedThisPeriod": 0}


class TestMessages:
    def test_mails_that_were_recorded_and_who_answered(self, team: Team, keep: Keep) -> None:
        now = datetime.now(UTC)
        answering, silent, writing = (team.owner.contact() for _ in range(3))
        written = (
            (answering, "email_sent", 5), (answering, "email_received", 3), (answering, "email_received", 2),
            (silent, "email_received", 6), (silent, "email_sent", 4), (writing, "email_received", 1),
            (silent, "meeting", 1), (silent, "email_sent", 24 * 40),
        )  # fmt: skip
        for contact, kind, hours in written:
            body = {"type": kind, "occurredAt": (now - timedelta(hours=hours)).isoformat()}
            created(team.owner.post(f"/contacts/{contact['id']}/interactions", body))
        keep(team)
        assert stats(team.owner)["messages"] == {"sent": 2, "received": 4, "responseRate": 0.5}
        told = [day["messages"] for day in days(team.owner, period="7d")]
        assert sum(day["sent"] for day in told) == 2
        assert sum(day["received"] for day in told) == 4
        assert stats(team.limited)["messages"] == {"sent": 0, "received": 0, "responseRate": 0}


class TestSeries:
    def test_what_there_was_stays_until_it_is_gone(self, team: Team, stages: dict[str, str], keep: Keep) -> None:
        team.owner.contact()
        deal(team.owner, stages, value=5)
        created(team.owner.post("/tasks", {"title": "A"}))
        keep(team)
        found = series_later(team, 3 * DAY).days
        assert [day.contacts.total for day in found] == [0, 0, 0, 1, 1, 1, 1]
        assert [day.contacts.new for day in found] == [0, 0, 0, 1, 0, 0, 0]
        assert [day.deals.open for day in found] == [0, 0, 0, 1, 1, 1, 1]
        assert [day.deals.total_value for day in found] == [0, 0, 0, 5, 5, 5, 5]
        assert [day.tasks.open for day in found] == [0, 0, 0, 1, 1, 1, 1]
        assert {day.contacts.total for day in series_later(team, 100 * DAY).days} == {1}

    def test_its_last_day_agrees_with_the_statistics(self, team: Team, stages: dict[str, str], keep: Keep) -> None:
        for kind in ("open", "won", "lost", "open"):
            deal(team.owner, stages, kind)
        keep(team)
        told, today = stats(team.owner)["deals"], days(team.owner)[-1]["deals"]
        assert (today["open"], today["totalValue"]) == (told["open"], told["totalValue"])
        assert sum(day["deals"]["won"] for day in days(team.owner)) == told["wonThisPeriod"] == 1


class TestWhoIsToldWhat:
    def test_a_limited_member_is_told_of_what_is_theirs_alone(
        self, team: Team, stages: dict[str, str], keep: Keep
    ) -> None:
        theirs = {"assignedTo": str(team.limited.account_id)}
        others = {"assignedTo": str(team.member.account_id)}
        for owner in (theirs, others, {}):
            team.owner.contact(**owner)
            deal(team.owner, stages, value=10, **owner)
            deal(team.owner, stages, "won", value=20, currency="EUR", **owner)
            created(team.owner.post("/tasks", {"title": "A", **owner}))
        keep(team)
        told = stats(team.limited)
        assert told["contacts"] == {"total": 1, "new": 1, "trend": 0}
        assert (told["deals"]["open"], told["deals"]["totalValue"], told["deals"]["wonThisPeriod"]) == (1, 10, 1)
        assert [each["wonValue"] for each in told["deals"]["currencies"]] == [0, 20]
        assert told["tasks"]["pending"] == 1
        assert days(team.limited)[-1]["contacts"]["total"] == 1
        assert stats(team.owner)["contacts"]["total"] == stats(team.member)["contacts"]["total"] == 3

    def test_what_is_given_to_somebody_goes_along_with_its_past(
        self, team: Team, stages: dict[str, str], keep: Keep
    ) -> None:
        contact, won = team.owner.contact(), deal(team.owner, stages, "won", value=9)
        keep(team)
        assert stats(team.limited)["contacts"]["total"] == 0
        for path in (f"/contacts/{contact['id']}", f"/deals/{won['id']}"):
            ok(team.owner.patch(path, {"assignedTo": str(team.limited.account_id)}))
        keep(team)
        told = stats(team.limited)
        assert (told["contacts"]["new"], told["deals"]["wonValue"]) == (1, 9)
        for path in (f"/contacts/{contact['id']}", f"/deals/{won['id']}"):
            ok(team.owner.patch(path, {"assignedTo": None}))
        keep(team)
        told = stats(team.limited)
        assert (told["contacts"]["total"], told["contacts"]["new"], told["deals"]["currencies"]) == (0, 0, [])

    def test_another_workspace_is_told_nothing(self, team: Team, others: Team, keep: Keep) -> None:
        team.owner.contact()
        keep(team)
        keep(others)
        assert stats(others.owner)["contacts"]["total"] == 0

    def test_a_key_needs_the_scope_for_it(self, team: Team) -> None:
        for path in ("/dashboard/stats", "/dashboard/series"):
            refused(team.key("contacts:read", "deals:read").get(path), 403)
            ok(team.key("dashboard:read").get(path))
            ok(team.viewer.get(path))
            refused(team.anonymous.get(path), 401)


class TestReadingWhatOneWrote:
    def test_min_seq_waits_for_the_view_and_the_answer_says_how_far_it_is(
        self, team: Team, keep: Keep, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(fresh, "WAIT_SECONDS", 0.2)
        seq = team.owner.post("/contacts", {"firstName": "Ann"}).headers["daybook-seq"]
        for path in ("/dashboard/stats", "/dashboard/series"):
            refused(team.owner.get(path, params={"minSeq": seq}), 503, says="of the log")
            refused(team.owner.get(path, params={"minSeq": 10_000}), 422, "minSeq")
        keep(team)
        for path in ("/dashboard/stats", "/dashboard/series"):
            answer = team.owner.get(path, params={"minSeq": seq})
            assert (answer.status_code, answer.headers["daybook-view-seq"]) == (200, seq)
        assert stats(team.owner, minSeq=seq)["contacts"]["total"] == 1
