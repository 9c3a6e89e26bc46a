"""Settings: what the environment says, checked once at start."""

from __future__ import annotations

import base64
import binascii
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.utils import parseaddr
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import unquote, urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from application.calling.signing import CommandSigner, key_from_file, public_key_from_file, signing_key, words
from domain.kernel.values import email, web_url
from eventstore.checkpoint import Signer
from gateways.checkpoint_bucket import Bucket, address, endpoint
from gateways.checkpoint_folder import folder
from gateways.checkpoint_sink import CheckpointSink, SinkError, SinkRefusedError
from gateways.mail import MailServer, Security

T = TypeVar("T")

_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off", ""})
_LEVELS: Final = frozenset({"DEBUG", "INFO", "WARNING", "ERROR"})

_SMTP: Final[Mapping[str, tuple[Security, int]]] = {
    "smtp": ("starttls", 587),
    "smtps": ("tls", 465),
    "smtp+plain": ("none", 25),
}
"""By scheme, how a mail server is spoken to, and its port unless another is given."""
_MAIL: Final = "smtp://user:password@host:587, smtps://user:password@host:465 or smtp+plain://host:25"

_DATABASE: Final = "postgresql://user:password@host:5432/database"


logger = logging.getLogger("daybook.checkpoints")


class SettingsError(Exception):
    """A setting that cannot be used; the message names the variable and what was expected."""


def available_processes() -> int:
    """Enough to be done soon, and not all that a large machine has."""
    if hasattr(os, "sched_getaffinity"):  # macOS has no such thing
        return min(4, len(os.sched_getaffinity(0)))
    return min(4, os.cpu_count() or 1)


@dataclass(frozen=True)
class Settings:
    """What ``docs/settings.md`` lists. ``database_url`` and ``nats_url`` unset mean the embedded servers;
    ``allow_private_webhooks`` unset: only with ``serve`` on a loopback address.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    data: Path = Path(".daybook")
    database_url: str | None = field(default=None, repr=False)
    nats_url: str | None = field(default=None, repr=False)
    stream_replicas: int | None = None
    stream_max_age_days: int | None = None
    access_log_days: int = 365
    secret_key: bytes | None = field(default=None, repr=False)
    checkpoint_sink: CheckpointSink | None = None
    signing_key: Ed25519PrivateKey | None = field(default=None, repr=False)
    signing_command: tuple[str, ...] | None = field(default=None, repr=False)
    signing_public_key: Ed25519PublicKey | None = field(default=None, repr=False)
    allow_private_webhooks: bool | None = None
    rate_limits: bool = True
    threads: int = 20
    queue: int = 1000
    queue_seconds: int = 10
    patience_seconds: int = 15
    log_level: str = "INFO"
    log_format: str = "text"
    url: str | None = None
    mail_server: MailServer | None = None
    audit_export_days: int = 7
    rebuild_processes: int = field(default_factory=available_processes)
    metrics_port: int | None = None
    metrics_host: str = "127.0.0.1"
    metrics_token: str | None = field(default=None, repr=False)
    app_password: str | None = field(default=None, repr=False)
    worker_password: str | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        """Where the API is from this machine."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104 - compared, not bound
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    def need_database(self) -> str:
        if self.database_url is None:
            raise SettingsError(f"DATABASE_URL must be set: {_DATABASE}")
        return self.database_url

    def need_nats(self) -> str:
        if self.nats_url is None:
            raise SettingsError("NATS_URL must be set: nats://host:4222")
        return self.nats_url

    def need_secret_key(self) -> bytes:
        if self.secret_key is None:
            raise SettingsError("DAYBOOK_SECRET_KEY must be set: 32 random bytes in base64 (openssl rand -base64 32)")
        return self.secret_key

    def need_checkpoint_sink(self) -> CheckpointSink | None:
        """Where checkpoints are kept elsewhere, if anywhere; one that is away now may come back, and is tried on."""
        try:
            if self.checkpoint_sink is not None:
                self.checkpoint_sink.check()
        except SinkRefusedError as error:
            raise SettingsError(f"DAYBOOK_CHECKPOINT_SINK cannot be used: {error}") from None
        except SinkError as error:
            logger.warning("DAYBOOK_CHECKPOINT_SINK is away: %s", error)
        return self.checkpoint_sink

    def signer(self, secret_key: bytes) -> Signer:
        """What signs checkpoints: the command or the key that is set, else the key that the secret key leads to."""
        if self.signing_command is not None and self.signing_public_key is not None:
            return CommandSigner(self.signing_command, self.signing_public_key)
        return self.signing_key or signing_key(secret_key)


def load(environment: Mapping[str, str] = os.environ) -> Settings:
    """Reads the environment; raises ``SettingsError``."""
    return Settings(
        host=environment.get("DAYBOOK_HOST", "127.0.0.1"),
        port=_number(environment, "DAYBOOK_PORT", 8000),
        data=Path(environment.get("DAYBOOK_DATA", ".daybook")),
        database_url=_database(environment.get("DATABASE_URL")),
        nats_url=environment.get("NATS_URL") or None,
        stream_replicas=_whole(environment, "DAYBOOK_STREAM_REPLICAS", 5),
        stream_max_age_days=_whole(environment, "DAYBOOK_STREAM_MAX_AGE_DAYS", 3650),
        access_log_days=_whole(environment, "DAYBOOK_ACCESS_LOG_DAYS", 3650) or 365,
        secret_key=_key(environment.get("DAYBOOK_SECRET_KEY")),
        checkpoint_sink=_checkpoint_sink(environment),
        **_signing(environment),
        allow_private_webhooks=_flag(environment, "DAYBOOK_ALLOW_PRIVATE_WEBHOOKS"),
        rate_limits=_flag(environment, "DAYBOOK_RATE_LIMITS") is not False,
        threads=_whole(environment, "DAYBOOK_THREADS", 500) or 20,
        queue=_whole(environment, "DAYBOOK_QUEUE", 100_000) or 1000,
        queue_seconds=_whole(environment, "DAYBOOK_QUEUE_SECONDS", 600) or 10,
        patience_seconds=_whole(environment, "DAYBOOK_PATIENCE_SECONDS", 3600) or 15,
        log_level=_one_of(environment, "DAYBOOK_LOG_LEVEL", "INFO", _LEVELS),
        log_format=_one_of(environment, "DAYBOOK_LOG_FORMAT", "text", frozenset({"text", "json"})),
        url=_url(environment),
        mail_server=_mail_server(environment),
        audit_export_days=_whole(environment, "DAYBOOK_AUDIT_EXPORT_DAYS", 30) or 7,
        rebuild_processes=_whole(environment, "DAYBOOK_REBUILD_PROCESSES", 64) or available_processes(),
        metrics_port=_number(environment, "DAYBOOK_METRICS_PORT", 0) or None,
        metrics_host=environment.get("DAYBOOK_METRICS_HOST") or "127.0.0.1",
        metrics_token=environment.get("DAYBOOK_METRICS_TOKEN") or None,
        app_password=environment.get("DAYBOOK_APP_PASSWORD") or None,
        worker_password=environment.get("DAYBOOK_WORKER_PASSWORD") or None,
    )


def _database(given: str | None) -> str | None:
    """Nothing of one that is none is said: it has a password."""
    try:
        conninfo_to_dict(given or "")
    except ProgrammingError:
        raise SettingsError(f"DATABASE_URL must be as {_DATABASE}") from None
    return given or None


def _checkpoint_sink(environment: Mapping[str, str]) -> CheckpointSink | None:
    """A folder, which must be there, or a bucket, which ``need_checkpoint_sink`` asks."""
    if not environment.get("DAYBOOK_CHECKPOINT_SINK", "").startswith("s3://"):
        return _read(environment, "DAYBOOK_CHECKPOINT_SINK", folder)
    bucket, prefix = _read(environment, "DAYBOOK_CHECKPOINT_SINK", address) or ("", "")
    return Bucket(
        bucket=bucket,
        prefix=prefix,
        endpoint=_read(environment, "DAYBOOK_CHECKPOINT_S3_ENDPOINT", endpoint) or "https://s3.amazonaws.com",
        mode=_one_of(environment, "DAYBOOK_CHECKPOINT_S3_MODE", "COMPLIANCE", frozenset({"COMPLIANCE", "GOVERNANCE"})),
        days=_whole(environment, "DAYBOOK_CHECKPOINT_S3_DAYS", 36_500) or 365,
    )


def _signing(environment: Mapping[str, str]) -> dict[str, Any]:
    """The key file or the command that is set; of a command, which key it signs with must be said."""
    signing_key = _read(environment, "DAYBOOK_SIGNING_KEY", lambda given: key_from_file(Path(given)))
    command = _read(environment, "DAYBOOK_SIGNING_COMMAND", words)
    public_key = _read(environment, "DAYBOOK_SIGNING_PUBLIC_KEY", lambda given: public_key_from_file(Path(given)))
    if signing_key is not None and command is not None:
        raise SettingsError("DAYBOOK_SIGNING_KEY and DAYBOOK_SIGNING_COMMAND: only one of them can sign")
    if (command is None) is not (public_key is None):
        raise SettingsError("DAYBOOK_SIGNING_PUBLIC_KEY must be set with DAYBOOK_SIGNING_COMMAND, and only with it")
    return {"signing_key": signing_key, "signing_command": command, "signing_public_key": public_key}


def _read(environment: Mapping[str, str], name: str, read: Callable[[str], T]) -> T | None:
    """None where it is not set. Nothing of what is set is said."""
    given = environment.get(name)
    if not given:
        return None
    try:
        return read(given)
    except ValueError as error:
        raise SettingsError(f"{name} {error}") from None


def _url(environment: Mapping[str, str]) -> str | None:
    given = environment.get("DAYBOOK_URL")
    if not given:
        return None
    try:
        return web_url(given).rstrip("/")
    except ValueError as error:
        raise SettingsError(f"DAYBOOK_URL {error}") from None


def _mail_server(environment: Mapping[str, str]) -> MailServer | None:
    """Nothing of an address that is none is said: it has a password."""
    given = environment.get("DAYBOOK_SMTP_URL")
    if not given:
        return None
    parts = urlsplit(given)
    try:
        security, port = _SMTP[parts.scheme]
        port = parts.port or port
    except (KeyError, ValueError):
        raise SettingsError(f"DAYBOOK_SMTP_URL must be as {_MAIL}") from None
    if not parts.hostname or parts.path.strip("/") or parts.query or (parts.password and not parts.username):
        raise SettingsError(f"DAYBOOK_SMTP_URL must be as {_MAIL}")
    if security == "none" and parts.username:
        raise SettingsError(
            "DAYBOOK_SMTP_URL must be smtp:// or smtps:// where it has a password: no password goes unsealed"
        )
    return MailServer(
        host=parts.hostname,
        port=port,
        security=security,
        sender=_sender(environment),
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
    )


def _sender(environment: Mapping[str, str]) -> Address:
    name, address = parseaddr(environment.get("DAYBOOK_MAIL_FROM", ""))
    try:
        local, _, domain = email(address).rpartition("@")
    except ValueError:
        raise SettingsError("DAYBOOK_MAIL_FROM must be set with DAYBOOK_SMTP_URL: Acme <crm@acme.example>") from None
    return Address(name, local, domain)


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    given = environment.get(name, "")
    if not given:
        return default
    if not given.isdigit() or not 0 <= int(given) <= 65535:
        raise SettingsError(f"{name} must be a port number from 0 to 65535, not {given!r}")
    return int(given)


def _whole(environment: Mapping[str, str], name: str, highest: int) -> int | None:
    given = environment.get(name, "")
    if not given:
        return None
    if not given.isdecimal() or not 1 <= int(given) <= highest:
        raise SettingsError(f"{name} must be a whole number from 1 to {highest}, not {given!r}")
    return int(given)


def _flag(environment: Mapping[str, str], name: str) -> bool | None:
    """None where it is not set."""
    given = environment.get(name)
    if given is None:
        return None
    if given.lower() not in _TRUE | _FALSE:
        raise SettingsError(f"{name} must be 1 or 0, not {given!r}")
    return given.lower() in _TRUE


def _one_of(environment: Mapping[str, str], name: str, default: str, allowed: frozenset[str]) -> str:
    given = environment.get(name) or default
    found = next((value for value in allowed if value.lower() == given.lower()), None)
    if found is None:
        raise SettingsError(f"{name} must be one of {', '.join(sorted(allowed))}, not {given!r}")
    return found


def _key(given: str | None) -> bytes | None:
    if not given:
        return None
    try:
        key = base64.b64decode(given, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != 32:
        raise SettingsError("DAYBOOK_SECRET_KEY must be 32 bytes in base64 (openssl rand -base64 32)")
    return key
