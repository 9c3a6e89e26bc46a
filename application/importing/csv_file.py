"""A CSV file as people send it: its encoding, its delimiter, its header, and its rows with the lines they begin on."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import IO, Final

from application.importing.csv_rows import CsvRows, Record
from domain.kernel import Refused, invalid

ENCODINGS: Final = {
    "utf-8": "utf-8-sig",
    "utf8": "utf-8-sig",
    "us-ascii": "utf-8-sig",
    "utf-16": "utf-16",
    "utf16": "utf-16",
    "cp1252": "cp1252",
    "windows-1252": "cp1252",
    "latin-1": "latin-1",
    "iso-8859-1": "latin-1",
}
"""As callers name them, and as Python does."""

DELIMITERS: Final = {",": ",", ";": ";", "\t": "\t", "|": "|", "comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}

_ADDRESS: Final = re.compile(r"[^@\s]++@(?=[^@\s]++\Z)[^@\s][^@\s.]*+\.[^@\s]")
"""A dot within what stands behind the only @; all of it is looked at twice at most."""
_BLOCK: Final = 65_536
_SEPARATOR_LINE: Final = "sep="


class CsvFile:
    """Reads a file from its beginning, a row at a time; the file stays the caller's, to be read again or closed.

    Without ``encoding`` it is UTF-8, or UTF-16 where it begins with that one's byte order mark; without
    ``delimiter`` it is the one that the header has most of. Every refusal is of the field ``file``.
    """

    def __init__(self, file: IO[bytes], *, encoding: str | None = None, delimiter: str | None = None) -> None:
        self._file = file
        self.encoding = _known("encoding", ENCODINGS, encoding) or self._by_mark()
        wanted = _known("delimiter", DELIMITERS, delimiter)
        beginning = self._beginning()
        self._skipped = 1 if beginning.lower().startswith(_SEPARATOR_LINE) else 0
        self.delimiter = wanted or _delimiter(beginning)
        self.header = self._header()
        if not any(cell.strip() for cell in self.header):
            raise invalid("file", "must have a header row with the columns' names")
        for cell in self.header:
            if _ADDRESS.match(cell.strip()):
                raise invalid("file", f"must have a header row with the columns' names; {cell.strip()[:64]!r} is none")

    def _header(self) -> list[str]:
        first = next(self._read(), Record(1, []))
        if first.fault is not None:
            raise invalid("file", f"has no header row: what begins on line {first.line} {first.fault}")
        return first.cells

    def records(self) -> Iterator[Record]:
        """The rows behind the header; lines without anything on them are none. One that cannot be read has a fault."""
        return islice(self._read(), 1, None)

    def _read(self) -> Iterator[Record]:
        """All rows, the header first."""
        self._file.seek(0)
        text = io.TextIOWrapper(self._file, self.encoding, newline="")
        try:
            yield from CsvRows(text, self.delimiter, skip=self._skipped)
        except UnicodeError:
            raise self._undecodable() from None
        finally:
            with suppress(ValueError):  # who stops reading may have closed the file by now
                text.detach()

    def _by_mark(self) -> str:
        self._file.seek(0)
        beginning = self._file.read(4)
        if beginning.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        if b"\0" in beginning:
            raise invalid("file", "must be text in UTF-8, or in UTF-16 with a byte order mark")
        return "utf-8-sig"

    def _beginning(self) -> str:
        self._file.seek(0)
        return codecs.getincrementaldecoder(self.encoding)("replace").decode(self._file.read(_BLOCK))

    def _undecodable(self) -> Refused:
        """Which byte it is that cannot be read; looked for once reading has failed."""
        decoder = codecs.getincrementaldecoder(self.encoding)()
        self._file.seek(0)
        read = 0
        while True:
            block = self._file.read(_BLOCK)
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                offset = read - (len(error.object) - len(block)) + error.start
                found = f"the byte at offset {offset} (0x{error.object[error.start]:02x}) is not {_name(self.encoding)}"
                message = f"{found}; send the file as UTF-8, or say which encoding it is in"
                return invalid("file", message)
            except UnicodeError as error:
                return invalid("file", f"is not {_name(self.encoding)}: {error}")
            read += len(block)
            if not block:
                return invalid("file", f"is not {_name(self.encoding)}")


def _known(field: str, names: dict[str, str], given: str | None) -> str | None:
    if given is None:
        return None
    if given.lower() not in names:
        raise invalid(field, f"must be one of {', '.join(repr(name) for name in names)}")
    return names[given.lower()]


def _name(encoding: str) -> str:
    return encoding.removesuffix("-sig").upper()


def _delimiter(beginning: str) -> str:
    """The delimiter that makes most columns of the header; a file may name its own in a first line such as ``sep=;``."""
    if beginning.lower().startswith(_SEPARATOR_LINE):
        named = beginning[len(_SEPARATOR_LINE) :][:1]
        if named in DELIMITERS:
            return named
        beginning = beginning.partition("\n")[2]
    widths = {delimiter: _width(beginning, delimiter) for delimiter in (",", ";", "\t", "|")}
    return max(widths, key=lambda delimiter: widths[delimiter])


def _width(beginning: str, delimiter: str) -> int:
    try:
        return len(next(csv.reader(io.StringIO(beginning, newline=""), delimiter=delimiter), []))
    except csv.Error:
        return 0
