"""API key rows. What a request with a key is checked against; the hash itself is in an ordinary table."""

from __future__ import annotations

from typing import Final, LiteralString
from uuid import UUID

from domain.api_key import API_KEY, ApiKey
from eventstore.database import Db
from projections.table.column import BOOLEAN, ID, TEXTS, TIME, Column
from projections.table.listing import Listing
from projections.table.rows import RowTable
from schemas.wire.page import Sort

API_KEYS: RowTable[ApiKey] = RowTable(
    name="api_keys",
    decider=API_KEY,
    version=3,
    columns=(Column("user_id", ID), Column("scopes", TEXTS), Column("expires_at", TIME), Column("is_active", BOOLEAN)),
)

LISTING = Listing(API_KEYS, default=Sort(field="createdAt", descending=True))

_ACTIVE: Final[LiteralString] = f"""
    SELECT id FROM {API_KEYS.table} WHERE workspace_id = %s AND user_id = %s AND is_active ORDER BY id
"""


def active_of(conn: Db, user_id: UUID) -> list[UUID]:
    """The keys of a user that are not revoked."""
    return [row[0] for row in conn.execute(_ACTIVE, (conn.workspace_id, user_id))]
