"""Imports of companies on the wire: what callers send as JSON."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from schemas.job_import import ImportOptions, RawRow

_Company = Annotated[msgspec.Raw, Meta(extra_json_schema={"$ref": "#/components/schemas/CreateCompany"})]
"""Judged one by one, so that one that is not acceptable keeps no other out."""


class CompanyImportRequest(ImportOptions, forbid_unknown_fields=True):
    """``companies``: objects as ``POST /companies`` takes them; or ``rows``: objects of text by column. Each is judged by itself."""

    companies: Annotated[list[_Company] | UnsetType, Meta(description="Companies as `POST /companies` takes them.")] = (
        UNSET
    )
    rows: Annotated[list[RawRow] | UnsetType, Meta(description="Objects of text by column.")] = UNSET
