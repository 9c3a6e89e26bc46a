"""What Prometheus is told about requests."""

from __future__ import annotations

from functools import cache

from prometheus_client import Counter, Histogram

REQUESTS = Counter("daybook_requests_total", "Requests answered.", ["operation", "status"])
SECONDS = Histogram(
    "daybook_request_seconds",
    "Time from the first byte in to the last byte out.",
    ["operation"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)


def observe(operation: str, status: int, seconds: float) -> None:
    _counter(operation, status).inc()
    _timer(operation).observe(seconds)


@cache
def _counter(operation: str, status: int) -> Counter:
    return REQUESTS.labels(operation, str(status))


@cache
def _timer(operation: str) -> Histogram:
    return SECONDS.labels(operation)
