"""Errors on the wire: one shape and stable codes."""

from __future__ import annotations

import re
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from domain.kernel import FieldError, Value

STATUS: Final = {
    "invalid_request": 400,
    "unauthenticated": 401,
    "permission_denied": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "conflict": 409,
    "precondition_failed": 412,
    "payload_too_large": 413,
    "unsupported_media_type": 415,
    "validation_failed": 422,
    "rate_limited": 429,
    "internal_error": 500,
    "delivery_failed": 502,
    "unavailable": 503,
}
"""Every error code there is, and the status it comes with."""


class Error(Value):
    """``details`` names the fields at fault; ``existingId`` what a conflict collided with."""

    code: str
    message: str
    request_id: str
    details: list[FieldError] | UnsetType = UNSET
    existing_id: str | UnsetType = UNSET


class ErrorAnswer(Value):
    error: Error


_AT = re.compile(r" - at `\$?\.?(?P<path>[^`]*)`$")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<field>[^`]*)`")
_MISSING = re.compile(r"Object missing required field `(?P<field>[^`]*)`")


def field_error(error: msgspec.ValidationError, whole: str = "body") -> FieldError:
    """Msgspec's words for a wrong shape, as field and expectation: ``Expected `str`, got `int` - at `$.name``` → name.

    ``whole`` is what to call that which is wrong as a whole.
    """
    text = str(error)
    at = _AT.search(text)
    path = at["path"] if at else ""
    text = _AT.sub("", text)
    for pattern, message in ((_UNKNOWN, "is not a known field"), (_MISSING, "is required")):
        if found := pattern.search(text):
            return FieldError(field=".".join(part for part in (path, found["field"]) if part), message=message)
    return FieldError(field=path or whole, message=text[:1].lower() + text[1:])
