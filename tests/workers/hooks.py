"""Webhooks in worker tests: endpoints made and changed as the API does it, and what became of their deliveries."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from typing import TypeVar
from uuid import UUID

from application import webhook as webhooks
from application.calling.caller import Caller
from application.calling.secretbox import SecretBox
from application.calling.services import Services
from domain.contact import CONTACT, CreateContact
from eventstore.append import Origin
from eventstore.database import reading
from eventstore.ids import new_id
from eventstore.unit_of_work import EventStore
from eventstore.work import Work
from projections import webhook_delivery as deliveries
from schemas.log import Actor
from schemas.webhook import DeliveryDetail, DeliveryView, NewWebhook, WebhookPatch
from schemas.wire.page import PageRequest
from tests.receiver import Endpoint
from tests.workers.running import Installation, running
from workers.consuming.consumer import Consuming
from workers.relay import relay
from workers.running.context import AsyncPool, WorkerConfig, WorkerContext
from workers.webhook import delivery as webhook_delivery
from workers.webhook import feed as webhook_feed
from workers.webhook.delivery import Delivering
from workers.webhook.expander import Expander

KEY = bytes(range(32))

T = TypeVar("T")

QUICK = Delivering(schedule=(0, 0.1, 0.1, 0.1), timeout=2, lease=3, poll=0.05, drain=5)
"""As documented, but sooner."""


class Hooks:
    """A workspace with webhooks, in an installation whose workers may send to this machine."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.workspace_id = installation.workspace()
        self.config: WorkerConfig = replace(installation.config, secret_key=KEY, allow_private_webhooks=True)
        self.services = Services(
            installation.store.pool, installation.store, SecretBox(KEY), allow_private_webhooks=True
        )

    def another(self) -> Hooks:
        """Another workspace of the same installation."""
        return Hooks(self.installation)

    def act(self, work: Callable[[Work], T], store: EventStore | None = None) -> T:
        origin = Origin(self.workspace_id, Actor(type="system"))
        return (store or self.installation.store).run(origin, work).value

    def create(self, endpoint: Endpoint | str, *events: str, active: bool = True) -> UUID:
        url = endpoint if isinstance(endpoint, str) else endpoint.url
        form = NewWebhook(url=url, events=events or ("contact.*",), active=active)
        return self.act(lambda unit: webhooks.create(unit, self.services, form)).id

    def change(self, webhook_id: UUID, form: WebhookPatch) -> None:
        self.act(lambda unit: webhooks.update(unit, self.services, webhook_id, form))

    def delete(self, webhook_id: UUID) -> None:
        self.act(lambda unit: webhooks.delete(unit, webhook_id))

    def rotate(self, webhook_id: UUID) -> None:
        self.act(lambda unit: webhooks.rotate_secret(unit, self.services, webhook_id))

    def secret(self, webhook_id: UUID) -> str:
        caller = Caller(workspace_id=self.workspace_id, account_id=new_id(), role="owner", plan="free")
        with reading(self.services.pool, self.workspace_id) as conn:
            return webhooks.secrets(self.services, conn, caller, [webhook_id])[webhook_id]

    def contact(self, store: EventStore | None = None) -> None:
        """One ``contact.created``; through a worker's store: with its nudge."""
        self.act(lambda unit: unit.begin(CONTACT, new_id(), CreateContact(first_name="Ada", last_name="King")), store)

    def contacts(self, count: int) -> None:
        """Many ``contact.created`` in one commit."""
        self.installation.import_contacts(self.workspace_id, count)

    def deliveries(self, webhook_id: UUID) -> list[DeliveryView]:
        """The latest hundred, in order of the events."""
        with reading(self.services.pool, self.workspace_id) as conn:
            found = deliveries.listed(conn, webhook_id, PageRequest(limit=100), deliveries.DeliveryQuery())[0]
        return found[::-1]

    def detail(self, webhook_id: UUID, delivery_id: UUID) -> DeliveryDetail:
        with reading(self.services.pool, self.workspace_id) as conn:
            found = deliveries.detail(conn, webhook_id, delivery_id)
        assert found is not None
        return found

    def statuses(self, webhook_id: UUID) -> set[str]:
        return {delivery.status for delivery in self.deliveries(webhook_id)}

    def completed(self, webhook_id: UUID, count: int) -> bool:
        """Whether there are so many deliveries, and none of them is pending."""
        query = (
            "SELECT count(*), count(*) FILTER (WHERE status = 'pending') FROM webhook_deliveries"
            " WHERE workspace_id = %s AND webhook_id = %s"
        )
        found = self.installation.owner.execute(query, (self.workspace_id, webhook_id)).fetchone()
        return found == (count, 0)

    def working(
        self, settings: Delivering = QUICK, config: WorkerConfig | None = None
    ) -> AbstractContextManager[WorkerContext]:
        """All that it takes from a commit to a request, in a thread."""
        return running(
            config or self.config,
            partial(relay.run, poll=0.1),
            partial(webhook_feed.run, reconcile=0.2),
            partial(webhook_delivery.run, settings=settings),
        )

    def delivering(self, settings: Delivering = QUICK) -> AbstractContextManager[WorkerContext]:
        """Without NATS and relay: by comparing checkpoints and looking for what is due."""
        return running(
            self.config,
            partial(webhook_feed.run, reconcile=0.05),
            partial(webhook_delivery.run, settings=settings),
        )


class Expanding:
    """An expander at work, without messages."""

    def __init__(self, pool: AsyncPool) -> None:
        self._due: set[UUID] = set()
        self.consumer = Expander(self._hinted).consumer
        self._consuming = Consuming(pool, self.consumer)

    async def _hinted(self, _: UUID, endpoints: set[UUID]) -> None:
        self._due |= endpoints

    async def expand(self, workspace_id: UUID) -> set[UUID]:
        """Expands all that is in the log; answers the endpoints that it said something is due for."""
        self._due.clear()
        await self._consuming.catch_up(workspace_id)
        return set(self._due)


def together(*works: Callable[[], object]) -> Sequence[object]:
    """At the same time, each in a thread of its own."""

    async def main() -> Sequence[object]:
        return await asyncio.gather(*(asyncio.to_thread(work) for work in works))

    return asyncio.run(main())
