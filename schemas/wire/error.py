"""Errors on the wire: one shape and stable codes."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal, get_args, get_origin

import msgspec
from msgspec import UNSET, Meta, UnsetType

from domain.kernel import FieldError, Value
from domain.kernel.times import EXPECTED

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
    "headers_too_large": 431,
    "internal_error": 500,
    "delivery_failed": 502,
    "unavailable": 503,
}
"""Every error code there is, and the status it comes with."""


class Error(Value):
    """``details`` names the fields at fault; ``existingId`` what a conflict collided with."""

    code: Annotated[str, Meta(description="What is wrong, in a word that never changes.")]
    message: Annotated[str, Meta(description="What is wrong, in a sentence for people.")]
    request_id: Annotated[str, Meta(description="The request's id.")]
    details: Annotated[list[FieldError] | UnsetType, Meta(description="The fields at fault.")] = UNSET
    existing_id: Annotated[str | UnsetType, Meta(description="The id of what stands in the way.")] = UNSET


class ErrorAnswer(Value):
    """Every error has this form."""

    error: Annotated[Error, Meta(description="What was wrong.")]


_LONGEST: Final = 200

_AT = re.compile(r" - at `\$?\.?(?P<path>[^`]*)`$")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<field>[^`]*)`")
_MISSING = re.compile(r"Object missing required field `(?P<field>[^`]*)`")
_NONE_OF = re.compile(r"Invalid enum value\b")
_NO_TIME = re.compile(r"Invalid RFC3339 encoded datetime\Z")


def field_error(error: msgspec.ValidationError, whole: str = "body", kind: Any = None) -> FieldError:
    """Msgspec's words for a wrong shape, as field and expectation: ``Expected `str`, got `int` - at `$.name``` → name.

    ``whole`` is what to call that which is wrong as a whole; ``kind`` the type that was expected, where it is known.
    """
    text = str(error)
    at = _AT.search(text)
    path = at["path"] if at else ""
    text = _AT.sub("", text)
    for pattern, message in ((_UNKNOWN, "is not a known field"), (_MISSING, "is required")):
        if found := pattern.search(text):
            return shown(".".join(part for part in (path, found["field"]) if part), message)
    if _NONE_OF.match(text) and (values := choices(kind)):
        text = f"must be one of {', '.join(values)}"
    if _NO_TIME.match(text):
        text = EXPECTED
    return shown(path or whole, text[:1].lower() + text[1:])


def choices(kind: Any) -> list[str]:
    """The words that a type allows, wherever in it they stand; none where it is no choice of words."""
    if get_origin(kind) is Literal:
        return [str(value) for value in get_args(kind)]
    return [word for inner in get_args(kind) for word in choices(inner)]


def shown(field: str, message: str) -> FieldError:
    """Without repeating whatever was sent at its full length."""
    return FieldError(field=field[:_LONGEST], message=message[:_LONGEST])
