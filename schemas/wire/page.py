"""Pages: how a list is asked for and answered."""

from __future__ import annotations

from typing import Annotated, Final, Generic, TypeVar

from msgspec import UNSET, Meta, UnsetType

from domain.kernel import Value

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 100

T = TypeVar("T")


class Sort(Value):
    """By one field (empty: the list's own); rows equal in it are in order of id."""

    field: str
    descending: bool = False


class PageRequest(Value):
    """``page`` from 1, or a ``cursor`` of an earlier answer, or an ``offset``; ``limit`` up to 100. ``exact``: the total is."""

    page: Annotated[int, Meta(description="The page's number, from 1.")] = 1
    limit: Annotated[int, Meta(description="Things on a page.")] = DEFAULT_LIMIT
    cursor: str | None = None
    offset: int | None = None
    sort: Sort | None = None
    exact: bool = False

    @property
    def skipped(self) -> int:
        return self.offset if self.offset is not None else (self.page - 1) * self.limit


class PageMeta(Value):
    """``total`` and ``totalPages`` are of the whole list; ``nextCursor`` is null on its last page.

    Of very many that a search or a filter finds, no more are counted than a thousand, or than have been paged through.
    """

    page: Annotated[int, Meta(description="The page's number, from 1.")]
    limit: Annotated[int, Meta(description="Things on a page.")]
    total: Annotated[
        int, Meta(description="How many there are in the whole list; where `totalIsExact` is false, at least.")
    ]
    total_pages: Annotated[int, Meta(description="How many pages the whole list has.")]
    next_cursor: Annotated[str | None, Meta(description="The `cursor` of the next request; null on the last page.")] = (
        None
    )
    total_is_exact: (
        Annotated[
            bool, Meta(description="False where there may be more than were counted: ask with `total=exact` to know.")
        ]
        | UnsetType
    ) = UNSET


class Page(Value, Generic[T]):
    data: Annotated[list[T], Meta(description="What was asked for.")]
    meta: Annotated[PageMeta, Meta(description="About the answer itself.")]


class One(Value, Generic[T]):
    data: Annotated[T, Meta(description="What was asked for.")]


def page_meta(request: PageRequest, total: int, next_cursor: str | None, *, exact: bool = True) -> PageMeta:
    return PageMeta(
        page=request.skipped // request.limit + 1,
        limit=request.limit,
        total=total,
        total_pages=-(-total // request.limit),
        next_cursor=next_cursor,
        total_is_exact=UNSET if exact else False,
    )
