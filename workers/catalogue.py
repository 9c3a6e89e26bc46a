"""Every worker there is, by name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from projections.catalogue import VIEWS
from workers import contact_alike, job, job_retention, log_checkpoint, log_sink, outbox
from workers.consuming.view import keep
from workers.relay import relay
from workers.running import housekeeping
from workers.running.runner import Loop
from workers.webhook import delivery as webhook_delivery
from workers.webhook import feed as webhook_feed
from workers.webhook import retention as webhook_retention

WORKERS: Final[Mapping[str, Mapping[str, Loop]]] = {
    "relay": {"relay": relay.run},
    "jobs": {"job": job.run},
    "mail": {"outbox": outbox.run},
    "webhooks": {"webhook_feed": webhook_feed.run, "webhook_delivery": webhook_delivery.run},
    "views": {"view": partial(keep, views=VIEWS), "contact_alike": contact_alike.run},
    "checkpoints": {"log_checkpoint": log_checkpoint.run, "log_sink": log_sink.run},
    "housekeeping": {
        "housekeeping": housekeeping.run,
        "job_retention": job_retention.run,
        "webhook_retention": webhook_retention.run,
    },
}
"""By the names given to ``daybook worker``: the loops that belong together, by their own names."""
