"""JSON as callers send it: read strictly into a type, and never more than a few levels deep."""

from __future__ import annotations

import json
import re
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import accumulate
from typing import Any, Final, Generic, TypeVar

import msgspec

from domain.kernel import FieldError
from schemas.wire.error import field_error, shown
from schemas.wire.faults import faults
from schemas.wire.times import with_times

T = TypeVar("T")

MAX_DEPTH: Final = 32
"""Lists and objects within one another, the whole document among them."""
MAX_VALUES: Final = 1_000_000
"""In one document, at whatever depth: what is made of each takes far longer than its few bytes."""


class TooDeepError(msgspec.ValidationError):
    """Nested deeper than ``MAX_DEPTH``; ends like all of msgspec's own with the field."""


class RepeatedError(msgspec.DecodeError):
    """A name is there twice in one object: which of its values counts, nobody can know."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is there twice in an object")
        self.fault = shown(name, "must be given once")


class MisshapenError(msgspec.ValidationError):
    """Of another shape than was expected; ``faults`` is all that is wrong with it."""

    def __init__(self, faults: Sequence[FieldError]) -> None:
        super().__init__(", ".join(f"{fault.field} {fault.message}" for fault in faults))
        self.faults = tuple(faults)


class Reader(Generic[T]):
    """Reads documents of one type. Whatever is made of them may recurse: their depth is bounded here, for all."""

    def __init__(self, kind: Any) -> None:
        self._kind = kind
        self._decode: Callable[[bytes | str], T] = msgspec.json.Decoder(kind).decode

    def read(self, document: bytes | str) -> T:
        """Raises ``msgspec.DecodeError`` where it is no JSON, ``msgspec.ValidationError`` where it is of another shape."""
        check_depth(document.encode() if isinstance(document, str) else document)
        try:
            found = self._read(document)
            check_names(document if isinstance(document, str) else document.decode())
        except UnicodeDecodeError as error:
            raise msgspec.DecodeError(f"it is not UTF-8 (byte {error.start})") from None
        return found

    def _read(self, document: bytes | str) -> T:
        with suppress(msgspec.ValidationError):  # nearly all times are written as they are read
            return self._decode(document)
        written = with_times(self._kind, document)
        try:
            return self._decode(written)
        except msgspec.ValidationError as error:
            raise MisshapenError(faults(self._kind, written) or [field_error(error)]) from None


def check_names(document: str) -> None:
    """Raises ``RepeatedError`` where an object of this JSON has a name twice, of which most readers take the last."""
    _NAMES.decode(document)


def _once(pairs: list[tuple[str, Any]]) -> None:
    if len(pairs) > 1 and len(dict(pairs)) < len(pairs):
        raise RepeatedError(next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1))


_NAMES: Final = json.JSONDecoder(
    object_pairs_hook=_once, parse_float=str, parse_int=str, parse_constant=str, strict=False
)
"""Reads nothing but the names: numbers are left as they stand."""


def check_depth(document: bytes) -> None:
    """Raises ``TooDeepError`` naming the outermost field, ``msgspec.ValidationError`` where there are more than
    ``MAX_VALUES``, or ``msgspec.DecodeError`` where it is no JSON.

    Takes time that grows no faster than the document, and lets other threads go on meanwhile.
    """
    if document.count(b"[") + document.count(b"{") <= MAX_DEPTH and document.count(b",") <= MAX_VALUES:
        return
    depth = values = 0
    for marks in _marks(document):
        levels = [*accumulate(array("b", marks.translate(_STEPS)), initial=depth)]
        if max(levels) > MAX_DEPTH:
            raise _too_deep(document)
        depth, values = levels[-1], values + len(marks) - marks.count(b"]") - marks.count(b"}")
        if values > MAX_VALUES:
            raise msgspec.ValidationError(f"Must hold at most {MAX_VALUES} values")


def _marks(document: bytes) -> Iterator[bytes]:
    """Brackets and commas, but for those in text, in pieces: most of JSON is passed over at the speed of memory."""
    found = document.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _TEXT)
    within = 0
    for start in range(0, len(found), _PIECE):
        parts = found[start : start + _PIECE].split(b'"')
        yield b"".join(parts[within::2])
        within = (within + len(parts) - 1) % 2


def _too_deep(document: bytes) -> TooDeepError:
    with suppress(RecursionError):  # may be deeper than the decoder itself can go
        msgspec.json.decode(document, type=msgspec.Raw)
    return TooDeepError(f"Must be nested at most {MAX_DEPTH} deep - at `$.{_outermost(document)}`")


def _outermost(document: bytes) -> str:
    """The field of the whole object in which it is too deep; nothing where the whole is none."""
    until = _UNTIL_TOO_DEEP.match(document)
    name = _NAME.search(document[max(0, until.end() - _TAIL) : until.end()]) if until else None
    return name[1].decode(errors="replace") if name else ""


def _nested(depth: int) -> bytes:
    """What matches brackets in pairs to this depth and no further.

    Possessive all through: nothing is ever looked at twice.
    """
    flat = rb'[^\[\]{}"]++|"(?:[^"\\]++|\\.)*+"'
    found = rb"(?:" + flat + rb")*+"
    for _ in range(depth):
        found = rb"(?:" + flat + rb"|[\[{]" + found + rb"[\]}])*+"
    return found


_TEXT: Final = bytes(set(range(256)) - set(b'[]{},"'))
_STEPS: Final = bytes.maketrans(b"[{]},", b"\x01\x01\xff\xff\x00")
"""What each mark adds to the depth, as a signed byte."""
_PIECE: Final = 64 * 1024
_UNTIL_TOO_DEEP: Final = re.compile(rb"\s*+\{" + _nested(MAX_DEPTH - 1), re.DOTALL)
_TAIL: Final = 100
_NAME: Final = re.compile(rb'"([^"\\]{1,64})"\s*:\s*\Z')
