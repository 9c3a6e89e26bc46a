"""The options of an import of contacts where they are text: in the query of a CSV upload, or in the form beside its file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final
from uuid import UUID

from litestar.params import QueryParameter

from api.http.importing import (
    AsyncText,
    ConstantsText,
    DelimiterText,
    EncodingText,
    Read,
    SkipText,
    given,
    json_of,
    one,
)
from domain.importing.cells import names


def import_query(
    mapping: Annotated[
        str | None,
        QueryParameter(description='JSON: column → field, `custom.<key>`, `name`, `tags` or `""` to leave it out.'),
    ] = None,
    constant_values: ConstantsText = None,
    skip_duplicates: SkipText = None,
    tags: Annotated[
        list[str] | None, QueryParameter(description="Names of tags for all contacts; several between commas.")
    ] = None,
    tag_ids: Annotated[
        list[str] | None, QueryParameter(name="tagIds", description="Ids of tags for all contacts.")
    ] = None,
    source: Annotated[str | None, QueryParameter(description="Lead source of all contacts.")] = None,
    encoding: EncodingText = None,
    delimiter: DelimiterText = None,
    as_job: AsyncText = None,
) -> dict[str, list[str]]:
    """The options of a CSV upload; those of JSON are in its body."""
    options: dict[str, str | list[str] | None] = {
        "mapping": mapping,
        "constantValues": constant_values,
        "skipDuplicates": skip_duplicates,
        "tags": tags,
        "tagIds": tag_ids,
        "source": source,
        "encoding": encoding,
        "delimiter": delimiter,
        "async": as_job,
    }
    return given(**options)


_names = json_of(list[str], "a JSON list of names")


def _listed(values: Sequence[str]) -> list[str]:
    """Names given several times, between commas, or as a JSON list."""
    if len(values) == 1 and values[0].lstrip().startswith("["):
        found: list[str] = _names(values)
        return found
    return [name for value in values for name in names(value)]


def _ids(values: Sequence[str]) -> list[UUID]:
    try:
        return [UUID(value) for value in _listed(values)]
    except ValueError:
        raise ValueError("must be ids of tags (UUID)") from None


READERS: Final[dict[str, Read]] = {
    "tags": _listed,
    "tagIds": _ids,
    "source": lambda values: one(values).strip() or None,
}
"""How those of contacts alone are read."""
