"""What every route says of itself: the scope it needs, what it takes and answers, and the errors it may answer."""

from __future__ import annotations

from typing import Any, Final

from litestar.openapi.datastructures import ResponseSpec

from schemas.wire.error import STATUS, ErrorAnswer

ERRORS: Final = {
    "invalid_request": "The request is malformed.",
    "unauthenticated": "No valid API key or session token.",
    "permission_denied": "The key's scopes or the user's role do not allow it.",
    "not_found": "There is no such thing in this workspace.",
    "method_not_allowed": "There is something at this path, but not for this method.",
    "conflict": "It exists already (`existingId`), or is being changed by others.",
    "precondition_failed": "It is not at the version that `If-Match` names.",
    "payload_too_large": "The body is too large.",
    "unsupported_media_type": "The body is not sent as one of the types that are taken.",
    "validation_failed": "Understood, but not acceptable; `details` names the fields.",
    "rate_limited": "Too many requests; `Retry-After` says how long to wait.",
    "internal_error": "Something went wrong on our side; it has been recorded under the request's id.",
    "delivery_failed": "The receiver did not take it.",
    "unavailable": "The database is not available; try again.",
}
"""Every error code there is, and what it means."""

_ALWAYS: Final = ("invalid_request", "rate_limited", "internal_error", "unavailable")


def errors(*codes: str, public: bool = False) -> dict[int, ResponseSpec]:
    """The documented error responses: these and those that every route may answer."""
    always = _ALWAYS if public else (*_ALWAYS, "unauthenticated", "permission_denied")
    return {
        STATUS[code]: ResponseSpec(data_container=ErrorAnswer, description=ERRORS[code], generate_examples=False)
        for code in (*codes, *always)
    }


def needs(scope: str, **more: Any) -> dict[str, Any]:
    """The ``opt`` of a route that takes a scope such as ``contacts:read``.

    For the documentation it may also have: ``example``, a request body; ``headers`` that are answered beside the usual
    ones; ``lines``, what a line of the answer is as NDJSON; ``conditional`` when it can answer 304; ``repeatable`` when
    a command without a body takes an ``Idempotency-Key``. A route that reads the body itself names the type of its
    ``json``, and other ``bodies`` by media type.
    """
    return {"scope": scope, **more}
