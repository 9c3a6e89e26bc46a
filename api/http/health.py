"""Whether the process lives, whether it can serve, and what it measures."""

from __future__ import annotations

from hmac import compare_digest
from typing import Any

from litestar import Request, Response
from litestar.di import NamedDependency
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api.http.middleware import bearer
from api.http.routes import page
from application.calling.services import Services
from domain.kernel import Refused
from eventstore.readiness import unready
from projections.catalogue import TABLES


@page("/healthz", wait=False)
def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@page("/readyz")
def readyz(services: NamedDependency[Services]) -> Response[dict[str, str]]:
    """The database can be worked with too."""
    why = unready(services.pool, [table.table for table in TABLES])
    return Response({"status": why or "ready"}, status_code=503 if why else 200)


@page("/metrics")
def metrics(request: Request[Any, Any, Any], metrics_token: NamedDependency[str | None]) -> Response[bytes]:
    """In Prometheus' text format, for who has the token; without one in the settings there is nothing here."""
    if metrics_token is None:
        raise Refused("not_found", "Metrics are not served: no DAYBOOK_METRICS_TOKEN is set.")
    if not compare_digest(bearer(request.headers).encode(), metrics_token.encode()):
        raise Refused("unauthenticated", "This is not the token of the metrics.")
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
