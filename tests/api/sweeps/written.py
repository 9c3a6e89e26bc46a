"""All that a workspace has in the database: so that a sweep can say that nothing was written, whatever it was."""

from __future__ import annotations

from typing import Final, LiteralString
from uuid import UUID

from psycopg import sql

from eventstore.database import Db
from projections.contact import CONTACTS

_TABLES: Final[LiteralString] = """
    SELECT DISTINCT c.relname FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'workspace_id' AND NOT a.attisdropped
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1
"""

_READ: Final = "last_used_at"
"""Of a key: what is written when it only looks."""


_WHO_READ: Final = "access_log"
"""Of which a line is written for reads, a moment behind them."""


class Written:
    """Reads with the rights of the schema's owner, whom row-level security does not bind."""

    def __init__(self, owner: Db) -> None:
        self._owner = owner
        tables = [name for (name,) in owner.execute(_TABLES) if name != _WHO_READ]
        assert {"events", CONTACTS.table} <= set(tables)
        one = sql.SQL("SELECT {name}, (to_jsonb(t) - {read})::text FROM {table} t WHERE workspace_id = %(workspace)s")
        self._query = sql.SQL(" UNION ALL ").join(
            one.format(name=sql.Literal(name), read=sql.Literal(_READ), table=sql.Identifier(name)) for name in tables
        )

    def __call__(self, workspace_id: UUID) -> list[str]:
        """Every row of the workspace, sorted: its table, and all that is in it as text."""
        rows = self._owner.execute(self._query, {"workspace": workspace_id}).fetchall()
        return sorted(f"{table} {content}" for table, content in rows)
