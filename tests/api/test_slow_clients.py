"""Clients that send or read too slowly keep no connection."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from urllib.parse import urlsplit

import httpx
import pytest

from api.http import server as served
from api.http.protocol import MAX_UNFINISHED
from tests.api.team import Team

SECONDS = 0.3


@pytest.fixture
def connected(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    monkeypatch.setattr(served, "READ_SECONDS", SECONDS)
    address = urlsplit(server)
    with closing(socket.create_connection((address.hostname, address.port), timeout=20)) as found:
        yield found


def answered(connected: socket.socket) -> bytes:
    """All that is answered, until the connection is closed."""
    return b"".join(iter(lambda: connected.recv(65536), b""))


@pytest.mark.parametrize(
    "sent",
    [b"", b"\r\n", b"GET /heal", b"GET /healthz HTTP/1.1\r\nHost: a\r\n", b"GET /healthz HTTP/1.1\r\nHost: a\r\nX"],
)
def test_a_head_that_does_not_arrive_is_not_waited_for(connected: socket.socket, sent: bytes) -> None:
    connected.sendall(sent)
    assert answered(connected).startswith(b"HTTP/1.1 408 ")


def test_a_body_that_trickles_is_not_waited_for(connected: socket.socket, team: Team) -> None:
    head = f"POST /api/v1/tags HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {team.owner.token}\r\nContent-Length: 90\r\n\r\n"
    connected.sendall(head.encode())
    began = time.monotonic()
    with pytest.raises(OSError, match=r"."):  # noqa: PT012 - which of the two it is depends on when it is noticed
        while time.monotonic() - began < 20:
            connected.sendall(b" ")
            time.sleep(SECONDS / 4)
    assert time.monotonic() - began < 10


def test_a_body_that_comes_fast_enough_is(connected: socket.socket, team: Team) -> None:
    body = b'{"name": "Slow"' + b" " * 3_000 + b"}"
    head = (
        f"POST /api/v1/tags HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {team.owner.token}\r\n"
        f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    connected.sendall(head.encode())
    for start in range(0, len(body), 250):
        connected.sendall(body[start : start + 250])
        time.sleep(SECONDS / 4)
    assert answered(connected).startswith(b"HTTP/1.1 201 ")


def test_headers_that_do_not_end_are_cut_off(connected: socket.socket) -> None:
    """Though they come fast."""
    connected.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n")
    line, sent = b"X-Much: " + b"y" * 1000 + b"\r\n", 0
    with suppress(ConnectionError):
        while sent < 100 * MAX_UNFINISHED:
            connected.sendall(line)
            sent += len(line)
    assert sent < 100 * MAX_UNFINISHED
    with suppress(ConnectionError):
        assert answered(connected)[:13] in (b"HTTP/1.1 431 ", b"")


def test_an_answer_that_is_not_read_is_not_kept_for_ever(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks for much and reads nothing is cut off; whoever reads, if late, gets all of it."""
    monkeypatch.setattr(served, "WRITE_SECONDS", SECONDS)
    monkeypatch.setattr(served, "READ_SECONDS", 60.0)
    times, length = 40, len(httpx.get(f"{server}/openapi.json").content)
    asked = b"GET /openapi.json HTTP/1.1\r\nHost: a\r\nAccept-Encoding: identity\r\n\r\n" * times
    assert times * length > 20_000_000, "more than the system keeps for a connection"

    def taken(pause: float) -> int:
        with closing(socket.create_connection((urlsplit(server).hostname, urlsplit(server).port), timeout=20)) as found:
            found.sendall(asked)
            time.sleep(pause)
            return read(found, times * length)

    assert taken(0) >= times * length
    assert taken(10 * SECONDS) < times * length


def read(connected: socket.socket, wanted: int) -> int:
    """Bytes that come, until there are as many as wanted or no more."""
    count = 0
    with suppress(ConnectionError):
        while count < wanted and (part := connected.recv(1 << 20)):
            count += len(part)
    return count
