"""Webhook endpoints over HTTP."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx
import pytest

from domain.catalogue import EVENTS
from eventstore.database import Db, Pool
from tests.api.asserting import gone, ok, refused
from tests.api.serving import services_on, serving
from tests.api.team import Team, created
from tests.logs import types, whole_log
from tests.receiver import Answer, Receiver, receiving

URL = "https://hooks.example.com/daybook"
NEW = {"url": URL, "events": ["contact.created"]}


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture(scope="module")
def strict(pool: Pool) -> Iterator[httpx.Client]:
    """A client of an API that allows no private addresses."""
    services = replace(services_on(pool), allow_private_webhooks=False)
    with serving(services) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


def webhook(team: Team, **fields: Any) -> dict[str, Any]:
    return created(team.owner.post("/webhooks", {**NEW, **fields}))


class TestCreating:
    def test_it_is_answered_with_the_secret_that_its_deliveries_are_signed_with(self, team: Team) -> None:
        answer = team.owner.post("/webhooks", {"url": f" {URL} ", "events": ["tag.*", "contact.created", "tag.*"]})
        made = created(answer)
        assert made == {
            "id": made["id"],
            "url": URL,
            "events": ["contact.created", "tag.*"],
            "active": True,
            "description": None,
            "disabledReason": None,
            "secret": made["secret"],
            "createdAt": made["createdAt"],
            "updatedAt": made["createdAt"],
            "lastDelivery": None,
            "lastStatus": None,
            "version": 1,
        }
        assert made["secret"].startswith("whsec_")
        assert answer.headers["location"] == f"/api/v1/webhooks/{made['id']}"
        assert answer.headers["etag"] == '"1"'
        assert answer.headers["cache-control"] == "no-store"
        assert team.owner.listed("/webhooks") == [made]
        assert team.owner.shown(f"/webhooks/{made['id']}") == {**made, "deliveries": []}

    def test_each_has_a_secret_of_its_own(self, team: Team) -> None:
        assert webhook(team)["secret"] != webhook(team)["secret"]

    @pytest.mark.parametrize("events", [["*"], ["contact.*"], ["webhook.disabled"], ["test.ping"], ["api_key.created"]])
    def test_it_can_ask_for_any_event_for_all_of_a_kind_or_for_all(self, team: Team, events: list[str]) -> None:
        assert webhook(team, events=events)["events"] == events

    def test_it_can_ask_for_every_event_that_there_is_by_name_and_by_kind(self, team: Team) -> None:
        kinds = {f"{name.partition('.')[0]}.*" for name in EVENTS}
        documented = {"contact.created", "deal.created", "deal.stage_changed", "test.ping"}
        for event in sorted({*EVENTS, *kinds, *documented}):
            assert webhook(team, events=[event])["events"] == [event]

    @pytest.mark.parametrize(
        ("events", "says"),
        [
            (["contact.created", "contact.creatd"], "'contact.creatd' is not an event"),
            (["contcat.*"], "'contcat.*' is not an event"),
            (["test.*"], "'test.*' is not an event"),
            (["contact"], "'contact' must be an event name"),
            ([], "1 to 100"),
        ],
    )
    def test_events_that_there_are_not_are_named(self, team: Team, events: list[str], says: str) -> None:
        refused(team.owner.post("/webhooks", {"url": URL, "events": events}), 422, "events", says=says)

    def test_all_that_is_wrong_is_said_at_once(self, team: Team) -> None:
        refused(team.owner.post("/webhooks", {"url": "nowhere", "events": ["no.thing"]}), 422, "url", "events")
        refused(team.owner.post("/webhooks", {"url": URL}), 422, "events", says="required")
        refused(team.owner.post("/webhooks", {**NEW, "allowHttp": True}), 422, "allowHttp", says="not a known field")
        refused(team.owner.post("/webhooks", {**NEW, "secret": "whsec_mine"}), 422, "secret")

    def test_plain_http_is_refused_unless_the_installation_allows_it(self, team: Team, strict: httpx.Client) -> None:
        plain = {**NEW, "url": "http://hooks.example.com/"}
        owner = replace(team.owner, http=strict)
        refused(owner.post("/webhooks", plain), 422, "url", says="https")
        made = created(owner.post("/webhooks", NEW))
        refused(owner.patch(f"/webhooks/{made['id']}", {"url": plain["url"]}), 422, "url", says="https")
        created(team.owner.post("/webhooks", plain))

    @pytest.mark.parametrize(
        "host", ["127.0.0.1", "10.0.0.7:8443", "[::1]", "169.254.169.254", "0x7f000001", "localhost", "db.internal"]
    )
    def test_so_is_a_private_address(self, team: Team, strict: httpx.Client, host: str) -> None:
        inside = f"https://{host}/hook"
        owner = replace(team.owner, http=strict)
        refused(owner.post("/webhooks", {**NEW, "url": inside}), 422, "url", says="public internet")
        made = created(owner.post("/webhooks", NEW))
        refused(owner.patch(f"/webhooks/{made['id']}", {"url": inside}), 422, "url", says="public internet")
        assert owner.shown(f"/webhooks/{made['id']}")["url"] == URL
        created(team.owner.post("/webhooks", {**NEW, "url": inside}))


class TestSecrets:
    def test_a_repeated_request_makes_one_endpoint_and_gets_its_secret_again(self, team: Team) -> None:
        headers = {"idempotency-key": "once"}
        first = team.owner.post("/webhooks", NEW, headers=headers)
        again = team.owner.post("/webhooks", NEW, headers=headers)
        assert created(first) == created(again)
        assert created(again)["secret"].startswith("whsec_")
        assert again.headers["idempotency-replayed"] == "true"
        assert again.headers["cache-control"] == "no-store"
        assert (again.headers["location"], again.headers["etag"]) == (first.headers["location"], '"1"')
        assert len(team.owner.listed("/webhooks")) == 1

    def test_no_response_with_a_secret_in_it_is_kept(self, team: Team, owner: Db) -> None:
        keys = (f"key-{number}" for number in range(9))
        made = created(team.owner.post("/webhooks", NEW, headers={"idempotency-key": next(keys)}))
        path = f"/webhooks/{made['id']}"
        ok(team.owner.patch(path, {"description": "a"}, headers={"idempotency-key": next(keys)}))
        rotated = ok(team.owner.post(f"{path}/rotate-secret", headers={"idempotency-key": next(keys)}))["data"]
        kept = owner.execute(
            "SELECT body FROM idempotency_keys WHERE workspace_id = %s", (team.workspace_id,)
        ).fetchall()
        assert len(kept) == 3
        for secret in (made["secret"], rotated["secret"]):
            assert not any(secret.removeprefix("whsec_").encode() in bytes(row[0]) for row in kept)

    def test_a_repeated_request_for_a_deleted_endpoint_is_answered_without_one(self, team: Team) -> None:
        headers = {"idempotency-key": "once"}
        made = created(team.owner.post("/webhooks", NEW, headers=headers))
        gone(team.owner.delete(f"/webhooks/{made['id']}"))
        again = created(team.owner.post("/webhooks", NEW, headers=headers))
        assert again == {name: value for name, value in made.items() if name != "secret"}

    def test_it_is_shown_to_those_who_may_change_webhooks_and_to_no_one_else(self, team: Team) -> None:
        made = webhook(team)
        path = f"/webhooks/{made['id']}"
        for somebody in (team.admin, team.key(), team.key("webhooks:write")):
            assert somebody.shown(path)["secret"] == made["secret"]
            assert somebody.listed("/webhooks")[0]["secret"] == made["secret"]
        for somebody in (team.key("webhooks:read"), team.member):
            assert "secret" not in somebody.shown(path)
            assert "secret" not in somebody.listed("/webhooks")[0]
        assert team.owner.get(path).headers["cache-control"] == "no-store"
        assert team.owner.get("/webhooks").headers["cache-control"] == "no-store"

    def test_a_rotation_answers_a_new_one_and_is_in_the_log_without_it(self, team: Team) -> None:
        made = webhook(team)
        answer = team.owner.post(f"/webhooks/{made['id']}/rotate-secret")
        rotated = ok(answer)["data"]
        assert rotated["secret"] not in ("", made["secret"])
        assert rotated["version"] == 2
        assert answer.headers["cache-control"] == "no-store"
        assert team.owner.shown(f"/webhooks/{made['id']}")["secret"] == rotated["secret"]
        entry = whole_log(team.services.pool, team.workspace_id)[-1]
        assert (entry.type, bytes(entry.data)) == ("webhook.secret_rotated", b"{}")

    def test_a_repeated_rotation_rotates_once(self, team: Team) -> None:
        path = f"/webhooks/{webhook(team)['id']}/rotate-secret"
        headers = {"idempotency-key": "once"}
        first, again = (ok(team.owner.post(path, headers=headers))["data"] for _ in range(2))
        assert first == again

    def test_of_many_rotations_the_last_five_secrets_are_kept(self, team: Team, owner: Db) -> None:
        made = webhook(team)
        rotated = [ok(team.owner.post(f"/webhooks/{made['id']}/rotate-secret"))["data"]["secret"] for _ in range(8)]
        kept = "SELECT count(*), count(*) FILTER (WHERE expires_at IS NULL) FROM webhook_secrets WHERE webhook_id = %s"
        assert owner.execute(kept, (made["id"],)).fetchone() == (5, 1)
        assert team.owner.shown(f"/webhooks/{made['id']}")["secret"] == rotated[-1]

    def test_none_is_in_a_log_line(self, team: Team, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.DEBUG):
            made = webhook(team)
            team.owner.shown(f"/webhooks/{made['id']}")
            rotated = ok(team.owner.post(f"/webhooks/{made['id']}/rotate-secret"))["data"]
        assert caplog.records
        for secret in (made["secret"], rotated["secret"]):
            assert secret.removeprefix("whsec_") not in caplog.text


class TestChanging:
    def test_only_the_fields_given_change(self, team: Team) -> None:
        made = webhook(team, description="CRM")
        path = f"/webhooks/{made['id']}"
        changed = ok(team.owner.patch(path, {"events": ["*"]}))["data"]
        assert changed == {**made, "events": ["*"], "version": 2, "updatedAt": changed["updatedAt"]}
        assert ok(team.owner.patch(path, {"description": None}))["data"]["description"] is None
        assert ok(team.owner.patch(path, {"url": "https://other.example.com/"}))["data"]["url"].startswith(
            "https://other"
        )
        assert ok(team.owner.patch(path, {"active": False}))["data"]["active"] is False
        assert team.owner.shown(path)["version"] == 5

    def test_what_is_not_acceptable_is_named(self, team: Team) -> None:
        path = f"/webhooks/{webhook(team)['id']}"
        refused(team.owner.patch(path, {"events": ["no.thing"], "url": "ftp://a.example"}), 422, "url", "events")
        refused(team.owner.patch(path, {"active": "no"}), 422, "active")
        refused(team.owner.patch(path, {"url": None}), 422, "url")
        refused(team.owner.patch(path, {"disabledReason": "gone"}), 422, "disabledReason")

    @pytest.mark.parametrize(
        ("method", "below", "body"),
        [("PATCH", "", {"active": False}), ("DELETE", "", None), ("POST", "/rotate-secret", None)],
    )
    def test_only_the_version_that_is_known_is_changed(
        self, team: Team, method: str, below: str, body: dict[str, Any] | None
    ) -> None:
        made = webhook(team)
        path = f"/webhooks/{made['id']}"
        refused(team.owner.ask(method, path + below, json=body, headers={"if-match": '"2"'}), 412)
        assert team.owner.shown(path) == {**made, "deliveries": []}
        assert team.owner.ask(method, path + below, json=body, headers={"if-match": '"1"'}).is_success


class TestDeleting:
    def test_nothing_of_it_is_left_but_the_log(self, team: Team, owner: Db) -> None:
        made = webhook(team)
        path = f"/webhooks/{made['id']}"
        gone(team.owner.delete(path))
        refused(team.owner.get(path), 404)
        refused(team.owner.delete(path), 404)
        assert team.owner.listed("/webhooks") == []
        secrets = owner.execute("SELECT count(*) FROM webhook_secrets WHERE webhook_id = %s", (made["id"],))
        assert secrets.fetchone() == (0,)
        assert types(team.services.pool, team.workspace_id)[-2:] == ["webhook.created", "webhook.deleted"]


class TestListing:
    def test_they_come_newest_first_and_in_pages(self, team: Team) -> None:
        made = [webhook(team)["id"] for _ in range(3)]
        assert [found["id"] for found in team.owner.listed("/webhooks")] == made[::-1]
        answer = ok(team.owner.get("/webhooks?limit=2"))
        assert [found["id"] for found in answer["data"]] == made[:0:-1]
        assert answer["meta"]["total"] == 3
        rest = ok(team.owner.get(f"/webhooks?limit=2&cursor={answer['meta']['nextCursor']}"))
        assert [found["id"] for found in rest["data"]] == made[:1]


class TestTesting:
    def test_a_test_is_sent_at_once_and_signed_and_is_in_no_log(self, team: Team, receiver: Receiver) -> None:
        endpoint = receiver.endpoint(Answer(202))
        made = webhook(team, url=endpoint.url, active=False)
        before = whole_log(team.services.pool, team.workspace_id)
        answer = ok(team.owner.post(f"/webhooks/{made['id']}/test"))
        assert answer.keys() == {"success", "statusCode", "responseTime", "event"}
        assert (answer["success"], answer["statusCode"], answer["event"]) == (True, 202, "test.ping")
        assert 0 <= answer["responseTime"] < 5_000
        (got,) = endpoint.got
        event = got.verified(made["secret"])
        assert event == {
            "id": got.id,
            "type": "test.ping",
            "timestamp": event["timestamp"],
            "workspaceId": str(team.workspace_id),
            "seq": None,
            "subject": {"type": "webhook", "id": made["id"]},
            "data": {},
        }
        assert whole_log(team.services.pool, team.workspace_id) == before
        assert team.owner.listed(f"/webhooks/{made['id']}/deliveries") == []

    def test_it_is_signed_with_the_old_secret_too(self, team: Team, receiver: Receiver) -> None:
        endpoint = receiver.endpoint()
        made = webhook(team, url=endpoint.url)
        rotated = ok(team.owner.post(f"/webhooks/{made['id']}/rotate-secret"))["data"]
        ok(team.owner.post(f"/webhooks/{made['id']}/test"))
        assert endpoint.got[0].verified(made["secret"]) == endpoint.got[0].verified(rotated["secret"])

    @pytest.mark.parametrize("status", [302, 404, 500])
    def test_a_receiver_that_does_not_take_it_is_a_502_that_says_why(
        self, team: Team, receiver: Receiver, status: int
    ) -> None:
        made = webhook(team, url=receiver.endpoint(Answer(status, {"Location": URL})).url)
        refused(team.owner.post(f"/webhooks/{made['id']}/test"), 502, says=f"answered {status}")

    def test_one_that_cannot_be_reached_is_too(self, team: Team, strict: httpx.Client, receiver: Receiver) -> None:
        made = webhook(team, url="http://127.0.0.1:9/")
        refused(team.owner.post(f"/webhooks/{made['id']}/test"), 502, says="Connection refused")
        inside = webhook(team, url=f"https://127.0.0.1:{receiver.port}/")
        nowhere = webhook(team, url="https://receiver.invalid/")
        owner = replace(team.owner, http=strict)
        told = {refused(owner.post(f"/webhooks/{it['id']}/test"), 502)["message"] for it in (inside, nowhere)}
        assert told == {"Cannot connect: the receiver has no address on the public internet."}


OPERATIONS = [
    ("GET", "/webhooks", None),
    ("POST", "/webhooks", NEW),
    ("GET", "/webhooks/{webhook}", None),
    ("PATCH", "/webhooks/{webhook}", {"active": False}),
    ("DELETE", "/webhooks/{webhook}", None),
    ("POST", "/webhooks/{webhook}/test", None),
    ("POST", "/webhooks/{webhook}/rotate-secret", None),
    ("GET", "/webhooks/{webhook}/deliveries", None),
    ("GET", "/webhooks/{webhook}/deliveries/{delivery}", None),
    ("POST", "/webhooks/{webhook}/deliveries/{delivery}/replay", None),
    ("POST", "/webhooks/{webhook}/replay", {"status": "failed"}),
]

every_operation = pytest.mark.parametrize(("method", "path", "body"), OPERATIONS)


@every_operation
class TestTenancy:
    def test_it_takes_a_token(self, team: Team, method: str, path: str, body: dict[str, Any] | None) -> None:
        where = path.format(webhook=webhook(team)["id"], delivery=uuid4())
        refused(team.anonymous.ask(method, where, json=body), 401)

    def test_it_takes_a_scope_and_changes_take_an_admin(
        self, team: Team, method: str, path: str, body: dict[str, Any] | None
    ) -> None:
        where = path.format(webhook=webhook(team)["id"], delivery=uuid4())
        refused(team.key("contacts:write").ask(method, where, json=body), 403)
        if method != "GET":
            for somebody in (team.key("webhooks:read"), team.member, team.viewer):
                refused(somebody.ask(method, where, json=body), 403)

    def test_an_id_of_another_workspace_is_like_one_of_nobodys(
        self, team: Team, others: Team, owner: Db, method: str, path: str, body: dict[str, Any] | None
    ) -> None:
        theirs = webhook(others)["id"]
        delivery = uuid4()
        owner.execute(
            "INSERT INTO webhook_deliveries (workspace_id, id, webhook_id, seq, event_id, event_type, status)"
            " VALUES (%s, %s, %s, 1, %s, 'contact.created', 'failed')",
            (others.workspace_id, delivery, theirs, uuid4()),
        )
        before = others.owner.shown(f"/webhooks/{theirs}")
        answer = team.owner.ask(method, path.format(webhook=theirs, delivery=delivery), json=body)
        if "{webhook}" in path:
            refused(answer, 404)
            refused(team.owner.ask(method, path.format(webhook=uuid4(), delivery=delivery), json=body), 404)
        else:
            assert answer.is_success
            assert theirs not in answer.text
        assert others.owner.shown(f"/webhooks/{theirs}") == before
