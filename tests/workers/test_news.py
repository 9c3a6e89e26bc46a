from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from nats.aio.msg import Msg

from workers.consuming.news import news

ONE, OTHER = UUID(int=1), UUID(int=2)


def message(subject: str, data: bytes = b"", headers: dict[str, str] | None = None) -> Msg:
    client: Any = None
    return Msg(client, subject, data=data, headers=headers)


def test_of_each_workspace_the_highest_seq_counts() -> None:
    messages = [
        message(f"daybook.{ONE}.tag.created", headers={"Daybook-Seq": "7"}),
        message(f"daybook.{OTHER}.contact.created", headers={"Daybook-Seq": "3"}),
        message(f"daybook.{ONE}.contact.created", headers={"Daybook-Seq": "5"}),
    ]
    assert news(messages) == {ONE: 7, OTHER: 3}


@pytest.mark.parametrize("headers", [None, {}, {"Nats-Msg-Id": "4711"}])
def test_without_the_header_the_entry_itself_says_it(headers: dict[str, str] | None) -> None:
    entry = b'{"seq":12,"type":"tag.created","data":{"name":"VIP"}}'
    assert news([message(f"daybook.{ONE}.tag.created", entry, headers)]) == {ONE: 12}


@pytest.mark.parametrize(("data", "headers"), [(b"", None), (b"{}", None), (b"", {"Daybook-Seq": "seven"})])
def test_a_message_that_does_not_say_how_far_stands_for_any_seq(data: bytes, headers: dict[str, str] | None) -> None:
    (seq,) = news([message(f"daybook.{ONE}.tag.created", data, headers)]).values()
    assert seq > 10**18


@pytest.mark.parametrize("subject", ["daybook.", "daybook.tag.created", "elsewhere"])
def test_what_is_not_about_a_workspace_is_no_news(subject: str) -> None:
    assert news([message(subject)]) == {}


def test_what_a_consumer_ignores_is_no_news_to_it() -> None:
    messages = [
        message(f"daybook.{ONE}.webhook.created", headers={"Daybook-Seq": "7"}),
        message(f"daybook.{ONE}.contact.created", headers={"Daybook-Seq": "9"}),
        message(f"daybook.{OTHER}.contact.created", headers={"Daybook-Seq": "3"}),
    ]
    asked: list[tuple[UUID, str]] = []

    def ignores(workspace_id: UUID, event_type: str) -> bool:
        asked.append((workspace_id, event_type))
        return event_type == "contact.created"

    assert news(messages, ignores) == {ONE: 7}
    assert asked == [(ONE, "webhook.created"), (ONE, "contact.created"), (OTHER, "contact.created")]
