"""Imports of deals on the wire: what callers send beside a CSV file, and what a row may say."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from schemas.deal import DealPatch
from schemas.job_import import ImportOptions, RawRow

_Deal = Annotated[msgspec.Raw, Meta(extra_json_schema={"type": "object", "required": ["name"]})]


class ImportedDeal(DealPatch, forbid_unknown_fields=True):
    """A deal as a row has it: what it refers to may be named in place of its id."""

    pipeline: Annotated[str | UnsetType, Meta(description="Its pipeline, by name.")] = UNSET
    stage: Annotated[str | UnsetType, Meta(description="Its stage in the pipeline, by name.")] = UNSET
    contact: Annotated[str | UnsetType, Meta(description="Its contact, by e-mail address.")] = UNSET
    company: Annotated[str | UnsetType, Meta(description="Its company, by name.")] = UNSET
    owner: Annotated[str | UnsetType, Meta(description="Who owns it, by e-mail address.")] = UNSET


class DealImportRequest(ImportOptions, forbid_unknown_fields=True):
    """``deals``: objects as ``POST /deals`` takes them; or ``rows``: objects of text by column. Each is judged by itself."""

    deals: Annotated[
        list[_Deal] | UnsetType,
        Meta(description="Deals as `POST /deals` takes them, or with names in place of ids."),
    ] = UNSET
    rows: Annotated[list[RawRow] | UnsetType, Meta(description="Objects of text by column.")] = UNSET
