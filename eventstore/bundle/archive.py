"""A tar archive of regular files with plain names: written and read piece by piece, and nothing of it to any disk."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from gzip import compress
from tarfile import BLOCKSIZE, USTAR_FORMAT, HeaderError, TarInfo
from typing import BinaryIO, Final, NamedTuple

from eventstore.bundle.contents import MANIFEST, MAX_FILE, MAX_LINE, MAX_MANIFEST, PART_BYTES

END: Final = bytes(2 * BLOCKSIZE)
_STEP: Final = 64 * 1024
_MOST_UNPACKED: Final = PART_BYTES + MAX_LINE


class CutOffError(Exception):
    """The archive ends in the middle."""


class StrangeError(Exception):
    """It is no archive as a bundle is one, or goes beyond the limits."""


class Member(NamedTuple):
    name: str
    content: bytes


def member(name: str, content: bytes) -> bytes:
    """A file in the archive; the same bytes for the same content, whoever makes it and when."""
    return _header(name, len(content)) + content + bytes(-len(content) % BLOCKSIZE)


def packed(lines: bytes) -> bytes:
    """As gzip, which has no time in it."""
    return compress(lines, compresslevel=3, mtime=0)


def members(file: BinaryIO) -> Iterator[Member]:
    """The files, one at a time, each by its size within limits before it is read.

    Raises ``CutOffError`` and ``StrangeError``.
    """
    while True:
        header = file.read(BLOCKSIZE)
        if header == END[:BLOCKSIZE]:
            break
        name, size = _said(header)
        content = file.read(size)
        padding = file.read(-size % BLOCKSIZE)
        if len(content) < size or len(padding) < -size % BLOCKSIZE:
            raise CutOffError(f"it ends within {name}")
        if any(padding):
            raise StrangeError(f"something behind the end of {name}")
        yield Member(name, content)
    _check_end(file)


def lines(content: bytes) -> Iterator[bytes]:
    """The lines of a packed file, unpacked as far as they are read; none is longer than the limit, nor all of them.

    Raises ``StrangeError``: what comes before it is as it was packed, as far as that can be told.
    """
    unpacking, rest, total = zlib.decompressobj(wbits=31), b"", 0
    while not unpacking.eof:
        piece = _unpacked(unpacking, content)
        content = unpacking.unconsumed_tail
        total += len(piece)
        if total > _MOST_UNPACKED:
            raise StrangeError(f"a file of events of more than {_MOST_UNPACKED:,} bytes")
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole
        if len(rest) > MAX_LINE:
            raise StrangeError(f"a line of more than {MAX_LINE:,} bytes")
        if not piece and not content:
            raise StrangeError("packed data that end in the middle")
    if rest or unpacking.unused_data:
        raise StrangeError("something behind the last line")


def _unpacked(unpacking: zlib._Decompress, content: bytes) -> bytes:
    try:
        return unpacking.decompress(content, _STEP)
    except zlib.error as error:
        raise StrangeError(f"packed data that cannot be read: {error}") from None


def _header(name: str, size: int) -> bytes:
    info = TarInfo(name)
    info.size = size
    return info.tobuf(USTAR_FORMAT, "ascii", "strict")


def _said(header: bytes) -> tuple[str, int]:
    """Name and size by a header that is exactly as ``member`` makes it."""
    if len(header) < BLOCKSIZE:
        raise CutOffError("it ends before its manifest, between two files" if not header else "it ends within a header")
    try:
        info = TarInfo.frombuf(header, "ascii", "strict")
        same = _header(info.name, info.size) == header
    except (HeaderError, ValueError):
        raise StrangeError("what is no header of a file") from None
    if not same:
        raise StrangeError(f"{info.name[:100]!r}, which is no regular file as a bundle has them")
    if info.size > (limit := MAX_MANIFEST if info.name == MANIFEST else MAX_FILE):
        raise StrangeError(f"{info.name} of {info.size:,} bytes, which are more than {limit:,}")
    return info.name, info.size


def _check_end(file: BinaryIO) -> None:
    rest = file.read(BLOCKSIZE + 1)
    if len(rest) < BLOCKSIZE:
        raise CutOffError("it ends within the mark of its end")
    if rest != bytes(BLOCKSIZE):
        raise StrangeError("something behind the end of the archive")
