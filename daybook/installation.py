"""An installation on one machine: the embedded servers over one data directory, and the addresses of its roles."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from application.calling.secretbox import KEY_BYTES
from daybook.embedded import EmbeddedNats, EmbeddedPostgres, EmbeddedServerError, lock_data
from daybook.settings import Settings, SettingsError
from eventstore.checkpoint import Signer

WATCH_SECONDS = 1.0
CREDENTIALS_FILE = "credentials.json"
KEY_FILE = "secret.key"

log = logging.getLogger("daybook.installation")


@dataclass(frozen=True)
class Installation:
    """The embedded servers, running. ``app``, ``worker`` and ``owner`` are database URLs by role."""

    data: Path
    postgres: EmbeddedPostgres
    nats: EmbeddedNats

    @property
    def owner(self) -> str:
        return self.postgres.url()

    @property
    def app(self) -> str:
        return self.postgres.url(user="daybook_app")

    @property
    def worker(self) -> str:
        return self.postgres.url(user="daybook_worker")


@contextmanager
def running(settings: Settings) -> Iterator[Installation]:
    """Starts the embedded servers and stops them again. Raises ``EmbeddedServerError``, as when another runs them."""
    data = settings.data.resolve()
    check_whole(data)
    with lock_data(data), EmbeddedPostgres(data) as postgres, EmbeddedNats(data) as nats, _watched(postgres, nats):
        yield Installation(data, postgres, nats)


def check_whole(data: Path) -> None:
    """Refuses (``EmbeddedServerError``) a folder of which a part is gone: what is left is no new installation.

    A first start makes the database before the key, and the credentials last; so one that was interrupted is whole.
    """
    place, kept = os.path.relpath(data), [name for name in (CREDENTIALS_FILE, KEY_FILE) if (data / name).exists()]
    if kept and not has_database(data):
        raise EmbeddedServerError(
            f"the database of this installation is gone: {place}/postgres is missing or empty, and {' and '.join(kept)}"
            f" beside it is not. Put it back from a backup; or, to begin anew without all that it held, move"
            f" {place} away"
        )
    if kept == [CREDENTIALS_FILE]:
        raise EmbeddedServerError(
            f"{place}/{KEY_FILE} is gone, and with it what opens the secrets in the database. Put it back from a"
            f" backup; or make another (head -c {KEY_BYTES} /dev/urandom > {place}/{KEY_FILE}), and then a new secret"
            " for each webhook"
        )


def secret_key(settings: Settings) -> bytes:
    """The key that is set, else that of the installation in ``DAYBOOK_DATA``. Raises ``SettingsError`` without either."""
    file = settings.data / KEY_FILE
    if settings.secret_key is not None:
        return settings.secret_key
    if not file.exists():
        raise SettingsError(f"DAYBOOK_SECRET_KEY is not set, and there is no {os.path.relpath(file)}")
    return file.read_bytes()


def signer(settings: Settings) -> Signer:
    """What signs checkpoints. Raises ``SettingsError`` where no key is at hand."""
    if settings.signing_command is not None or settings.signing_key is not None:
        return settings.signer(b"")
    return settings.signer(secret_key(settings))


def has_database(data: Path) -> bool:
    """Whether the embedded Postgres has been made there."""
    return (data / "postgres" / "PG_VERSION").exists()


@contextmanager
def _watched(*servers: EmbeddedPostgres | EmbeddedNats) -> Iterator[None]:
    """Starts a server again that dies meanwhile."""
    done = threading.Event()

    def watch() -> None:
        while not done.wait(WATCH_SECONDS):
            for server in servers:
                if server.pid is None:
                    log.warning("%s died; starting it again", type(server).__name__)
                    try:
                        server.start()
                    except EmbeddedServerError:
                        log.exception("cannot start it; trying again")

    watcher = threading.Thread(target=watch, name="watch-servers", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


@contextmanager
def owner_url(settings: Settings) -> Iterator[str]:
    """The database as its owner: ``DATABASE_URL``, else the embedded one, started for this where it is not running."""
    if settings.database_url is not None:
        yield settings.database_url
        return
    data = settings.data.resolve()
    check_whole(data)
    if not has_database(data):
        raise EmbeddedServerError(f"there is no installation in {os.path.relpath(data)}; start one with: daybook serve")
    postgres = EmbeddedPostgres(data)
    try:
        lock = lock_data(data)
        lock.__enter__()
    except EmbeddedServerError:
        yield postgres.url()  # `daybook serve` runs it
        return
    try:
        with postgres:
            yield postgres.url()
    finally:
        lock.__exit__(None, None, None)
