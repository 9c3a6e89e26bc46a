"""Points in time as callers write them, wherever they do: ISO 8601, in more ways than JSON readers know."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

import msgspec

from domain.kernel.values import moment

EXPECTED: Final = "must be a date or time, such as 2026-03-15 or 2026-03-15T10:30:00Z"

_WRITTEN: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d)(:\d\d(?:[.,]\d{1,9})?)?([Zz]|[+-]\d\d(?::?\d\d)?)?)?\Z", re.ASCII
)
_HOURS: Final = len("+01")


def rfc3339(written: str) -> str:
    """A date or time in the form that JSON readers take; as it stands where it is neither.

    A date is its first moment in UTC, since no workspace has a time zone of its own. Seconds and the minutes of a zone may
    be left out. A time without a zone stays so: nobody knows when it is.
    """
    found = _WRITTEN.match(written.strip())
    if found is None:
        return written
    day, time, seconds, zone = found.groups(default="")
    if not time:
        return f"{day}T00:00:00Z"
    return f"{day}T{time}{seconds.replace(',', '.') or ':00'}{f'{zone}:00' if len(zone) == _HOURS else zone}"


def read(written: str) -> datetime:
    """The point in time that was written, in UTC; raises ``ValueError`` with what was expected."""
    try:
        found = msgspec.convert(rfc3339(written), datetime)
    except msgspec.ValidationError:
        raise ValueError(EXPECTED) from None
    return moment(found)
