"""What is done to many contacts, on the wire."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from schemas.contact import ContactPatch
from schemas.job import Many


class ContactUpdates(Many, forbid_unknown_fields=True, kw_only=True):
    """The same changes for many contacts."""

    updates: Annotated[ContactPatch, Meta(description="What to change in each.")]


class ContactDeletions(Many, forbid_unknown_fields=True):
    """Many contacts to delete."""


class ContactTaggings(Many, forbid_unknown_fields=True, kw_only=True):
    """The same tags for many contacts."""

    tags: Annotated[
        list[str], Meta(description="Tags by name, slug or id, which are added; missing ones are made.", min_length=1)
    ]
