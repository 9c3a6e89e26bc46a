"""Signing heads of the log, and telling those who asked to be told."""

from __future__ import annotations

import logging
from uuid import UUID

from domain.kernel import Refused
from eventstore.checkpoint import LogCutError, Signer, SigningError, moved_heads, sign_head
from eventstore.database import Pool
from projections.webhook_delivery import add_checkpoint
from schemas.verification import Checkpoint

logger = logging.getLogger("daybook.checkpoints")


def sign(pool: Pool, workspace_id: UUID, signer: Signer) -> Checkpoint:
    """Signs a workspace's head, on its way to endpoints in the same transaction; one signed before is answered as it was.

    Refuses with ``unavailable`` where it cannot be signed.
    """
    try:
        return sign_head(pool, workspace_id, signer, also=add_checkpoint)
    except SigningError as error:
        raise Refused("unavailable", f"The log could not be signed: {error}.") from error


def sign_moved(pool: Pool, signer: Signer) -> list[Checkpoint]:
    """Signs the heads of all logs that have grown since; ``pool`` is a worker's. Raises ``SigningError``.

    A log that ends before its last checkpoint keeps no other from being signed.
    """
    signed = []
    for workspace_id in moved_heads(pool):
        try:
            signed.append(sign_head(pool, workspace_id, signer, also=add_checkpoint))
        except LogCutError as error:
            logger.error("workspace %s is not signed: %s", workspace_id, error)  # noqa: TRY400 - its traceback says no more
    return signed
