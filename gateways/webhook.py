"""Sends signed webhooks over HTTP: one attempt, and what came of it."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from io import BytesIO
from typing import Any, Final, Self
from uuid import UUID

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from gateways.address import AddressNotAllowedError, public_socket
from gateways.webhook_signature import signature

TIMEOUT_SECONDS: Final = 15.0
"""From looking up the host name to the answer's status."""
EXCERPT_SECONDS: Final = 2.0
EXCERPT_BYTES: Final = 2048
MAX_RETRY_AFTER: Final = 24 * 3600.0

_RESOLVING: Final = 64
"""Host names looked up at a time; one whose name servers don't answer takes one of them for seconds."""
_KEEPALIVE_SECONDS: Final = 4.0
"""Less than the 5 s after which many servers close: a request must not meet a connection that is being closed."""
_WHOLE_BYTES: Final = 2**20
_USER_AGENT: Final = f"Daybook/{version('daybook')}"


@dataclass(frozen=True, slots=True)
class Sent:
    """One attempt. ``error`` says in a sentence what was wrong; ``None`` when the receiver answered 2xx."""

    started_at: datetime
    duration_ms: int
    status: int | None = None
    error: str | None = None
    excerpt: str | None = None
    retry_after: float | None = None
    """Seconds that the receiver asked to be left alone for."""

    @classmethod
    def unsent(cls, error: str) -> Sent:
        """An attempt that did not come to a request."""
        return cls(started_at=datetime.now(UTC), duration_ms=0, error=error)


@dataclass(slots=True)
class _Answer:
    status: int | None = None
    excerpt: str | None = None
    retry_after: float | None = None


class WebhookSender:
    """For one event loop. Unless ``allow_private``, it sends to public addresses and by https only.

    Redirects are not followed, cookies not kept, and proxies of the environment not used.
    """

    def __init__(self, *, allow_private: bool, timeout: float = TIMEOUT_SECONDS) -> None:
        self._allow_private = allow_private
        self._timeout = timeout
        self._resolver = _Resolver()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0,  # who sends says how much at a time
                resolver=self._resolver,
                keepalive_timeout=_KEEPALIVE_SECONDS,
                socket_factory=None if allow_private else public_socket,
            ),
            timeout=aiohttp.ClientTimeout(total=None),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": _USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity"},
            auto_decompress=False,  # the excerpt is of what came over the wire, and cannot blow up
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()
        await self._resolver.close()

    async def send(self, url: str, message_id: UUID, body: bytes, secrets: Sequence[str]) -> Sent:
        """Posts the body, signed with each secret at the present time. Whatever goes wrong is in the answer."""
        started_at = datetime.now(UTC)
        started = time.perf_counter()
        timestamp = int(started_at.timestamp())
        headers = {
            "Content-Type": "application/json",
            "webhook-id": str(message_id),
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(secrets, message_id, timestamp, body),
        }
        answer = _Answer()
        error: str | None
        try:
            async with asyncio.timeout(self._timeout):
                await self._post(url, headers, body, answer)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as exception:
            error = self._told(exception)
        else:
            error = None
        if answer.status is not None:
            error = _refusal(answer.status)
        return Sent(
            started_at=started_at,
            duration_ms=round((time.perf_counter() - started) * 1000),
            status=answer.status,
            error=error,
            excerpt=answer.excerpt,
            retry_after=answer.retry_after,
        )

    async def _post(self, url: str, headers: dict[str, str], body: bytes, answer: _Answer) -> None:
        """Fills in the answer as it comes, so that a status counts even where the rest of the answer does not come."""
        if not (self._allow_private or url.startswith("https:")):
            raise aiohttp.InvalidURL(url, "plain http is not allowed")
        data: Any = body if len(body) <= _WHOLE_BYTES else BytesIO(body)
        async with self._session.post(url, data=data, headers=headers, allow_redirects=False) as response:
            answer.status = response.status
            answer.retry_after = retry_after(response.headers.get("Retry-After"))
            async with asyncio.timeout(EXCERPT_SECONDS):
                answer.excerpt = await _excerpt(response.content)

    def _told(self, error: Exception) -> str:  # noqa: PLR0911 - a sentence for each way to fail
        """In a sentence, and without the URL: its path or query may be a secret of the receiver's."""
        match error:
            case TimeoutError():
                return f"No answer within {self._timeout:g} s."
            case aiohttp.InvalidURL() as invalid:
                return f"The URL cannot be used: {invalid.description or 'it is not valid'}."
            case aiohttp.ClientConnectorDNSError() if self._allow_private:
                return "The host name cannot be resolved."
            case aiohttp.ClientConnectorCertificateError() as certificate:
                return f"The receiver's certificate is not trusted: {_reason(certificate.certificate_error)}."
            case aiohttp.ClientSSLError() as tls:
                return f"TLS failed: {_reason(tls.os_error)}."
            case aiohttp.ClientConnectorError() as connecting:
                return f"Cannot connect: {_reason(connecting.os_error)}."
            case aiohttp.ServerDisconnectedError():
                return "The receiver closed the connection without an answer."
            case _:
                return f"The request failed: {type(error).__name__}."


def _reason(error: Exception) -> str:
    """Names that cannot be resolved are told like those of addresses inside, so that nobody learns which there are."""
    if isinstance(error, AddressNotAllowedError | socket.gaierror) or str(AddressNotAllowedError()) in str(error):
        return str(AddressNotAllowedError())
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError):
        return error.reason or "SSLError"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return type(error).__name__


def _refusal(status: int) -> str | None:
    """What is wrong with a status; nothing with 2xx."""
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return f"The receiver answered {status}: redirects are not followed."
    return f"The receiver answered {status}."


async def _excerpt(content: aiohttp.StreamReader) -> str | None:
    found = b""
    while len(found) < EXCERPT_BYTES and (part := await content.read(EXCERPT_BYTES - len(found))):
        found += part
    return found.decode(errors="replace").replace("\0", "�") or None


def retry_after(given: str | None) -> float | None:
    """The seconds that a ``Retry-After`` header asks for, at most a day; ``None`` where it says nothing of use."""
    if given is None:
        return None
    text = given.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:12]), MAX_RETRY_AFTER)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return min(max(0.0, (at - datetime.now(UTC)).total_seconds()), MAX_RETRY_AFTER)


class _Resolver(AbstractResolver):
    """The system's resolver in threads of its own: name servers that don't answer hold up nothing else."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_RESOLVING, thread_name_prefix="webhook-dns")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        infos = await asyncio.get_running_loop().run_in_executor(self._threads, _addresses, host, port, family)
        return [
            ResolveResult(hostname=host, host=address, port=port, family=kind, proto=protocol, flags=_NUMERIC)
            for kind, protocol, address in infos
        ]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


_NUMERIC: Final = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


def _addresses(host: str, port: int, family: int) -> list[tuple[int, int, str]]:
    """Addresses with a scope (link-local ones) cannot be reached by number alone, and are left out."""
    found = socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
    usable = [
        (int(kind), protocol, str(address[0]))
        for kind, _, protocol, _, address in found
        if len(address) < 4 or not address[3]
    ]
    if not usable:
        raise socket.gaierror(socket.EAI_NONAME, "no usable address")
    return usable
