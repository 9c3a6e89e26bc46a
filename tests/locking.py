"""A workspace to whose log nobody can write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from daybook.embedded import EmbeddedPostgres
from eventstore.migrate import connect


@contextmanager
def locked_head(postgres: EmbeddedPostgres, workspace_id: UUID) -> Iterator[None]:
    """For as long as it is entered."""
    with connect(postgres.url()) as conn, conn.transaction():
        conn.execute("SELECT FROM log_heads WHERE workspace_id = %s FOR UPDATE", (workspace_id,))
        yield
