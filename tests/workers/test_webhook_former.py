"""What webhooks are told of events of a former shape: today's, whichever of their names was asked for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from eventstore.ids import new_id
from tests.former import write_merge
from tests.receiver import Receiver, receiving
from tests.workers.hooks import Hooks
from tests.workers.running import Installation, eventually


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def test_it_is_sent_as_the_event_of_today_to_who_asked_for_it_by_either_name(
    installation: Installation, receiver: Receiver
) -> None:
    hooks, author = Hooks(installation), new_id()
    asked = ("contact_merge.made", "contact_merge.carried_out")
    endpoints = [receiver.endpoint() for _ in asked]
    ids = [hooks.create(endpoint, name) for endpoint, name in zip(endpoints, asked, strict=True)]
    with hooks.working() as context:
        _, _, note = hooks.act(lambda unit: write_merge(unit, author), context.store)
        eventually(lambda: all(len(endpoint.got) == 1 for endpoint in endpoints))
    for endpoint, webhook_id in zip(endpoints, ids, strict=True):
        message = endpoint.got[0].verified(hooks.secret(webhook_id))
        assert message["type"] == "contact_merge.carried_out"
        assert message["data"]["moved"] == [{"kind": "note", "id": str(note), "field": "contactId"}]
