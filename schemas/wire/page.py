"""Pages: how a list is asked for and answered."""

from __future__ import annotations

from typing import Final, Generic, TypeVar

from domain.kernel import Value

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 100

T = TypeVar("T")


class Sort(Value):
    """By one field (empty: the list's own); rows equal in it are in order of id."""

    field: str
    descending: bool = False


class PageRequest(Value):
    """``page`` from 1, or a ``cursor`` of an earlier answer, or an ``offset``; ``limit`` up to 100."""

    page: int = 1
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None
    offset: int | None = None
    sort: Sort | None = None

    @property
    def skipped(self) -> int:
        return self.offset if self.offset is not None else (self.page - 1) * self.limit


class PageMeta(Value):
    """``total`` and ``totalPages`` are of the whole list; ``nextCursor`` is null on its last page."""

    page: int
    limit: int
    total: int
    total_pages: int
    next_cursor: str | None = None


class Page(Value, Generic[T]):
    data: list[T]
    meta: PageMeta


class One(Value, Generic[T]):
    data: T


def page_meta(request: PageRequest, total: int, next_cursor: str | None) -> PageMeta:
    return PageMeta(
        page=request.skipped // request.limit + 1,
        limit=request.limit,
        total=total,
        total_pages=-(-total // request.limit),
        next_cursor=next_cursor,
    )
