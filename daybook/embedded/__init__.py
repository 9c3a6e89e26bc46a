"""The embedded servers: a Postgres and a NATS that keep their data in one directory and end with whoever runs them."""

from daybook.embedded.lock import lock_data
from daybook.embedded.nats import EmbeddedNats
from daybook.embedded.postgres import EmbeddedPostgres
from daybook.embedded.server import EmbeddedServerError

__all__ = ["EmbeddedNats", "EmbeddedPostgres", "EmbeddedServerError", "lock_data"]
