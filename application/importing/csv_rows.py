"""The rows of a CSV text, read strictly: one that cannot be read is named, and those behind it go on."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TextIO

from domain.importing.cells import unguarded

MAX_CELLS: Final = 2_000
MAX_CHARACTERS: Final = 4_000_000
"""Of a row: ten times the columns there may be, and all that it has on its lines."""


@dataclass(frozen=True, slots=True)
class Record:
    """A row, and the line of the file that it begins on; ``fault`` says why it has no cells."""

    line: int
    cells: list[str]
    fault: str | None = None


class CsvRows:
    """Rows one after the other; a line without anything on it is none.

    Quotes are taken strictly: a missing one would make all that follows into one cell. Behind a row that cannot be read it
    goes on with the first line that has as many cells as the first row, so that no half of a cell is taken for a row.
    """

    def __init__(self, text: TextIO, delimiter: str, *, skip: int = 0) -> None:
        """``skip``: so many lines at the beginning are no rows."""
        self._lines = _Lines(text)
        self._delimiter = delimiter
        self._width = 0
        self._line = 1 + skip
        for _ in range(skip):
            self._lines.take()

    def __iter__(self) -> Iterator[Record]:
        reader = csv.reader(self._lines, delimiter=self._delimiter, strict=True)
        while True:
            self._lines.begin_row()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield self._unreadable(str(error))
                continue
            if cells:
                yield self._record(cells)
            self._line += len(self._lines.row)

    def _record(self, cells: list[str]) -> Record:
        self._width = self._width or len(cells)
        if len(cells) > MAX_CELLS:
            return Record(self._line, [], f"has more than {MAX_CELLS} cells")
        return Record(self._line, [unguarded(cell) if cell[:1] == "'" else cell for cell in cells])

    def _unreadable(self, error: str) -> Record:
        """The row in hand, with the lines behind it on which no other begins."""
        begins = self._line
        self._line += 1
        self._lines.give_back(self._lines.row[1:])
        while self._width and (line := self._lines.take()):
            if self._cells(line) in (0, self._width):
                self._lines.give_back([line])
                break
            self._line += 1
        upto = "" if self._line == begins + 1 else f" up to line {self._line - 1}"
        return Record(begins, [], f"cannot be read{upto}: {error}")

    def _cells(self, line: str) -> int:
        """How many a line has by itself; -1 where that cannot be said."""
        try:
            return len(next(csv.reader([line], delimiter=self._delimiter)))
        except csv.Error:
            return -1


class _Lines:
    """The lines of a text, as long as those of one row are not too much to hold; what was taken may be given back."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._back: deque[str] = deque()
        self.begin_row()

    def begin_row(self) -> None:
        self.row: list[str] = []
        self._left = MAX_CHARACTERS

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self.take()
        if not line:
            raise StopIteration
        self.row.append(line)
        self._left -= len(line)
        if self._left < 0:
            raise csv.Error(f"it has more than {MAX_CHARACTERS} characters")
        return line

    def take(self) -> str:
        """The next line, of no row yet; none at the end. What a line has beyond what a row may have is passed over."""
        if self._back:
            return self._back.popleft()
        part = line = self._text.readline(MAX_CHARACTERS + 1)
        while len(part) > MAX_CHARACTERS and part[-1] not in "\r\n":
            part = self._text.readline(MAX_CHARACTERS + 1)
        return line

    def give_back(self, lines: Sequence[str]) -> None:
        self._back.extendleft(reversed(lines))
