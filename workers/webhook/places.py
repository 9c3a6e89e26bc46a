"""How much may be on its way to each endpoint, so that no endpoint keeps another waiting."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from workers.webhook.claimed import Due, Endpoint

FORGET_SECONDS: Final = 600.0


@dataclass(slots=True)
class Known:
    """What a process knows of a receiver that it is, or lately was, busy with.

    ``width`` is how much is sent to it at a time: halved by each failure, grown by each success. So one that does not
    answer soon holds a single place, and one that recovers is soon sent to in full again.
    """

    width: int
    in_flight: int = 0
    more: bool = False
    """Whether there may be more due than was taken."""
    used_at: float = field(default_factory=time.monotonic)


class Places:
    """``total`` places, of which one endpoint has at most ``per_endpoint``, and those that fail have half together."""

    def __init__(self, per_endpoint: int, total: int) -> None:
        self.per_endpoint = per_endpoint
        self.total = total
        self.in_flight = 0
        self.endpoints: dict[UUID, Known] = {}

    def free(self) -> int:
        """How many more may be taken on; none while only a few are free, so that taking is worth the effort."""
        left = self.total - self.in_flight
        return left if left >= self.total // 20 or not self.in_flight else 0

    def rooms(self) -> dict[UUID, int]:
        """How many more each known endpoint may have; one that is not known may have ``per_endpoint``."""
        failing = sum(endpoint.in_flight for endpoint in self.endpoints.values() if endpoint.width == 1)
        shut = failing >= self.total // 2
        return {
            webhook_id: 0 if shut and endpoint.width == 1 else max(0, endpoint.width - endpoint.in_flight)
            for webhook_id, endpoint in self.endpoints.items()
        }

    def shared(self, due: Iterable[Due], rooms: dict[UUID, int]) -> tuple[dict[Endpoint, int], list[Due]]:
        """How many each endpoint is to be given of the free places; and for whom, from one on, there is none left."""
        given: dict[Endpoint, int] = {}
        without: list[Due] = []
        free = self.total - self.in_flight
        for found in due:
            count = min(found.waiting, rooms.get(found.endpoint.webhook_id, self.per_endpoint), free)
            free -= count
            if count:
                given[found.endpoint] = count
            elif not free:
                without.append(found)
        return given, without

    def take(self, taken: Iterable[UUID], rooms: dict[UUID, int], asked: Collection[UUID], *, all_of_it: bool) -> None:
        """Notes what was claimed, an entry for each, of the endpoints ``asked``.

        ``all_of_it``: what is due was all seen, and there was a place for it.
        """
        counts = Counter(taken)
        for webhook_id, count in counts.items():
            endpoint = self.endpoints.setdefault(webhook_id, Known(self.per_endpoint))
            endpoint.in_flight += count
            endpoint.used_at = time.monotonic()
            self.in_flight += count
        for webhook_id in asked:
            if webhook_id in self.endpoints:
                room = rooms.get(webhook_id, self.per_endpoint)
                self.endpoints[webhook_id].more = counts[webhook_id] >= room or not all_of_it

    def leave(self, webhook_id: UUID, *, well: bool | None = None) -> bool:
        """Gives a place back, sent ``well`` or not or not at all; whether it is time to take more for this endpoint."""
        endpoint = self.endpoints[webhook_id]
        endpoint.in_flight -= 1
        self.in_flight -= 1
        if well is not None:
            endpoint.width = min(self.per_endpoint, endpoint.width + 1) if well else max(1, endpoint.width // 2)
        return endpoint.more and endpoint.in_flight <= endpoint.width // 2

    def forget_idle(self) -> None:
        """Lets go of endpoints that have nothing on its way and behave, or have had nothing for long."""
        long_ago = time.monotonic() - FORGET_SECONDS
        idle = [
            webhook_id
            for webhook_id, endpoint in self.endpoints.items()
            if not endpoint.in_flight and (endpoint.width == self.per_endpoint or endpoint.used_at < long_ago)
        ]
        for webhook_id in idle:
            del self.endpoints[webhook_id]
