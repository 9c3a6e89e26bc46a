"""How callers ask for a page: in the words of any of the documents."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from litestar.params import QueryParameter

from api.http.query import malformed_parameter
from schemas.wire.page import DEFAULT_LIMIT, MAX_LIMIT, PageRequest, Sort

MAX_OFFSET: Final = 1_000_000

Search = Annotated[
    str | None, QueryParameter(max_length=200, description="Words, any part of what is searched; all of them.")
]
"""The parameter ``search`` of a list."""

_ALIASES: Final = {
    "created_at": "createdAt",
    "updated_at": "updatedAt",
    "first_name": "firstName",
    "last_name": "lastName",
}


def page_request(
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
    sort: Annotated[str | None, QueryParameter(description="Field to sort by; `-` in front for descending.")] = None,
    sort_by: Annotated[str | None, QueryParameter(name="sortBy", description="Another name for `sort`.")] = None,
    order_by: Annotated[str | None, QueryParameter(name="order_by", description="Another name for `sort`.")] = None,
    sort_direction: Annotated[
        Literal["asc", "desc"] | None,
        QueryParameter(name="sortDirection", description="Whether from the least or from the greatest; over `-`."),
    ] = None,
    sort_dir: Annotated[
        Literal["asc", "desc"] | None, QueryParameter(name="sortDir", description="Another name for `sortDirection`.")
    ] = None,
) -> PageRequest:
    """The page asked for. More than 100 items a page is refused, not cut, so that no caller misses some."""
    size = next((value for value in (limit, page_size, per_page) if value is not None), DEFAULT_LIMIT)
    if (offset or (page - 1) * size) > MAX_OFFSET:
        raise malformed_parameter("page", f"only the first {MAX_OFFSET} items can be paged; use cursor beyond")
    direction = sort_direction or sort_dir
    return PageRequest(
        page=page, limit=size, cursor=cursor, offset=offset, sort=_sort(sort or sort_by or order_by, direction)
    )


def _sort(field: str | None, direction: str | None) -> Sort | None:
    if field is None:
        return None if direction is None else Sort(field="", descending=direction == "desc")
    descending = field.startswith("-") if direction is None else direction == "desc"
    name = field.removeprefix("-")
    return Sort(field=_ALIASES.get(name, name), descending=descending)
