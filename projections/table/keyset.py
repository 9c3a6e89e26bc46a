"""Cursors: where a page of a list ended, in a text that a caller hands back.

A cursor has the order of its list and the values that the last row has in it. It comes back from callers, so it is taken
for nothing but what it says: each value must be of the kind that the order has there.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec

from domain.kernel import FieldError, Refused
from eventstore.chain import timestamp

R = TypeVar("R")

_SMALLEST: Final = -(2**63)
_LARGEST: Final = 2**63 - 1
"""Of what Postgres keeps in a bigint."""
_DIGITS: Final = 1_000
"""Before and behind the point: Postgres keeps more in a numeric."""
_FOREIGN: Final = "must be the nextCursor of an earlier answer"
_UNORDERED: Final = "belongs to a list in another order, or as of another moment"
_AS_OF: Final = "@"
"""Stands before the moment behind the name of an order."""


def as_of(order: str, seq: int | None) -> str:
    """The name of an order in the cursors of a list as of a moment of the log, if any."""
    return order if seq is None else f"{order}{_AS_OF}{seq}"


def moment(cursor: str) -> str | None:
    """The seq as of which the list is that a cursor is of, if it is one of the past. What is no cursor has none."""
    try:
        found, *_ = msgspec.json.decode(_raw(cursor), type=list[Any])
    except (binascii.Error, msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return found.rpartition(_AS_OF)[2] if isinstance(found, str) and _AS_OF in found else None


def _raw(cursor: str) -> bytes:
    return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)


def written(order: str, *values: Any) -> str:
    """The cursor behind a row that has these values in the order."""
    kept = [timestamp(value) if isinstance(value, datetime) else value for value in values]
    return base64.urlsafe_b64encode(msgspec.json.encode([order, *kept])).decode().rstrip("=")


def read(cursor: str, order: str, *kinds: Any) -> tuple[Any, ...]:
    """The values of a cursor, one of each kind; ``int | None`` may be null. Refuses (``invalid_request``) any other."""
    try:
        found, *values = msgspec.json.decode(_raw(cursor), type=list[Any])
        if isinstance(found, str) and found != order:
            raise _bad_cursor(_UNORDERED)
        if found != order or len(values) != len(kinds):
            raise _bad_cursor(_FOREIGN)
        return tuple(_value(value, kind) for value, kind in zip(values, kinds, strict=True))
    except (binascii.Error, msgspec.MsgspecError, ValueError, RecursionError):
        raise _bad_cursor(_FOREIGN) from None


def _value(value: Any, kind: Any) -> Any:
    found = msgspec.convert(value, kind)
    if not _is_sound(found):
        raise ValueError(value)
    return found


def _is_sound(found: Any) -> bool:
    """Whether Postgres can keep it."""
    match found:
        case bool() | UUID() | None:
            sound = True
        case list():
            sound = all(_is_sound(entry) for entry in found)
        case int():
            sound = _SMALLEST <= found <= _LARGEST
        case str():
            sound = "\0" not in found
        case Decimal():
            sound = found.is_finite() and abs(found.adjusted()) <= _DIGITS
        case datetime():
            sound = found.tzinfo is not None
        case _:
            sound = isinstance(found, float | date)
    return sound


def _bad_cursor(message: str) -> Refused:
    details = [FieldError(field="cursor", message=message)]
    return Refused("invalid_request", f"cursor: {message}", details=details)


def page(found: Sequence[R], limit: int, cursor: Callable[[R], str]) -> tuple[list[R], str | None]:
    """Of one row more than a page has: the page, and its cursor where there is more."""
    rows = list(found[:limit])
    return rows, cursor(rows[-1]) if len(found) > limit else None
