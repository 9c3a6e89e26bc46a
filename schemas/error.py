"""Errors on the wire: one shape and stable codes."""

from __future__ import annotations

from typing import Final

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
