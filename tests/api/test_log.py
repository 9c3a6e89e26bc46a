"""The log over HTTP: in order, chained, as JSON and as lines, and waited for."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest

from api import log
from eventstore.chain import GENESIS, entry_hash
from tests.api.asserting import ok, refused
from tests.api.team import Member, Team


def read(member: Member, **params: Any) -> dict[str, Any]:
    found: dict[str, Any] = ok(member.get("/log", params=params))
    return found


class TestEntries:
    def test_are_all_that_happened_in_order_without_a_gap(self, team: Team) -> None:
        contact = team.owner.contact(firstName="Ann", tags=["A"])
        ok(team.owner.patch(f"/contacts/{contact['id']}", {"company": "Acme"}))
        log = read(team.owner)
        assert [entry["seq"] for entry in log["data"]] == list(range(1, log["meta"]["head"] + 1))
        assert [entry["type"] for entry in log["data"]] == [
            "workspace.created", "user.registered", "membership.granted", "user.logged_in",
            "tag.created", "contact.created", "contact.updated",
        ]  # fmt: skip
        assert {entry["workspaceId"] for entry in log["data"]} == {str(team.workspace_id)}

    def test_say_what_happened_to_what_by_whom_and_for_which_request(self, team: Team) -> None:
        answer = team.owner.post("/tags", {"name": "A"}, headers={"x-request-id": "r-1"})
        entry = read(team.owner)["data"][-1]
        assert entry["data"] == {"name": "A", "slug": "a", "color": None}
        assert entry["stream"] == {"type": "tag", "id": answer.json()["data"]["id"]}
        assert entry["version"] == 1
        assert entry["meta"]["actor"] == {"type": "user", "id": str(team.owner.account_id)}
        assert entry["meta"]["requestId"] == "r-1"
        assert entry["meta"]["causationId"] is None
        assert str(entry["seq"]) == answer.headers["daybook-seq"]

    def test_of_one_request_have_one_correlation(self, team: Team) -> None:
        team.owner.contact(tags=["A", "B"])
        last = read(team.owner)["data"][-3:]
        assert [entry["type"] for entry in last] == ["tag.created", "tag.created", "contact.created"]
        assert len({entry["meta"]["correlationId"] for entry in last}) == 1

    def test_verify_offline_as_they_are_answered(self, team: Team) -> None:
        team.owner.contact(firstName="Zoë 😀", customFields={"share": 0.1, "big": 2**53 - 1, "ключ": ["ä", None, True]})
        team.owner.tag("Ünïcode")
        entries = read(team.owner, limit=3)["data"] + read(team.owner, after=3)["data"]
        before = previous = GENESIS
        for entry in entries:
            before, previous = previous, entry_hash(previous, entry)
            assert previous.hex() == entry["hash"]
        forged = {**entries[-1], "data": {**entries[-1]["data"], "name": "Forged"}}
        assert entry_hash(before, entries[-1]).hex() == entries[-1]["hash"]
        assert entry_hash(before, forged).hex() != entries[-1]["hash"]


class TestReadingOn:
    def test_from_where_the_last_answer_ended(self, team: Team) -> None:
        for number in range(5):
            team.owner.tag(f"Tag {number}")
        seqs: list[int] = []
        after = 0
        while entries := (found := read(team.owner, after=after, limit=4))["data"]:
            seqs += [entry["seq"] for entry in entries]
            after = found["meta"]["nextAfter"]
            assert after == seqs[-1]
        assert seqs == list(range(1, 10))

    def test_only_some_types(self, team: Team) -> None:
        team.owner.contact(tags=["A", "B"])
        for types in (["tag.created", "contact.created"], "tag.created,contact.created"):
            found = read(team.owner, types=types)
            assert [entry["type"] for entry in found["data"]] == ["tag.created", "tag.created", "contact.created"]
        nothing = read(team.owner, types="contact.deleted")
        assert nothing["data"] == []
        assert nothing["meta"]["nextAfter"] == nothing["meta"]["head"] == 7
        limited = read(team.owner, types="tag.created", limit=1)
        assert (len(limited["data"]), limited["meta"]["nextAfter"]) == (1, 5)

    def test_behind_the_end_is_nothing(self, team: Team) -> None:
        assert read(team.owner, after=10**6) == {"data": [], "meta": {"nextAfter": 10**6, "head": 4}}
        assert read(team.owner, after=10**30)["data"] == []

    @pytest.mark.parametrize(
        ("parameter", "value"),
        [("after", "-1"), ("limit", "0"), ("limit", "1001"), ("wait", "31"), ("after", "x"), ("format", "xml")],
    )
    def test_what_is_out_of_range_is_refused_by_name(self, team: Team, parameter: str, value: str) -> None:
        refused(team.owner.get("/log", params={parameter: value}), 400, parameter)

    def test_an_unknown_type_is_refused(self, team: Team) -> None:
        refused(team.owner.get("/log?types=tag.created,tag.eaten"), 422, "types", says="tag.eaten")


class TestLines:
    @pytest.mark.parametrize(
        "request_for_them",
        [{"headers": {"accept": "application/x-ndjson"}}, {"params": {"format": "ndjson"}}],
    )
    def test_are_one_entry_each(self, team: Team, request_for_them: dict[str, Any]) -> None:
        team.owner.contact(notes="two\nlines")
        answer = team.owner.get("/log", **request_for_them)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("application/x-ndjson")
        assert answer.text.endswith("\n")
        assert [json.loads(line) for line in answer.text.splitlines()] == read(team.owner)["data"]
        assert answer.headers["daybook-next-after"] == answer.headers["daybook-seq"] == "5"

    def test_of_nothing_are_none(self, team: Team) -> None:
        answer = team.owner.get("/log?after=100", headers={"accept": "application/x-ndjson"})
        assert (answer.content, answer.headers["daybook-next-after"]) == (b"", "100")

    def test_json_is_answered_where_it_is_asked_for(self, team: Team) -> None:
        answer = team.owner.get("/log?format=json", headers={"accept": "application/x-ndjson"})
        assert answer.headers["content-type"] == "application/json"


class TestWaiting:
    def test_ends_as_soon_as_something_is_written(self, team: Team) -> None:
        head = read(team.owner)["meta"]["head"]

        def write() -> None:
            time.sleep(0.3)
            team.owner.tag("New")

        writer = threading.Thread(target=write)
        writer.start()
        started = time.monotonic()
        found = read(team.owner, after=head, wait=20)
        taken = time.monotonic() - started
        writer.join()
        assert [entry["type"] for entry in found["data"]] == ["tag.created"]
        assert 0.25 < taken < 3

    def test_goes_on_for_the_types_asked_for(self, team: Team) -> None:
        head = read(team.owner)["meta"]["head"]

        def write() -> None:
            team.owner.tag("Not asked for")
            time.sleep(0.3)
            team.owner.contact()

        writer = threading.Thread(target=write)
        writer.start()
        found = read(team.owner, after=head, wait=20, types="contact.created")
        writer.join()
        assert [entry["type"] for entry in found["data"]] == ["contact.created"]

    def test_ends_empty_when_nothing_is(self, team: Team, others: Team) -> None:
        head = read(team.owner)["meta"]["head"]
        others.owner.tag("Elsewhere")
        started = time.monotonic()
        assert read(team.owner, after=head, wait=1) == {"data": [], "meta": {"nextAfter": head, "head": head}}
        assert 0.9 < time.monotonic() - started < 3

    def test_is_not_needed_where_there_is_something(self, team: Team) -> None:
        started = time.monotonic()
        assert read(team.owner, wait=20)["data"]
        assert time.monotonic() - started < 2

    def test_asks_for_what_is_new_a_few_times_only(self, team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
        looks: list[int] = []
        read_log = log._read

        def counted(*given: Any) -> Any:
            looks.append(1)
            return read_log(*given)

        monkeypatch.setattr(log, "_read", counted)
        read(team.owner, after=read(team.owner)["meta"]["head"], wait=2)
        assert len(looks) <= 4
