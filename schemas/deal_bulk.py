"""What is done to many deals, on the wire."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from schemas.deal import DealPatch
from schemas.job import Many


class DealUpdates(Many, forbid_unknown_fields=True, kw_only=True):
    """The same changes for many deals."""

    updates: Annotated[DealPatch, Meta(description="What to change in each.")]
