"""Where ids in a filter lead that finds nothing: those of what was merged into something else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from uuid import UUID

from eventstore.database import Db
from projections.table.asking.compiled import Compiled
from projections.table.rows import RowTable


def with_led_ids(conn: Db, tables: Iterable[RowTable[Any]], where: Compiled) -> Compiled:
    """The condition with ids of what goes on in the place of things that were merged; the same where there are none."""
    ways = [table.leads_to for table in tables if table.leads_to is not None]

    def led(key: Any) -> Any:
        for leads_to in ways if isinstance(key, UUID) else ():
            key = leads_to(conn, key)
        return key

    return replace(where, params=tuple([led(key) for key in p] if isinstance(p, list) else p for p in where.params))
