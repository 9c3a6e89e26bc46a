from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from eventstore.ids import new_id
from gateways.webhook import Sent, WebhookSender, retry_after
from gateways.webhook_signature import new_secret
from tests.receiver import NEVER, Answer, Endpoint, Receiver, receiving

NOWHERE = "Cannot connect: the receiver has no address on the public internet."


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def send(url: str, body: bytes = b"{}", *, allow_private: bool = True, timeout: float = 5) -> Sent:
    async def main() -> Sent:
        async with WebhookSender(allow_private=allow_private, timeout=timeout) as sender:
            return await sender.send(url, new_id(), body, [new_secret()])

    return asyncio.run(main())


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_a_success(receiver: Receiver, status: int) -> None:
    sent = send(receiver.endpoint(Answer(status)).url)
    assert (sent.status, sent.error) == (status, None)


@pytest.mark.parametrize("status", [301, 302, 304, 307, 308, 400, 401, 404, 410, 429, 500, 503, 599])
def test_anything_else_is_a_failure(receiver: Receiver, status: int) -> None:
    sent = send(receiver.endpoint(Answer(status)).url)
    assert sent.status == status
    assert str(status) in (sent.error or "")


def test_of_a_long_answer_the_beginning_is_kept_and_nothing_that_postgres_could_not(receiver: Receiver) -> None:
    sent = send(receiver.endpoint(Answer(400, body="a\0b" + "c" * 1_000_000)).url)
    assert sent.excerpt is not None
    assert sent.excerpt.startswith("a�bccc")
    assert len(sent.excerpt) == 2048


def test_a_status_counts_although_the_rest_of_the_answer_never_comes() -> None:
    with stubborn(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc") as url:
        sent = send(url)
    assert (sent.status, sent.error) == (200, None)
    assert sent.duration_ms < 4_000


def test_a_large_body_arrives_whole(receiver: Receiver) -> None:
    endpoint = receiver.endpoint()
    body = b'"' + b"x" * 3_000_000 + b'"'
    assert send(endpoint.url, body).error is None
    assert endpoint.got[0].body == body


def test_each_way_to_fail_is_said_in_a_sentence_without_the_url(receiver: Receiver) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = unused.getsockname()[1]
    told = {
        send(receiver.endpoint(NEVER).url, timeout=0.2).error: "No answer within 0.2 s.",
        send(f"http://127.0.0.1:{closed}/secret").error: "Cannot connect: Connection refused.",
        send("http://receiver.invalid/secret").error: "The host name cannot be resolved.",
        send(f"https://127.0.0.1:{receiver.port}/secret").error: "TLS failed: WRONG_VERSION_NUMBER.",
        send("http://[::1/secret").error: "The URL cannot be used: it is not valid.",
    }
    with stubborn(b"") as url:
        told[send(url, timeout=5).error] = "The receiver closed the connection without an answer."
    with stubborn(b"garbage\r\n\r\n") as url:
        told[send(url).error] = "The request failed: ClientResponseError."
    assert list(told) == list(told.values())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0x7f000001"])
def test_an_address_that_is_not_public_is_never_connected_to(host: str) -> None:
    with listening() as (port, connected):
        sent = send(f"https://{host}:{port}/", allow_private=False)
        assert not connected()
    assert sent.error == NOWHERE


@pytest.mark.parametrize("host", ["2130706433", "127.1", "0"])
def test_other_ways_to_write_an_address_do_not_get_around_it(host: str) -> None:
    with listening() as (port, connected):
        assert send(f"https://{host}:{port}/", allow_private=False).error is not None
        assert not connected()


def test_a_name_that_resolves_differently_each_time_does_not_get_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was found out before, the address that is connected to is looked at."""
    answers = iter([["192.0.2.7", "127.0.0.1"], ["127.0.0.1"]])

    def rebinding(host: str, port: int, **_: Any) -> list[Any]:
        assert host == "rebinding.example"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in next(answers)]

    with listening() as (port, connected):
        monkeypatch.setattr(socket, "getaddrinfo", rebinding)
        for _ in range(2):
            sent = send(f"https://rebinding.example:{port}/", allow_private=False)
            assert sent.error == NOWHERE
        assert not connected()


def test_whether_a_name_inside_can_be_resolved_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that leads to a private address is answered to the letter like one that there is not."""

    def resolver(host: str, port: int, **_: Any) -> list[Any]:
        if host != "vault.corp.example":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.1.2.3", port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    told = {send(f"https://{host}.corp.example/", allow_private=False).error for host in ("vault", "no-such-thing")}
    assert told == {NOWHERE}


def test_plain_http_is_refused_unless_it_is_allowed(receiver: Receiver) -> None:
    endpoint = receiver.endpoint()
    assert send(endpoint.url, allow_private=False).error == "The URL cannot be used: plain http is not allowed."
    assert endpoint.got == []


def test_proxies_of_the_environment_are_not_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = receiver.endpoint()
    with listening() as (port, connected):
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        monkeypatch.delenv("no_proxy", raising=False)
        assert send(endpoint.url).error is None
        assert not connected()


def test_cookies_are_not_kept(receiver: Receiver) -> None:
    endpoint = receiver.endpoint(Answer(headers={"Set-Cookie": "a=b; Path=/"}))

    async def main() -> None:
        async with WebhookSender(allow_private=True) as sender:
            for _ in range(2):
                await sender.send(endpoint.url, new_id(), b"{}", [new_secret()])

    asyncio.run(main())
    assert has_no_cookie(endpoint)


def has_no_cookie(endpoint: Endpoint) -> bool:
    return len(endpoint.got) == 2 and all("cookie" not in got.headers for got in endpoint.got)


def test_retry_after_is_seconds_or_a_date_and_at_most_a_day() -> None:
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    long_ago = format_datetime(datetime.now(UTC) - timedelta(seconds=60), usegmt=True)
    assert retry_after("7") == 7
    assert retry_after(" 120 ") == 120
    assert 58 <= (retry_after(in_a_minute) or 0) <= 60
    assert retry_after(long_ago) == 0
    assert retry_after("999999999999999") == 86_400
    for nothing in (None, "", "soon", "-5", "1.5", "²"):
        assert retry_after(nothing) is None


class stubborn:  # noqa: N801 - used as a context manager
    """A server that answers its first request with these bytes, and with nothing more; without any it hangs up."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.server = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self.serve)
        self.kept: list[socket.socket] = []

    def serve(self) -> None:
        connection, _ = self.server.accept()
        connection.recv(65536)
        if self.answer:
            connection.sendall(self.answer)
            self.kept.append(connection)
        else:
            connection.close()

    def __enter__(self) -> str:
        self.thread.start()
        return f"http://127.0.0.1:{self.server.getsockname()[1]}/"

    def __exit__(self, *_: object) -> None:
        self.thread.join(5)
        for connection in self.kept:
            connection.close()
        self.server.close()


class listening:  # noqa: N801 - used as a context manager
    """A port of this machine on every address, and whether anybody connected to it."""

    def __init__(self) -> None:
        self.server = socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True)
        self.server.settimeout(0.05)

    def connected(self) -> bool:
        try:
            self.server.accept()[0].close()
        except TimeoutError:
            return False
        return True

    def __enter__(self) -> tuple[int, Callable[[], bool]]:
        return self.server.getsockname()[1], self.connected

    def __exit__(self, *_: object) -> None:
        self.server.close()
