from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from uuid import UUID

import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from application import webhook as webhooks
from projections.webhook import WEBHOOKS
from schemas.webhook import ReplayRange, WebhookPatch
from tests.logs import opened_log
from tests.receiver import NEVER, OK, Answer, Endpoint, Receiver, receiving
from tests.workers.hooks import QUICK, Hooks
from tests.workers.running import Installation, eventually


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def hooks(installation: Installation) -> Iterator[Hooks]:
    """A workspace whose endpoints no other test's workers send to."""
    made = Hooks(installation)
    yield made
    installation.owner.execute("UPDATE webhook_deliveries SET status = 'cancelled' WHERE status = 'pending'")


def has(endpoint: Endpoint, count: int) -> bool:
    return len(endpoint.got) >= count


def failed(hooks: Hooks, webhook_id: UUID) -> bool:
    return hooks.statuses(webhook_id) == {"failed"}


# What is sent.


def test_a_new_contact_reaches_each_endpoint_once_signed_and_within_a_second(hooks: Hooks, receiver: Receiver) -> None:
    endpoints = [receiver.endpoint() for _ in range(3)]
    ids = [hooks.create(endpoint) for endpoint in endpoints]
    with hooks.working() as context:
        hooks.contact(context.store)  # by now everything is connected
        eventually(lambda: all(endpoint.got for endpoint in endpoints))
        committed = time.time()
        hooks.contact(context.store)
        eventually(lambda: all(len(endpoint.got) == 2 for endpoint in endpoints))
        assert max(endpoint.got[1].at for endpoint in endpoints) - committed < 1
        eventually(lambda: all(hooks.completed(webhook_id, 2) for webhook_id in ids))
    entry = opened_log(hooks.services.pool, hooks.workspace_id)[-1]
    for endpoint, webhook_id in zip(endpoints, ids, strict=True):
        got = endpoint.got[1]
        assert len(endpoint.got) == 2
        assert got.verified(hooks.secret(webhook_id)) == {
            "id": str(entry.id),
            "type": "contact.created",
            "timestamp": entry.recorded_at,
            "workspaceId": str(hooks.workspace_id),
            "seq": entry.seq,
            "subject": {"type": "contact", "id": str(entry.stream.id)},
            "data": {"firstName": "Ada", "lastName": "King", "status": "ACTIVE", "tags": [], "type": "person"},
        }
        assert got.id == str(entry.id)
        assert got.headers["content-type"] == "application/json"
        assert got.headers["user-agent"].startswith("Daybook/")
        assert hooks.statuses(webhook_id) == {"succeeded"}


def test_what_is_sent_is_signed_with_the_endpoints_own_secret(hooks: Hooks, receiver: Receiver) -> None:
    endpoint = receiver.endpoint()
    hooks.create(endpoint)
    other = hooks.create(receiver.endpoint())
    with hooks.delivering():
        hooks.contact()
        eventually(lambda: bool(endpoint.got))
    with pytest.raises(WebhookVerificationError):
        endpoint.got[0].verified(hooks.secret(other))


def test_after_a_rotation_both_secrets_sign_until_the_old_one_expires(hooks: Hooks, receiver: Receiver) -> None:
    endpoint = receiver.endpoint()
    webhook_id = hooks.create(endpoint)
    old = hooks.secret(webhook_id)
    hooks.rotate(webhook_id)
    new = hooks.secret(webhook_id)
    with hooks.delivering():
        hooks.contact()
        eventually(lambda: len(endpoint.got) == 1)
        assert endpoint.got[0].verified(old) == endpoint.got[0].verified(new)
        (lifetime,) = hooks.installation.owner.execute(
            "UPDATE webhook_secrets SET expires_at = now() WHERE webhook_id = %s AND expires_at IS NOT NULL"
            " RETURNING (SELECT extract(epoch FROM s.expires_at - now()) FROM webhook_secrets s"
            " WHERE s.id = webhook_secrets.id)",
            (webhook_id,),
        ).fetchone() or (0,)
        assert 86_300 < lifetime <= 86_400
        hooks.contact()
        eventually(lambda: len(endpoint.got) == 2)
    endpoint.got[1].verified(new)
    with pytest.raises(WebhookVerificationError):
        endpoint.got[1].verified(old)


# Trying again.


def test_a_retry_has_the_same_id_and_body_and_a_fresh_timestamp(hooks: Hooks, receiver: Receiver) -> None:
    endpoint = receiver.endpoint(Answer(500, body="not now\0"), OK)
    webhook_id = hooks.create(endpoint)
    with hooks.delivering(replace(QUICK, schedule=(0, 1.2))):
        hooks.contact()
        eventually(lambda: hooks.completed(webhook_id, 1))
    first, second = endpoint.got
    assert first.id == second.id
    assert first.body == second.body
    assert int(second.headers["webhook-timestamp"]) > int(first.headers["webhook-timestamp"])
    second.verified(hooks.secret(webhook_id))
    (delivery,) = hooks.deliveries(webhook_id)
    detail = hooks.detail(webhook_id, delivery.id)
    assert (detail.status, detail.attempt_count, detail.last_status, detail.last_error) == ("succeeded", 2, 200, None)
    assert [(made.attempt, made.status_code, made.error, made.response_excerpt) for made in detail.attempts] == [
        (2, 200, None, None),
        (1, 500, "The receiver answered 500.", "not now�"),
    ]


def test_the_waits_between_attempts_are_those_of_the_schedule_and_behind_its_end_a_delivery_has_failed(
    hooks: Hooks, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(Answer(503))
    webhook_id = hooks.create(endpoint)
    with hooks.delivering(replace(QUICK, schedule=(0, 0.2, 0.6))):
        hooks.contact()
        eventually(lambda: failed(hooks, webhook_id))
        time.sleep(0.3)
    assert len(endpoint.got) == 3
    first, second = (later.at - earlier.at for earlier, later in zip(endpoint.got, endpoint.got[1:], strict=False))
    assert first >= 0.2 * 0.9
    assert second >= 0.6 * 0.9
    (delivery,) = hooks.deliveries(webhook_id)
    assert delivery.next_attempt_at is None
    assert delivery.completed_at is not None


def test_a_receiver_is_left_alone_for_as_long_as_it_asks(hooks: Hooks, receiver: Receiver) -> None:
    endpoint = receiver.endpoint(Answer(429, {"Retry-After": "1"}), OK)
    webhook_id = hooks.create(endpoint)
    with hooks.delivering():
        hooks.contact()
        eventually(lambda: hooks.completed(webhook_id, 1))
    assert endpoint.got[1].at - endpoint.got[0].at >= 1


def test_a_redirect_is_a_failure_and_is_not_followed(hooks: Hooks, receiver: Receiver) -> None:
    elsewhere = receiver.endpoint()
    webhook_id = hooks.create(receiver.endpoint(Answer(307, {"Location": elsewhere.url})))
    with hooks.delivering(replace(QUICK, schedule=(0,))):
        hooks.contact()
        eventually(lambda: failed(hooks, webhook_id))
    assert hooks.deliveries(webhook_id)[0].last_error == "The receiver answered 307: redirects are not followed."
    assert elsewhere.got == []


def test_a_receiver_that_does_not_answer_in_time_has_failed(hooks: Hooks, receiver: Receiver) -> None:
    webhook_id = hooks.create(receiver.endpoint(NEVER))
    with hooks.delivering(replace(QUICK, schedule=(0,), timeout=0.3)):
        hooks.contact()
        eventually(lambda: failed(hooks, webhook_id))
    (delivery,) = hooks.deliveries(webhook_id)
    assert (delivery.last_status, delivery.last_error) == (None, "No answer within 0.3 s.")


# Switching off.


def test_410_switches_the_endpoint_off_at_once_and_says_why_in_the_log(hooks: Hooks, receiver: Receiver) -> None:
    endpoint = receiver.endpoint(Answer(410))
    watcher = receiver.endpoint()
    webhook_id = hooks.create(endpoint)
    hooks.create(watcher, "webhook.disabled")
    with hooks.working():
        hooks.contact()
        eventually(lambda: bool(watcher.got))
        hooks.contact()
        eventually(lambda: hooks.completed(webhook_id, 1))
    entries = opened_log(hooks.services.pool, hooks.workspace_id)
    disabled = next(entry for entry in entries if entry.type == "webhook.disabled")
    cause = next(entry for entry in entries if entry.type == "contact.created")
    assert bytes(disabled.data) == b'{"reason": "gone"}'
    assert disabled.meta.actor.type == "worker"
    assert disabled.meta.causation_id == cause.id
    assert disabled.meta.correlation_id == cause.meta.correlation_id
    assert watcher.got[0].event["subject"] == {"type": "webhook", "id": str(webhook_id)}
    assert len(endpoint.got) == 1


def test_an_endpoint_that_does_nothing_but_fail_for_long_is_switched_off_and_starts_afresh_when_switched_on(
    hooks: Hooks, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(Answer(500))
    webhook_id = hooks.create(endpoint)

    def disabled() -> list[datetime]:
        entries = opened_log(hooks.services.pool, hooks.workspace_id)
        return [datetime.fromisoformat(entry.recorded_at) for entry in entries if entry.type == "webhook.disabled"]

    with hooks.delivering(replace(QUICK, schedule=(0, *(0.15,) * 50), failing=1)):
        hooks.contact()
        eventually(lambda: len(disabled()) == 1)
        eventually(lambda: hooks.statuses(webhook_id) == {"cancelled"})
        assert disabled()[0].timestamp() - endpoint.got[0].at >= 0.9  # the receiver notes a moment later
        hooks.change(webhook_id, WebhookPatch(active=True))
        switched_on = time.time()
        hooks.contact()
        eventually(lambda: len(disabled()) == 2)
        assert disabled()[1].timestamp() - switched_on >= 0.9


def test_an_endpoint_that_succeeds_now_and_then_is_not_switched_off(hooks: Hooks, receiver: Receiver) -> None:
    endpoint = receiver.endpoint(*[Answer(500), Answer(500), OK] * 5)
    webhook_id = hooks.create(endpoint)
    with hooks.delivering(replace(QUICK, schedule=(0, *(0.3,) * 9), per_endpoint=1, failing=1)):
        for _ in range(4):
            hooks.contact()
        eventually(lambda: hooks.completed(webhook_id, 4))
    assert hooks.statuses(webhook_id) == {"succeeded"}
    assert endpoint.got[-1].at - endpoint.got[0].at > 1


def test_a_deleted_endpoint_gets_nothing_more_whatever_was_pending(hooks: Hooks, receiver: Receiver) -> None:
    endpoint, other = receiver.endpoint(Answer(500), OK), receiver.endpoint()
    webhook_id = hooks.create(endpoint)
    hooks.create(other)
    with hooks.delivering(replace(QUICK, schedule=(0, 0.5))):
        hooks.contact()
        eventually(lambda: bool(other.got) and hooks.deliveries(webhook_id)[0].attempt_count == 1)
        hooks.delete(webhook_id)
        hooks.contact()
        eventually(lambda: len(other.got) == 2)
        time.sleep(0.7)
    assert len(endpoint.got) == 1
    assert hooks.statuses(webhook_id) == {"cancelled"}
    kept = "SELECT count(*) FROM webhook_secrets WHERE webhook_id = %s"
    assert hooks.installation.owner.execute(kept, (webhook_id,)).fetchone() == (0,)


def test_events_of_before_a_deletion_that_are_expanded_after_it_are_not_sent(hooks: Hooks, receiver: Receiver) -> None:
    endpoint = receiver.endpoint()
    webhook_id = hooks.create(endpoint)
    hooks.contact()
    hooks.delete(webhook_id)
    with hooks.delivering():
        eventually(lambda: hooks.completed(webhook_id, 1))
    assert hooks.statuses(webhook_id) == {"cancelled"}
    assert endpoint.got == []


def test_events_of_before_a_switching_off_that_are_expanded_after_it_are_not_sent(
    hooks: Hooks, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint()
    webhook_id = hooks.create(endpoint)
    hooks.contact()
    hooks.change(webhook_id, WebhookPatch(active=False))
    with hooks.delivering():
        eventually(lambda: hooks.completed(webhook_id, 1))
    assert hooks.statuses(webhook_id) == {"cancelled"}
    assert endpoint.got == []


@pytest.mark.parametrize(("status", "becomes"), [(200, "succeeded"), (500, "cancelled")])
def test_one_that_was_on_its_way_when_it_was_cancelled_has_succeeded_if_it_arrived_and_is_not_tried_again(
    hooks: Hooks, receiver: Receiver, status: int, becomes: str
) -> None:
    endpoint = receiver.endpoint(Answer(status, after=0.4))
    webhook_id = hooks.create(endpoint)
    with hooks.delivering():
        hooks.contact()
        eventually(lambda: bool(endpoint.got))
        hooks.change(webhook_id, WebhookPatch(active=False))
        eventually(lambda: hooks.deliveries(webhook_id)[0].attempt_count == 1)
    (delivery,) = hooks.deliveries(webhook_id)
    assert (delivery.status, delivery.last_status) == (becomes, status)
    assert delivery.completed_at is not None
    assert len(endpoint.got) == 1


# Sending again.


def test_one_delivery_is_replayed_whatever_became_of_it(hooks: Hooks, receiver: Receiver) -> None:
    endpoint = receiver.endpoint()
    webhook_id = hooks.create(endpoint)
    with hooks.delivering():
        hooks.contact()
        hooks.contact()
        eventually(lambda: hooks.completed(webhook_id, 2))
        again = hooks.deliveries(webhook_id)[0]
        hooks.act(lambda unit: webhooks.replay_one(unit, webhook_id, again.id))
        eventually(lambda: len(endpoint.got) == 3 and hooks.completed(webhook_id, 2))
    assert endpoint.ids.count(str(again.event_id)) == 2
    detail = hooks.detail(webhook_id, again.id)
    assert (detail.status, detail.attempt_count) == ("succeeded", 2)


def test_all_that_failed_is_replayed_on_a_schedule_of_its_own_and_nothing_else(
    hooks: Hooks, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint(OK, Answer(500), Answer(500), Answer(500), OK)
    webhook_id = hooks.create(endpoint)
    with hooks.delivering(replace(QUICK, schedule=(0, 0.05, 0.05))):
        hooks.contact()
        eventually(lambda: hooks.completed(webhook_id, 1))
        hooks.contact()
        eventually(lambda: hooks.completed(webhook_id, 2))
        assert [delivery.status for delivery in hooks.deliveries(webhook_id)] == ["succeeded", "failed"]
        replayed = hooks.act(lambda unit: webhooks.replay_range(unit, webhook_id, ReplayRange(status="failed")))
        assert replayed == 1
        eventually(lambda: hooks.completed(webhook_id, 2) and len(endpoint.got) == 5)
    assert hooks.statuses(webhook_id) == {"succeeded"}


def test_a_range_is_replayed_by_when_deliveries_were_made(hooks: Hooks, receiver: Receiver) -> None:
    endpoint = receiver.endpoint()
    webhook_id = hooks.create(endpoint)
    with hooks.delivering():
        for _ in range(3):
            hooks.contact()
            time.sleep(0.15)  # so that each is made at a time of its own
        eventually(lambda: hooks.completed(webhook_id, 3))
        second = hooks.deliveries(webhook_id)[1]
        third = hooks.deliveries(webhook_id)[2]
        wanted = ReplayRange(since=second.created_at, until=third.created_at)
        assert hooks.act(lambda unit: webhooks.replay_range(unit, webhook_id, wanted)) == 1
        eventually(lambda: len(endpoint.got) == 4)
    assert endpoint.ids.count(str(second.event_id)) == 2


# Not in each other's way.


def test_a_receiver_that_never_answers_delays_no_other(hooks: Hooks, receiver: Receiver) -> None:
    dead, *others = receiver.endpoint(NEVER), *(receiver.endpoint() for _ in range(5))
    dead_id = hooks.create(dead)
    ids = [hooks.create(endpoint) for endpoint in others]
    hooks.contacts(100)
    with hooks.delivering(replace(QUICK, timeout=30, lease=60, total=20, drain=0.1)):
        eventually(lambda: all(hooks.completed(webhook_id, 100) for webhook_id in ids))
        began = time.time()
        hooks.contacts(100)
        eventually(lambda: all(hooks.completed(webhook_id, 200) for webhook_id in ids))
        assert time.time() - began < 5
        assert hooks.statuses(dead_id) == {"pending"}
        assert len(dead.got) == 10
    assert all(len(set(endpoint.ids)) == len(endpoint.ids) == 200 for endpoint in others)


def test_workspaces_do_not_get_each_others_events(hooks: Hooks, receiver: Receiver) -> None:
    neighbour = hooks.another()
    mine, theirs = receiver.endpoint(), receiver.endpoint()
    hooks.create(mine, "*")
    neighbour.create(theirs, "*")
    with hooks.delivering():
        hooks.contact()
        neighbour.contact()
        eventually(lambda: len(mine.got) == len(theirs.got) == 2)
    assert {got.event["workspaceId"] for got in mine.got} == {str(hooks.workspace_id)}
    assert {got.event["workspaceId"] for got in theirs.got} == {str(neighbour.workspace_id)}


def test_an_address_of_this_machine_is_refused_unless_it_is_allowed(hooks: Hooks, receiver: Receiver) -> None:
    endpoint = receiver.endpoint()
    strict = replace(hooks.config, allow_private_webhooks=False)
    ids = [
        hooks.create(endpoint.url.replace("http:", "https:").replace("127.0.0.1", host))
        for host in ("127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]")
    ]
    plain = hooks.create(endpoint)
    with hooks.working(replace(QUICK, schedule=(0,)), strict):
        hooks.contact()
        eventually(lambda: all(failed(hooks, webhook_id) for webhook_id in (*ids, plain)))
    for webhook_id in ids:
        assert "no address on the public internet" in (hooks.deliveries(webhook_id)[0].last_error or "")
    assert hooks.deliveries(plain)[0].last_error == "The URL cannot be used: plain http is not allowed."
    assert endpoint.got == []


# Going down, and coming back.


def test_told_to_stop_it_finishes_what_is_on_its_way(hooks: Hooks, receiver: Receiver) -> None:
    endpoint = receiver.endpoint(Answer(after=0.5))
    webhook_id = hooks.create(endpoint)
    with hooks.delivering():
        hooks.contact()
        eventually(lambda: bool(endpoint.got))
    assert hooks.statuses(webhook_id) == {"succeeded"}
    assert len(endpoint.got) == 1


def test_what_a_dead_worker_had_claimed_is_sent_when_its_lease_has_run_out(hooks: Hooks, receiver: Receiver) -> None:
    endpoint = receiver.endpoint(NEVER, OK)
    webhook_id = hooks.create(endpoint)
    with hooks.delivering(replace(QUICK, timeout=30, lease=32, drain=0)):
        hooks.contact()
        eventually(lambda: bool(endpoint.got))
    assert hooks.statuses(webhook_id) == {"pending"}
    hooks.installation.owner.execute(
        "UPDATE webhook_deliveries SET leased_until = now() + interval '1 second' WHERE webhook_id = %s", (webhook_id,)
    )
    with hooks.delivering():
        eventually(lambda: hooks.completed(webhook_id, 1))
    assert len(endpoint.got) == 2
    assert endpoint.got[1].at - endpoint.got[0].at >= 1


def test_the_result_of_a_worker_that_has_lost_its_lease_does_not_count(hooks: Hooks, receiver: Receiver) -> None:
    endpoint = receiver.endpoint(Answer(after=0.4))
    webhook_id = hooks.create(endpoint)
    with hooks.delivering():
        hooks.contact()
        eventually(lambda: bool(endpoint.got))
        hooks.installation.owner.execute(
            "UPDATE webhook_deliveries SET lease = gen_random_uuid(), leased_until = now() + interval '1 hour'"
            " WHERE webhook_id = %s",
            (webhook_id,),
        )
    (delivery,) = hooks.deliveries(webhook_id)
    assert (delivery.status, delivery.attempt_count) == ("pending", 0)
    assert hooks.detail(webhook_id, delivery.id).attempts == []


def test_it_recovers_when_postgres_drops_its_connections(hooks: Hooks, receiver: Receiver) -> None:
    endpoint = receiver.endpoint(Answer(after=0.02))
    webhook_id = hooks.create(endpoint)
    with hooks.working() as context:
        hooks.contacts(200)
        for enough in (20, 60, 100):
            eventually(partial(has, endpoint, enough))
            hooks.installation.owner.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE usename = 'daybook_worker' AND datname = current_database()"
            )
        eventually(lambda: hooks.completed(webhook_id, 200))
        assert not context.stop.is_set()
    assert len(set(endpoint.ids)) == 200
    assert hooks.statuses(webhook_id) == {"succeeded"}


def test_secrets_are_in_no_entry_of_the_log_and_in_no_line_of_the_logs(
    hooks: Hooks, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    webhook_id = hooks.create(receiver.endpoint(Answer(500), OK), "*")
    secrets = [hooks.secret(webhook_id)]
    with hooks.working():
        hooks.contact()
        hooks.rotate(webhook_id)
        secrets.append(hooks.secret(webhook_id))
        eventually(lambda: hooks.completed(webhook_id, 3))
    written = "\n".join(bytes(entry.data).decode() for entry in opened_log(hooks.services.pool, hooks.workspace_id))
    lines = "\n".join(record.getMessage() for record in caplog.records)
    stored = "\n".join(
        str(row)
        for table in (WEBHOOKS.table, "webhook_secrets", "webhook_deliveries", "webhook_attempts")
        for row in hooks.installation.owner.execute(f"SELECT * FROM {table}".encode())
    )
    assert len(set(secrets)) == 2
    assert lines
    for secret in secrets:
        key = secret.removeprefix("whsec_")
        assert key not in written
        assert key not in lines
        assert key not in stored
