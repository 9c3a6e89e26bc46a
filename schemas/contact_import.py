"""Imports of contacts on the wire: what callers send beside a CSV file."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from schemas.job_import import ImportOptions, RawRow

_Contact = Annotated[msgspec.Raw, Meta(extra_json_schema={"$ref": "#/components/schemas/NewContact"})]


class ContactImportOptions(ImportOptions, forbid_unknown_fields=True):
    """What holds for every row; among ``constantValues``, ``_tags`` are names of tags."""

    tags: Annotated[
        list[str] | None, Meta(description="Tags for all contacts, by name, slug or id; missing ones are made.")
    ] = None
    tag_ids: Annotated[list[UUID] | None, Meta(description="Ids of tags for all contacts.")] = None
    source: Annotated[str | None, Meta(description="Lead source of all contacts.")] = None


class ImportRequest(ContactImportOptions, forbid_unknown_fields=True):
    """``contacts``: objects as ``POST /contacts`` takes them; or ``rows``: objects of text by column. Each is judged by itself."""

    contacts: Annotated[list[_Contact] | UnsetType, Meta(description="Contacts as `POST /contacts` takes them.")] = (
        UNSET
    )
    rows: Annotated[list[RawRow] | UnsetType, Meta(description="Objects of text by column.")] = UNSET
