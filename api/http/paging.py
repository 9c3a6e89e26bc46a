"""How callers ask for a page: in the words of any of the documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal, TypeVar

import msgspec
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from api.http.query import malformed_parameter
from projections.table.search import MAX_WORDS
from schemas.wire.page import DEFAULT_LIMIT, MAX_LIMIT, PageRequest, Sort

T = TypeVar("T")

SortField = Annotated[str | None, QueryParameter(description="Field to sort by; `-` in front for descending.")]
SortBy = Annotated[
    str | None,
    QueryParameter(
        name="sortBy", description="Field to sort by, from the greatest unless `sortDirection` says otherwise."
    ),
]
OrderBy = Annotated[str | None, QueryParameter(name="order_by", description="Another name for `sort`.")]

MAX_OFFSET: Final = 1_000_000
Direction = Literal["asc", "desc"]

SortDirection = Annotated[
    Direction | None,
    QueryParameter(name="sortDirection", description="Whether from the least or from the greatest; over `-`."),
]
SortDir = Annotated[Direction | None, QueryParameter(name="sortDir", description="Another name for `sortDirection`.")]

_ALL: Final = f"all of them. {MAX_WORDS} at most."
Search = Annotated[
    str | None, QueryParameter(max_length=200, description=f"Words, any part of what is searched; {_ALL}")
]
"""The parameter ``search`` of a list."""
SearchOfOwn = Annotated[
    str | None,
    QueryParameter(
        max_length=200, description=f"Words, any part of what is searched or of a custom field's text; {_ALL}"
    ),
]
"""The same where things have custom fields."""

_ALIASES: Final = {
    "created_at": "createdAt",
    "updated_at": "updatedAt",
    "first_name": "firstName",
    "last_name": "lastName",
}


def paged(
    page: Annotated[int, QueryParameter(ge=1, description="Page number, from 1.")] = 1,
    limit: Annotated[
        int | None, QueryParameter(ge=1, le=MAX_LIMIT, description="Items per page: 50 unless asked, at most 100.")
    ] = None,
    page_size: Annotated[
        int | None, QueryParameter(name="pageSize", ge=1, le=MAX_LIMIT, description="Another name for `limit`.")
    ] = None,
    per_page: Annotated[
        int | None, QueryParameter(name="per_page", ge=1, le=MAX_LIMIT, description="Another name for `limit`.")
    ] = None,
    offset: Annotated[int | None, QueryParameter(ge=0, description="Items to skip, instead of `page`.")] = None,
    cursor: Annotated[
        str | None, QueryParameter(description="`nextCursor` of an earlier answer, for deep reading.")
    ] = None,
) -> PageRequest:
    """The page asked for, of a list that has one order. More than 100 items a page are refused, not cut, so that no
    caller misses some.
    """
    size = said_once({"limit": limit, "pageSize": page_size, "per_page": per_page}) or DEFAULT_LIMIT
    where = {"page": page > 1, "offset": bool(offset), "cursor": cursor is not None}
    _alone([name for name, given in where.items() if given])
    if (offset or (page - 1) * size) > MAX_OFFSET:
        name = "offset" if offset else "page"
        raise malformed_parameter(name, f"only the first {MAX_OFFSET} items can be paged; use cursor beyond")
    return PageRequest(page=page, limit=size, cursor=cursor, offset=offset)


def page_request(
    paged: NamedDependency[PageRequest],
    sort: SortField = None,
    sort_by: SortBy = None,
    order_by: OrderBy = None,
    sort_direction: SortDirection = None,
    sort_dir: SortDir = None,
    total: Annotated[
        Literal["exact"] | None, QueryParameter(description="`exact`: count all that there are, however many.")
    ] = None,
) -> PageRequest:
    """The page asked for, and in which order."""
    order = ordered(sort, sort_by, order_by, sort_direction, sort_dir)
    return msgspec.structs.replace(paged, sort=order, exact=total == "exact")


def ordered(
    sort: SortField = None,
    sort_by: SortBy = None,
    order_by: OrderBy = None,
    sort_direction: SortDirection = None,
    sort_dir: SortDir = None,
) -> Sort | None:
    """The order asked for, of what has no pages."""
    field = said_once({"sort": sort, "sortBy": sort_by, "order_by": order_by})
    direction = said_once({"sortDirection": sort_direction, "sortDir": sort_dir})
    if direction is None and sort_by is not None and (sort, order_by) == (None, None):
        direction = "desc"  # as documents that have it say
    return sorted_by(field, direction)


def searched(given: dict[str, str | None]) -> str | None:
    """The words to search for, by whichever of these names; refuses too many under the name that they were given by."""
    text = said_once(given)
    if text is not None and len(text.split()) > MAX_WORDS:
        name = next(name for name, value in given.items() if value)
        raise malformed_parameter(name, f"must have at most {MAX_WORDS} words")
    return text


def said_once(given: Mapping[str, T | None]) -> T | None:
    """What was given under one of these names, or the same under several; refuses what contradicts the first."""
    said = {name: value for name, value in given.items() if value is not None}
    if len(set(said.values())) > 1:
        _alone([*said])
    return next(iter(said.values()), None)


def _alone(names: Sequence[str]) -> None:
    if len(names) > 1:
        raise malformed_parameter(names[1], f"must not be given beside {names[0]}, which says something else")


def sorted_by(field: str | None, direction: str | None = None) -> Sort | None:
    """The order that a field asks for, ``-`` in front of it for descending, unless the direction is given."""
    if field is None:
        return None if direction is None else Sort(field="", descending=direction == "desc")
    descending = field.startswith("-") if direction is None else direction == "desc"
    name = field.removeprefix("-")
    return Sort(field=_ALIASES.get(name, name), descending=descending)
