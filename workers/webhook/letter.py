"""The letters to webhooks: deliveries that were claimed, with the bodies that the log has for them and whom they go to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final, LiteralString
from uuid import UUID

import msgspec
from msgspec import UNSET

from eventstore.chain import timestamp
from eventstore.checkpoint import COLUMNS, as_checkpoint
from eventstore.database import entering
from eventstore.mapper import SHARED, UPCASTERS, upcast
from eventstore.sealing import READABLE, is_sealed
from projections.webhook import WEBHOOKS
from projections.webhook_delivery import beside
from schemas.verification import CHECKPOINT_SIGNED
from schemas.webhook import Subject, WebhookEnvelope
from workers.running.context import AsyncDb, AsyncPool, transaction
from workers.webhook.claimed import Claimed, by_workspace

_encode = msgspec.json.Encoder().encode

_EVENTS: Final[LiteralString] = f"""
    SELECT seq, event_id, type, recorded_at, stream_type, stream_id, {READABLE}, correlation_id
    FROM events WHERE workspace_id = %s AND seq = ANY(%s)
"""  # noqa: S608 - constants only
_CHECKPOINTS: Final[LiteralString] = f"""
    SELECT {COLUMNS} FROM log_checkpoints WHERE workspace_id = %s AND seq = ANY(%s)
"""  # noqa: S608 - constants only
_RECEIVERS: Final[LiteralString] = f"""
    SELECT w.id, w.url, array(
        SELECT s.sealed FROM webhook_secrets s
        WHERE s.workspace_id = w.workspace_id AND s.webhook_id = w.id AND (s.expires_at IS NULL OR s.expires_at > now())
        ORDER BY s.created_at DESC)
    FROM {WEBHOOKS.table} w WHERE w.workspace_id = %s AND w.id = ANY(%s) AND w.active
"""  # noqa: S608 - our own name


@dataclass(frozen=True, slots=True)
class Letter:
    """A delivery with all that it takes to send it: sealed secrets, and a body unless the log has lost the event."""

    claimed: Claimed
    correlation_id: UUID
    url: str
    sealed: tuple[bytes, ...]
    body: bytes | None


async def load(pool: AsyncPool, claimed: Iterable[Claimed]) -> tuple[list[Letter], list[Claimed]]:
    """The deliveries ready to send, and those whose endpoint is switched off or gone."""
    groups = by_workspace(claimed, attrgetter("workspace_id"))
    letters: list[Letter] = []
    stranded: list[Claimed] = []
    async with transaction(pool) as conn:
        asked = []
        for workspace_id, group in groups.items():
            await conn.say(entering(workspace_id))
            events = await conn.execute(_EVENTS, (workspace_id, list({item.seq for item in group})))
            signed = await _signed(conn, workspace_id, group)
            receivers = await conn.execute(_RECEIVERS, (workspace_id, list({item.webhook_id for item in group})))
            asked.append((group, events, signed, receivers))
        for group, events, signed, receivers in asked:
            written = {row[0]: row for row in await events.fetchall()}
            known = {row[0]: row for row in await receivers.fetchall()}
            bodies = {} if signed is None else _bodies_beside(group, await signed.fetchall())
            for item in group:
                if item.webhook_id not in known:
                    stranded.append(item)
                    continue
                if item.seq not in bodies and item.seq in written:
                    bodies[item.seq] = _body(item.workspace_id, written[item.seq])
                letters.append(_letter(item, known[item.webhook_id], written.get(item.seq), bodies.get(item.seq)))
    return letters, stranded


def _letter(item: Claimed, receiver: Sequence[Any], event: Sequence[Any] | None, body: bytes | None) -> Letter:
    _, url, sealed = receiver
    correlation_id = item.event_id if event is None else event[7]
    return Letter(item, correlation_id, url, tuple(bytes(secret) for secret in sealed), body)


async def _signed(conn: AsyncDb, workspace_id: UUID, group: Iterable[Claimed]) -> Any:
    """The signed heads that are among these, if any: they are beside the log."""
    wanted = [beside(item.seq) for item in group if item.seq < 0]
    return await conn.execute(_CHECKPOINTS, (workspace_id, wanted)) if wanted else None


def _bodies_beside(group: Iterable[Claimed], rows: Iterable[Sequence[Any]]) -> dict[int, bytes]:
    found = {row[0]: row for row in rows}
    return {item.seq: _checkpoint(item, found[beside(item.seq)]) for item in group if beside(item.seq) in found}


def _checkpoint(item: Claimed, row: Sequence[Any]) -> bytes:
    seq, hashed, signed_at, *rest = row
    checkpoint = as_checkpoint(item.workspace_id, seq, hashed, timestamp(signed_at), *rest)
    return _encode(
        WebhookEnvelope(
            id=item.event_id,
            type=CHECKPOINT_SIGNED,
            timestamp=checkpoint.signed_at,
            workspace_id=item.workspace_id,
            seq=seq,
            subject=Subject(type="log", id=item.workspace_id),
            data=msgspec.Raw(_encode(checkpoint)),
        )
    )


def _body(workspace_id: UUID, event: Sequence[Any]) -> bytes:
    seq, event_id, event_type, recorded_at, stream_type, stream_id, data, _ = event
    opened = SHARED.opened(stream_id, event_type, data) if is_sealed(data) else None
    if opened is not None:
        data = _encode(opened.data)
    if event_type in UPCASTERS:
        event_type, now = upcast(event_type, msgspec.json.decode(data))
        data = msgspec.json.encode(now)
    return _encode(
        WebhookEnvelope(
            id=event_id,
            type=event_type,
            timestamp=timestamp(recorded_at),
            workspace_id=workspace_id,
            seq=seq,
            subject=Subject(type=stream_type, id=stream_id),
            data=msgspec.Raw(data),
            erased=True if opened is not None and opened.erased else UNSET,
        )
    )
