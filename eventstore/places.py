"""How far readers and signers of the log say they have come, against where it ends."""

from __future__ import annotations

from typing import Final, LiteralString
from uuid import UUID

from eventstore.database import Db, one
from eventstore.verify import MismatchError
from schemas.verification import Finding

_AHEAD: Final[LiteralString] = """
    SELECT c.consumer, c.seq, coalesce(h.seq, 0) FROM consumer_checkpoints c
    LEFT JOIN log_heads h ON h.workspace_id = c.workspace_id
    WHERE c.workspace_id = %s AND NOT c.seq BETWEEN 0 AND coalesce(h.seq, 0) ORDER BY c.consumer
"""
_SIGNED: Final[LiteralString] = """
    SELECT h.signed_seq, coalesce((SELECT max(seq) FROM log_checkpoints c WHERE c.workspace_id = h.workspace_id), 0)
    FROM log_heads h WHERE h.workspace_id = %s
"""


def check_places(conn: Db, workspace_id: UUID) -> None:
    """No reader may be ahead of the log, and the last head that was signed is stored. Raises ``MismatchError``."""
    ahead = one(conn, _AHEAD, (workspace_id,))
    if ahead is not None:
        consumer, seq, end = ahead
        expected = f"a seq from 0 to {end}, where the log ends"
        _differs(workspace_id, "consumer_checkpoints", consumer, expected, str(seq))
    signed, stored = one(conn, _SIGNED, (workspace_id,)) or (0, 0)
    if signed != stored:
        expected = f"{stored}, as the last checkpoint that is stored"
        _differs(workspace_id, "log_heads", "signed_seq", expected, str(signed))


def _differs(workspace_id: UUID, table: str, column: str, expected: str, found: str) -> None:
    finding = Finding(
        workspace_id=workspace_id, table=table, column=column, what="place in the log", expected=expected, found=found
    )
    raise MismatchError(finding)
