"""What use cases need beside a unit of work; put together once, where the process starts."""

from __future__ import annotations

from dataclasses import dataclass, field

from argon2 import PasswordHasher

from application.calling.secretbox import SecretBox
from eventstore.database import Pool
from eventstore.unit_of_work import EventStore


@dataclass(frozen=True)
class Services:
    """``allow_private_webhooks``: whether webhooks may go to plain http and to private addresses (local use).

    ``url``: where this installation is, for links in mails; ``sends_mail``: whether workers have a mail server.
    ``directory_pool`` is for a directory that is not where the workspaces are.
    """

    pool: Pool
    store: EventStore
    box: SecretBox
    allow_private_webhooks: bool = False
    hasher: PasswordHasher = field(default_factory=PasswordHasher)
    directory_pool: Pool | None = None
    url: str = "http://127.0.0.1:8000"
    sends_mail: bool = False

    @property
    def directory(self) -> Pool:
        """Where accounts, sessions and key hashes are; never in one transaction with a workspace."""
        return self.directory_pool or self.pool
