"""What came of the rows of an import."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class ImportCounts(msgspec.Struct, frozen=True, rename="camel"):
    """How many rows came to what; ``total`` is their sum."""

    total: Annotated[int, Meta(description="All rows.")] = 0
    created: Annotated[int, Meta(description="Rows that became something new.")] = 0
    updated: Annotated[int, Meta(description="Rows that changed what was there.")] = 0
    skipped: Annotated[int, Meta(description="Rows that left all as it was.")] = 0
    errors: Annotated[int, Meta(description="Rows that were not acceptable.")] = 0


Counts = Annotated[ImportCounts, Meta(description="How many rows came to what.")]
