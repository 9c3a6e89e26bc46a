"""What is due to webhooks, and what a worker has claimed of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID


class Endpoint(NamedTuple):
    workspace_id: UUID
    webhook_id: UUID


class Due(NamedTuple):
    """That there are deliveries to make to an endpoint: so many, as far as one has looked."""

    endpoint: Endpoint
    waiting: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that is this worker's to send while the lease lasts."""

    workspace_id: UUID
    id: UUID
    webhook_id: UUID
    seq: int
    event_id: UUID
    tries: int
    lease: UUID

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(self.workspace_id, self.webhook_id)


def by_workspace(items: Iterable[Any], key: Any) -> dict[UUID, list[Any]]:
    """Each with the others of its workspace, of which ``key`` tells."""
    groups: dict[UUID, list[Any]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return groups
