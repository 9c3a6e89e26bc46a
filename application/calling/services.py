"""What use cases need beside a unit of work; put together once, where the process starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from argon2 import PasswordHasher

from application.calling.secretbox import SecretBox
from application.calling.signing import signing_key
from eventstore.checkpoint import Signer
from eventstore.database import Pool
from eventstore.unit_of_work import EventStore


@dataclass(frozen=True)
class Services:
    """``allow_private_webhooks``: whether webhooks may go to plain http and to private addresses (local use).

    ``url``: where this installation is, for links in mails; ``sends_mail``: whether workers have a mail server.
    ``keep_exports``: for how long bundles of the log are kept that were asked for over HTTP.
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
    keep_exports: timedelta = timedelta(days=7)
    signing: Signer | None = field(default=None, repr=False)

    @property
    def signer(self) -> Signer:
        """What signs checkpoints: the key that the secret key leads to, unless there is one of its own."""
        return self.signing or signing_key(self.box.key)

    @property
    def directory(self) -> Pool:
        """Where accounts, sessions and key hashes are; never in one transaction with a workspace."""
        return self.directory_pool or self.pool
