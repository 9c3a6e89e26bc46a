"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    seconds: float
    contacts: int
    rows: int
    """Of the imported file."""
    deliveries: int
    endpoints: int
    deep: int
    """The page, of 50, that is read by cursor."""


FULL = Scale(seconds=8, contacts=100_000, rows=10_000, deliveries=3_000, endpoints=100, deep=1_000)
QUICK = Scale(seconds=1, contacts=1_500, rows=1_200, deliveries=60, endpoints=5, deep=10)
