"""How callers ask for all that there is of something as a file: its format, columns and order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from litestar import Request
from litestar.di import NamedDependency
from litestar.params import QueryParameter, SkipValidation

from api.http.ask import Ask
from api.http.exporting import Exports, Streamed
from application.exporting.exporter import Exporter, Format, Wanted
from projections.table.asking.compiled import TRUE, Compiled
from schemas.wire.page import Sort

NDJSON: Final = "application/x-ndjson"
HEADERS: Final = ("Content-Disposition", "Daybook-Seq")
_MEDIA: Final[dict[Format, str]] = {"csv": "text/csv; charset=utf-8", "ndjson": NDJSON}


@dataclass(frozen=True)
class FileRequest:
    """A file that is asked for: which it is to be, and who writes it."""

    exports: Exports
    format: Format
    columns: list[str]
    marked: bool
    sort: Sort | None

    async def answer(
        self, ask: Ask, exporter: Exporter[Any, Any], name: str, where: Compiled = TRUE, search: str | None = None
    ) -> Streamed:
        """The file; ``name`` says of what."""
        wanted = Wanted(self.format, where, search, self.sort, self.columns, self.marked)
        called = f"{name}-{datetime.now(UTC):%Y-%m-%d}.{self.format}"
        return await self.exports.answer(ask, _MEDIA[self.format], called, lambda conn: exporter.written(conn, wanted))


def file_request(
    request: SkipValidation[Request[Any, Any, Any]],
    exports: NamedDependency[SkipValidation[Exports]],
    ordered: NamedDependency[Sort | None],
    output: Annotated[
        Format | None, QueryParameter(name="format", description="Instead of the Accept header; else CSV.")
    ] = None,
    columns: Annotated[
        list[str] | None,
        QueryParameter(description="Of CSV: these columns, several between commas; else all that can be imported."),
    ] = None,
    bom: Annotated[bool, QueryParameter(description="Of CSV: begin with the byte order mark of UTF-8.")] = False,
) -> FileRequest:
    """As asked for by parameter, or by the ``Accept`` header."""
    lines = output == "ndjson" or (output is None and NDJSON in request.headers.get("accept", ""))
    names = [name for entry in columns or [] for part in entry.split(",") if (name := part.strip())]
    return FileRequest(exports, "ndjson" if lines else "csv", names, bom, ordered)
