"""What webhooks are told of signed heads, which are beside the log."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import msgspec
import pytest

from application.log_checkpoint import sign
from eventstore.checkpoint import signature_holds
from projections.webhook_delivery import DeliveryQuery
from schemas.verification import CHECKPOINT_SIGNED, Checkpoint
from tests.logs import log_end
from tests.receiver import Receiver, receiving
from tests.workers.hooks import QUICK, Hooks
from tests.workers.running import Installation, eventually, running
from workers import log_checkpoint
from workers.webhook import delivery as webhook_delivery


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.mark.parametrize("pattern", [CHECKPOINT_SIGNED, "log.*", "*"])
def test_a_signed_head_is_sent_to_who_asked_and_its_signature_holds_there(
    installation: Installation, receiver: Receiver, pattern: str
) -> None:
    hooks = Hooks(installation)
    asked, not_asked = receiver.endpoint(), receiver.endpoint()
    webhook_id = hooks.create(asked, pattern)
    other_id = hooks.create(not_asked, "contact.*")
    hooks.create(receiver.endpoint(), pattern, active=False)
    signed = sign(hooks.services.pool, hooks.workspace_id, hooks.services.signer)
    with running(hooks.config, partial(webhook_delivery.run, settings=QUICK)):
        eventually(lambda: len(asked.got) == 1)
    message: dict[str, Any] = asked.got[0].verified(hooks.secret(webhook_id))
    assert (message["type"], message["seq"], message["timestamp"]) == (CHECKPOINT_SIGNED, signed.seq, signed.signed_at)
    assert message["subject"] == {"type": "log", "id": str(hooks.workspace_id)}
    assert msgspec.convert(message["data"], Checkpoint) == signed
    assert signature_holds(msgspec.convert(message["data"], Checkpoint))
    (told,) = hooks.deliveries(webhook_id)
    assert (told.event_type, told.seq, str(told.event_id)) == (CHECKPOINT_SIGNED, signed.seq, message["id"])
    assert hooks.deliveries(other_id) == []


def test_signing_does_not_move_the_head_and_an_idle_log_is_signed_once(
    installation: Installation, receiver: Receiver
) -> None:
    hooks = Hooks(installation)
    webhook_id = hooks.create(receiver.endpoint(), "*")
    before = log_end(hooks.services.pool, hooks.workspace_id)
    with running(hooks.config, partial(log_checkpoint.run, every=0.02)):
        eventually(lambda: len(hooks.deliveries(webhook_id)) == 1)
        hooks.contact()
        eventually(lambda: len(hooks.deliveries(webhook_id)) == 2)
    assert sign(hooks.services.pool, hooks.workspace_id, hooks.services.signer).seq == before[0] + 1
    assert log_end(hooks.services.pool, hooks.workspace_id)[0] == before[0] + 1
    assert [told.seq for told in hooks.deliveries(webhook_id)] == [before[0] + 1, before[0]]


def test_the_event_at_the_signed_seq_is_delivered_too(installation: Installation, receiver: Receiver) -> None:
    hooks = Hooks(installation)
    endpoint = receiver.endpoint()
    webhook_id = hooks.create(endpoint, "*")
    hooks.contact()
    signed = sign(hooks.services.pool, hooks.workspace_id, hooks.services.signer)
    with hooks.delivering():
        eventually(lambda: len(endpoint.got) == 3)
    sent = {
        (message["type"], message["seq"])
        for message in (got.verified(hooks.secret(webhook_id)) for got in endpoint.got)
    }
    assert sent == {("webhook.created", 1), ("contact.created", signed.seq), (CHECKPOINT_SIGNED, signed.seq)}
    assert DeliveryQuery(event_type=CHECKPOINT_SIGNED).event_type in {
        told.event_type for told in hooks.deliveries(webhook_id)
    }
