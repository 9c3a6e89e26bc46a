"""The first start: an installation's keys, and a workspace with an admin's API key to begin with."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

from application import api_key as api_keys
from application import identity
from application.calling.secretbox import KEY_BYTES, SecretBox
from application.calling.services import Services
from daybook.settings import SettingsError
from domain.kernel import Refused
from eventstore.database import open_pool
from eventstore.unit_of_work import EventStore
from projections.catalogue import ROWS
from schemas.identity import Registration

OWNER_EMAIL = "owner@example.com"


def secret_key(path: Path) -> bytes:
    """The installation's secret key: read, or made on the first start (mode 0600)."""
    if not path.exists():
        write_private(path, secrets.token_bytes(KEY_BYTES))
    return path.read_bytes()


def write_private(path: Path, content: bytes) -> None:
    """Writes a file that only its owner can read; whole or not at all."""
    new = path.with_name(path.name + ".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def credentials(path: Path, database_url: str, key: bytes, url: str) -> None:
    """Writes where this installation is and how to enter it; on the first start with a workspace and a key made for it.

    A file that is there is kept, but for the address, which may have changed. Raises ``SettingsError`` where it is gone
    though its workspace is there: the key that it had is nowhere else.
    """
    if path.exists():
        found: dict[str, str] = json.loads(path.read_text())
        if found["url"] == url:
            return
        found["url"] = url
    else:
        found = {"url": url, **_first_workspace(database_url, key)}
    write_private(path, json.dumps(found, indent=2).encode() + b"\n")


def _first_workspace(database_url: str, key: bytes) -> dict[str, str]:
    """A workspace on the widest plan, its owner (without a usable password) and an API key of theirs."""
    pool = open_pool(database_url, size=1)
    try:
        services = Services(pool=pool, store=EventStore(pool, ROWS), box=SecretBox(key))
        form = Registration(
            name="Owner", email=OWNER_EMAIL, password=secrets.token_urlsafe(32), workspace_name="My workspace"
        )
        try:
            caller = identity.register(services, form, plan="enterprise")
        except Refused:
            raise SettingsError(
                "credentials.json is gone, and the workspace that it opens is there: put it back from a backup; if"
                " there never was one, since the first start was interrupted, remove the data folder and start anew"
            ) from None
        made = api_keys.create_api_key(services, caller, "First key")
    finally:
        pool.close()
    return {"workspaceId": str(caller.workspace_id), "apiKey": made.value.raw}
