"""What the messages of JetStream say: which workspaces' logs have grown, and how far at least."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from uuid import UUID

import msgspec
from nats.aio.msg import Msg

from workers.running.broker import SEQ_HEADER, SUBJECT_PREFIX

_BEYOND_ALL: Final = 2**63 - 1


class _Entry(msgspec.Struct):
    seq: int


_decode = msgspec.json.Decoder(_Entry).decode


def news(messages: Iterable[Msg]) -> dict[UUID, int]:
    """Each workspace that messages are about, and the highest ``seq`` among them."""
    found: dict[UUID, int] = {}
    for message in messages:
        workspace_id = _workspace(message.subject)
        if workspace_id is not None:
            found[workspace_id] = max(_seq(message), found.get(workspace_id, 0))
    return found


def _workspace(subject: str) -> UUID | None:
    """Of ``daybook.<workspace>.<type>``; ``None`` for a subject that is not so."""
    try:
        return UUID(subject.removeprefix(SUBJECT_PREFIX).partition(".")[0])
    except ValueError:
        return None


def _seq(message: Msg) -> int:
    """As the header says, else the log entry itself; beyond all where neither does, so that the log is looked at."""
    try:
        return int((message.headers or {}).get(SEQ_HEADER) or _decode(message.data).seq)
    except (ValueError, msgspec.MsgspecError):
        return _BEYOND_ALL
