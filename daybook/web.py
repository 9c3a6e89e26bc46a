"""The API process: one event loop, its pool of connections, and the nudges that it sends after commits."""

from __future__ import annotations

import logging
import os
from contextlib import AsyncExitStack
from datetime import timedelta

from api.app import SPARE, create_app
from api.http.server import server
from application.calling.secretbox import SecretBox
from application.calling.services import Services
from daybook.access import AccessAnnouncer
from daybook.collector import spare_the_collector
from daybook.listening import GrowthListener
from daybook.settings import Settings
from daybook.supervisor import watch_parent
from eventstore.database import open_pool
from eventstore.nudge import Nudger
from eventstore.unit_of_work import EventStore
from projections.catalogue import ROWS
from workers.running.broker import Broker

log = logging.getLogger("daybook.api")


def serve(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT, and then two seconds at most. Starts without a database too, answering 503."""
    watch_parent()
    size, patience = settings.threads + SPARE, float(settings.patience_seconds)
    pool = open_pool(settings.need_database(), size=size, wait=False, patience=patience)
    services = Services(
        pool=pool,
        store=EventStore(pool, ROWS),
        box=SecretBox(settings.need_secret_key()),
        allow_private_webhooks=bool(settings.allow_private_webhooks),
        url=settings.url or settings.address,
        sends_mail=settings.mail_server is not None,
        signing=settings.signer(settings.need_secret_key()),
        keep_exports=timedelta(days=settings.audit_export_days),
    )
    stack = AsyncExitStack()

    async def connect_nudges() -> None:
        broker = await stack.enter_async_context(Broker(settings.need_nats()))
        nudger = Nudger(broker.publish)
        stack.push_async_callback(nudger.close)
        services.store.nudge = nudger.nudge
        announcer = AccessAnnouncer(broker, app.admission)
        app.admission.announce = announcer.announce
        stack.push_async_callback(announcer.close)
        stack.push_async_callback(GrowthListener(broker, app.growth).close)

    app = create_app(
        services,
        rate_limits=settings.rate_limits,
        metrics_token=settings.metrics_token,
        places=settings.queue,
        seconds=settings.queue_seconds,
        on_startup=[connect_nudges],
        on_shutdown=[stack.aclose],
    )
    spare_the_collector()
    try:
        trusted = "FORWARDED_ALLOW_IPS" in os.environ
        server(app, host=settings.host, port=settings.port, proxy_headers=trusted).run()
    finally:
        pool.close()
