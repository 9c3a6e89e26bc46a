"""JSON as callers send it: read strictly into a type, and never more than a few levels deep."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, Generic, TypeVar

import msgspec

T = TypeVar("T")

MAX_DEPTH: Final = 32
"""Lists and objects within one another, the whole document among them."""


class TooDeepError(msgspec.ValidationError):
    """Nested deeper than ``MAX_DEPTH``; ends like all of msgspec's own with the field."""


class Reader(Generic[T]):
    """Reads documents of one type. Whatever is made of them may recurse: their depth is bounded here, for all."""

    def __init__(self, kind: Any) -> None:
        self._decode: Callable[[bytes | str], T] = msgspec.json.Decoder(kind).decode

    def read(self, document: bytes | str) -> T:
        """Raises ``msgspec.DecodeError`` where it is no JSON, ``msgspec.ValidationError`` where it is of another shape."""
        try:
            check_depth(document.encode() if isinstance(document, str) else document)
            return self._decode(document)
        except UnicodeDecodeError as error:
            raise msgspec.DecodeError(f"it is not UTF-8 (byte {error.start})") from None


def check_depth(document: bytes) -> None:
    """Raises ``TooDeepError`` naming the outermost field, or ``msgspec.DecodeError`` where it is no JSON.

    Takes time that grows no faster than the document.
    """
    if document.count(b"[") + document.count(b"{") <= MAX_DEPTH or _SHALLOW.fullmatch(_structure(document)):
        return
    with suppress(RecursionError):  # may be deeper than the decoder itself can go
        msgspec.json.decode(document, type=msgspec.Raw)
    raise TooDeepError(f"Must be nested at most {MAX_DEPTH} deep - at `$.{_outermost(document)}`")


def _structure(document: bytes) -> bytes:
    """Brackets and quotes alone, as deep as the document: most of it is text, which is passed over at the speed of memory."""
    return document.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _TEXT)


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


_TEXT: Final = bytes(set(range(256)) - set(b'[]{}"'))
_SHALLOW: Final = re.compile(_nested(MAX_DEPTH), re.DOTALL)
_UNTIL_TOO_DEEP: Final = re.compile(rb"\s*+\{" + _nested(MAX_DEPTH - 1), re.DOTALL)
_TAIL: Final = 100
_NAME: Final = re.compile(rb'"([^"\\]{1,64})"\s*:\s*\Z')
