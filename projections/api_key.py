"""API key rows. What a request with a key is checked against; the hash itself is in an ordinary table."""

from __future__ import annotations

from domain.api_key import API_KEY, ApiKey
from projections.table.listing import Listing
from projections.table.rows import RowTable
from schemas.wire.page import Sort

API_KEYS: RowTable[ApiKey] = RowTable(
    table="api_keys",
    decider=API_KEY,
    version=1,
    columns={
        "user_id": "uuid NOT NULL",
        "scopes": "text[] NOT NULL",
        "expires_at": "timestamptz",
        "is_active": "boolean NOT NULL",
    },
    project=lambda key: (key.state.user_id, list(key.state.scopes), key.state.expires_at, key.state.is_active),
    indexes={"api_keys_by_created": "(workspace_id, created_at, id)"},
    unique={},
)

LISTING = Listing(table=API_KEYS, sorts={"createdAt": "created_at"}, default=Sort(field="createdAt", descending=True))
