"""Who sees a row: whom it is assigned to, and whoever sees what it hangs on; of other tables everybody sees all.

Only for callers who see only what is theirs; ``visible_to`` of ``None`` stands for those who see everything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from eventstore.database import Db
from eventstore.rows import Current
from projections.table.asking.compiled import HERE, TRUE, Compiled, either


class Limited(Protocol):
    """A row table, as far as it says who sees its rows."""

    @property
    def table(self) -> str: ...

    @property
    def key(self) -> str: ...

    @property
    def owner(self) -> str | None: ...

    @property
    def hangs_on(self) -> Mapping[str, Any]:
        """Tables like this one, by column."""
        ...

    @property
    def limited(self) -> bool: ...

    def load(self, conn: Db, ids: Sequence[UUID]) -> dict[UUID, Current[Any]]: ...


def seen(table: Limited, visible_to: UUID | None) -> Compiled:
    """The rows of the table that the user sees, as a condition on its columns."""
    if visible_to is None or not table.limited:
        return TRUE
    owned = [] if table.owner is None else [Compiled(f"{table.owner} = %s", (visible_to,))]
    return either(*owned, *(_below(column, above, visible_to) for column, above in table.hangs_on.items()))


def _below(column: str, above: Limited, visible_to: UUID) -> Compiled:
    """Hanging on a row that the user sees."""
    within = seen(above, visible_to)
    found = f"SELECT {above.key} FROM {above.table} WHERE workspace_id = %s AND ({within.sql})"
    return Compiled(f"{column} IN ({found})", (HERE, *within.params))


def sees(conn: Db, table: Limited, current: Current[Any], visible_to: UUID | None) -> bool:
    """Whether the user sees a row as it stands here, whatever of it is written; what it hangs on is looked up."""
    if visible_to is None or not table.limited:
        return True
    if table.owner is not None and getattr(current.state, table.owner) == visible_to:
        return True
    return any(
        _is_seen(conn, above, key, visible_to)
        for column, above in table.hangs_on.items()
        if (key := getattr(current.state, column)) is not None
    )


def _is_seen(conn: Db, above: Limited, key: UUID, visible_to: UUID) -> bool:
    found = above.load(conn, [key]).get(key)
    return found is not None and sees(conn, above, found, visible_to)
