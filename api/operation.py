"""What every route says of itself: the scope it needs, and the errors it may answer."""

from __future__ import annotations

from typing import Any, Final

from litestar.openapi.datastructures import ResponseSpec

from schemas.error import STATUS, ErrorAnswer

_TEXT: Final = {
    "invalid_request": "The request is malformed.",
    "unauthenticated": "No valid API key or session token.",
    "permission_denied": "The key's scopes or the user's role do not allow it.",
    "not_found": "There is no such thing in this workspace.",
    "conflict": "It exists already (`existingId`), or is being changed by others.",
    "precondition_failed": "It is not at the version that `If-Match` names.",
    "payload_too_large": "The body is too large.",
    "validation_failed": "Understood, but not acceptable; `details` names the fields.",
    "rate_limited": "Too many requests; `Retry-After` says how long to wait.",
    "delivery_failed": "The receiver did not take it.",
    "unavailable": "The database is not available; try again.",
}

_ALWAYS: Final = ("invalid_request", "rate_limited", "unavailable")


def errors(*codes: str, public: bool = False) -> dict[int, ResponseSpec]:
    """The documented error responses: these and those that every route may answer."""
    always = _ALWAYS if public else (*_ALWAYS, "unauthenticated", "permission_denied")
    return {
        STATUS[code]: ResponseSpec(data_container=ErrorAnswer, description=_TEXT[code], generate_examples=False)
        for code in (*codes, *always)
    }


def needs(scope: str, **more: Any) -> dict[str, Any]:
    """The ``opt`` of a route that takes a scope such as ``contacts:read``."""
    return {"scope": scope, **more}
