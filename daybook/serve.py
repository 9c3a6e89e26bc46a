"""``daybook serve``: everything in one go, on the embedded servers."""

from __future__ import annotations

import base64
import os
import shlex
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from daybook import bootstrap
from daybook.installation import CREDENTIALS_FILE, KEY_FILE, Installation, running
from daybook.settings import Settings, SettingsError
from daybook.sharing import sharing
from daybook.supervisor import Supervisor
from eventstore.migrate import connect, migrate, set_password
from projections.catalogue import TABLES, VIEWS
from projections.contact_alike_kept import forget_groups
from projections.table.rebuild import ensure_tables
from projections.view.rebuild import ensure_views

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def serve(settings: Settings, say: Callable[[str], None]) -> int:
    """Starts, says where, and returns when it was asked to stop and everything it started has ended."""
    _check_port(settings)
    settings.need_checkpoint_sink()
    say("starting Postgres and NATS …")
    with running(settings) as installation:
        bring_up_to_date(installation.owner, say, settings.rebuild_processes)
        key = bootstrap.secret_key(installation.data / KEY_FILE)
        url, credentials = settings.address, installation.data / CREDENTIALS_FILE
        first = not credentials.exists()
        bootstrap.credentials(credentials, installation.app, key, url)
        supervisor = Supervisor()
        _add_children(supervisor, settings, installation, key)
        ready = threading.Thread(target=_greet, args=(url, first, installation, say), daemon=True)
        ready.start()
        code = supervisor.run()
        say("stopping Postgres and NATS …")
    say("stopped")
    return code


def bring_up_to_date(owner_url: str, say: Callable[[str], None], processes: int = 1) -> None:
    """Applies missing migrations and rebuilds the row tables, by so many processes, and the views whose version changed."""
    with connect(owner_url) as conn, sharing(owner_url, processes) as share:
        migrate(conn, say)
        forget_groups(conn, ensure_tables(conn, TABLES, say, share))
        ensure_views(conn, VIEWS, say)


def set_passwords(owner_url: str, settings: Settings) -> None:
    """Gives the service's roles the passwords from the settings, if there are any."""
    with connect(owner_url) as conn:
        for role, password in (("daybook_app", settings.app_password), ("daybook_worker", settings.worker_password)):
            if password is not None:
                set_password(conn, role, password)


def _check_port(settings: Settings) -> None:
    """Finds out before anything is started whether the address can be had."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise SettingsError(
                f"{settings.host}:{settings.port} cannot be used ({error.strerror}); choose another with DAYBOOK_PORT"
            ) from error


def allows_private_webhooks(settings: Settings) -> bool:
    """As it is set; where it is not, on one's own machine alone, where receivers are on this machine too."""
    found = settings.allow_private_webhooks
    return settings.host in LOOPBACK if found is None else found


def _add_children(supervisor: Supervisor, settings: Settings, installation: Installation, key: bytes) -> None:
    common = {
        "NATS_URL": installation.nats.url_file.as_uri(),
        "DAYBOOK_SECRET_KEY": base64.b64encode(key).decode(),
        "DAYBOOK_ALLOW_PRIVATE_WEBHOOKS": "1" if allows_private_webhooks(settings) else "0",
    }
    program = [sys.executable, "-m", "daybook"]
    supervisor.add("api", [*program, "api"], {**common, "DATABASE_URL": installation.app})
    supervisor.add("worker", [*program, "worker"], {**common, "DATABASE_URL": installation.worker})


def _greet(url: str, first: bool, installation: Installation, say: Callable[[str], None]) -> None:
    """Waits until the API serves, and says what to do next."""
    while True:
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=2):  # noqa: S310 - our own address
                break
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    say(f"\nDaybook is ready: {url}   (documentation: {url}/docs)")
    if first:
        say(f"A workspace and its API key were made; they are in {installation.data}/{CREDENTIALS_FILE}")
    say("Try:\n")
    say(f"  {curl(url, installation.data)}\n")
    say("Stop with Ctrl-C.\n")


def curl(url: str, data: Path) -> str:
    """A line that works as it stands; it takes the key out of the file, so that no terminal or log keeps it."""
    path = os.path.relpath(data / CREDENTIALS_FILE)
    key = f"""$(sed -n 's/.*"apiKey": "\\(.*\\)".*/\\1/p' {shlex.quote(path)})"""
    body = """'{"firstName":"Sarah","lastName":"Kim"}'"""
    return f'curl {url}/api/v1/contacts -H "Authorization: Bearer {key}" -H "Content-Type: application/json" -d {body}'
