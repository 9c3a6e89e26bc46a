"""Whether the process lives, whether it can serve, and what it measures."""

from __future__ import annotations

from litestar import Response, get
from litestar.di import NamedDependency
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from application.calling.services import Services
from eventstore.database import Unavailable, bypasses_row_security


@get("/healthz", include_in_schema=False, opt={"public": True}, sync_to_thread=False)
def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@get("/readyz", include_in_schema=False, opt={"public": True}, sync_to_thread=True)
def readyz(services: NamedDependency[Services]) -> Response[dict[str, str]]:
    """The database answers too, as a role that row-level security holds for."""
    try:
        unbound = bypasses_row_security(services.pool)
    except Unavailable:
        return Response({"status": "database not available"}, status_code=503)
    if unbound:
        return Response({"status": "the database role bypasses row-level security"}, status_code=503)
    return Response({"status": "ready"})


@get("/metrics", include_in_schema=False, opt={"public": True}, sync_to_thread=True)
def metrics() -> Response[bytes]:
    """In Prometheus' text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
