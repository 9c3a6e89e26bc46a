"""Tag rows: their columns. What else there is of tags knows contacts, which show their tags out of this table."""

from __future__ import annotations

from domain.tag import TAG, Tag
from projections.table.column import FOLDED, TEXT, Column
from projections.table.rows import RowTable

TAGS: RowTable[Tag] = RowTable(
    name="tags",
    decider=TAG,
    version=3,
    columns=(
        Column("name", FOLDED, sort=True, unique="A tag of this name exists already."),
        Column("slug", TEXT, indexed=True),
    ),
)
