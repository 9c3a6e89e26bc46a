from __future__ import annotations

import base64
import time
from datetime import UTC, datetime

import pytest
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from eventstore.ids import new_id
from gateways.webhook_signature import new_secret, sealing_context, signature

BODY = '{"name":"Zoë"}'.encode()


def test_a_secret_is_32_random_bytes_in_base64_behind_its_prefix() -> None:
    first, second = new_secret(), new_secret()
    assert first != second
    assert first.startswith("whsec_")
    assert len(base64.b64decode(first.removeprefix("whsec_"), validate=True)) == 32


def test_the_signature_is_that_of_the_specifications_library() -> None:
    secret, message_id, now = new_secret(), new_id(), int(time.time())
    theirs = Verifier(secret).sign(str(message_id), datetime.fromtimestamp(now, UTC), BODY.decode())
    assert signature([secret], message_id, now, BODY) == theirs


def test_any_of_several_secrets_verifies_and_no_other() -> None:
    secrets, message_id, now = [new_secret(), new_secret()], new_id(), int(time.time())
    headers = {
        "webhook-id": str(message_id),
        "webhook-timestamp": str(now),
        "webhook-signature": signature(secrets, message_id, now, BODY),
    }
    for secret in secrets:
        Verifier(secret).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Verifier(new_secret()).verify(BODY, headers)


def test_a_secret_is_sealed_for_one_endpoint_of_one_workspace() -> None:
    one, other = new_id(), new_id()
    assert len({sealing_context(one, other), sealing_context(other, one), sealing_context(one, one)}) == 3
