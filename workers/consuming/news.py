"""What the messages of JetStream say: which workspaces' logs have grown, and how far at least."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final
from uuid import UUID

import msgspec
from nats.aio.msg import Msg

from workers.running.broker import SEQ_HEADER, SUBJECT_PREFIX

_BEYOND_ALL: Final = 2**63 - 1


class _Entry(msgspec.Struct):
    seq: int


_decode = msgspec.json.Decoder(_Entry).decode


Ignores = Callable[[UUID, str], bool]
"""Whether an event of this type in a workspace need not be looked at now."""


def news(messages: Iterable[Msg], ignores: Ignores = lambda *_: False) -> dict[UUID, int]:
    """Each workspace that messages are about, and the highest ``seq`` among them."""
    found: dict[UUID, int] = {}
    for message in messages:
        workspace_id, event_type = _about(message.subject)
        if workspace_id is not None and not ignores(workspace_id, event_type):
            found[workspace_id] = max(_seq(message), found.get(workspace_id, 0))
    return found


def _about(subject: str) -> tuple[UUID | None, str]:
    """Workspace and type of ``daybook.<workspace>.<type>``; ``None`` for a subject that is not so."""
    workspace_id, _, event_type = subject.removeprefix(SUBJECT_PREFIX).partition(".")
    try:
        return UUID(workspace_id), event_type
    except ValueError:
        return None, ""


def _seq(message: Msg) -> int:
    """As the header says, else the log entry itself; beyond all where neither does, so that the log is looked at."""
    try:
        return int((message.headers or {}).get(SEQ_HEADER) or _decode(message.data).seq)
    except (ValueError, msgspec.MsgspecError):
        return _BEYOND_ALL
