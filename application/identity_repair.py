"""Registrations and API keys that were begun and not finished: settled where the workspace has its half, else taken away."""

from __future__ import annotations

from typing import Final

from application.calling import directory
from eventstore.database import Pool, reading
from projections.api_key import API_KEYS
from projections.identity import access

PENDING_SECONDS: Final = 900.0
"""More than any attempt takes."""


def repair(directory_pool: Pool, pool: Pool, *, older_than: float = PENDING_SECONDS) -> int:
    """Settles or takes away what has been pending for so many seconds; answers how much that was.

    May be broken off at any point and done again. Raises ``Unavailable``.
    """
    accounts = directory.unsettled_accounts(directory_pool, older_than)
    for account_id, workspace_id in accounts:
        with reading(pool, workspace_id) as conn:
            _, standing = access(conn, account_id, None)
        if standing is None:
            directory.remove_account(directory_pool, account_id)
        else:
            directory.settle_account(directory_pool, account_id)
    keys = directory.unsettled_keys(directory_pool, older_than)
    for key_hash, workspace_id, key_id in keys:
        with reading(pool, workspace_id) as conn:
            known = key_id in API_KEYS.load(conn, [key_id])
        if known:
            directory.settle_key(directory_pool, key_hash)
        else:
            directory.remove_key(directory_pool, key_hash)
    return len(accounts) + len(keys)
