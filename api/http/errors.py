"""Every error as the one documented shape, with a stable code and the request's id."""

from __future__ import annotations

import logging
import re
from typing import Any, Final

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from msgspec import UNSET

from api.http.query import parameters, wire_names
from domain.kernel import FieldError, Refused
from eventstore.database import Unavailable
from schemas.wire.error import STATUS, Error, ErrorAnswer, choices, field_error
from schemas.wire.reading import MisshapenError, RepeatedError

log = logging.getLogger("daybook.api")

_MISSING_PARAMETER = re.compile(r"Missing required query parameter '(?P<name>[^']*)'")
_BY_STATUS = {status: code for code, status in STATUS.items()}


def respond(
    request: Request[Any, Any, Any],
    code: str,
    message: str,
    *,
    details: list[FieldError] | None = None,
    existing_id: str | None = None,
    headers: dict[str, str] | None = None,
) -> Response[bytes]:
    error = Error(
        code=code,
        message=message,
        request_id=request.scope.get("state", {}).get("request_id", ""),
        details=details or UNSET,
        existing_id=existing_id or UNSET,
    )
    body = msgspec.json.encode(ErrorAnswer(error=error))
    return Response(body, status_code=STATUS[code], media_type="application/json", headers=headers or {})


def refused(request: Request[Any, Any, Any], error: Refused) -> Response[bytes]:
    headers: dict[str, str] = getattr(error, "headers", {})
    if error.code == "unauthenticated":
        headers = {"www-authenticate": 'Bearer realm="Daybook"'}
    return respond(
        request,
        error.code,
        error.message,
        details=list(error.details),
        existing_id=error.existing_id,
        headers=headers,
    )


def malformed(request: Request[Any, Any, Any], error: msgspec.DecodeError) -> Response[bytes]:
    """The body is no JSON (400), or not of the shape that is expected (422 naming all fields at fault)."""
    match error:
        case RepeatedError():
            return respond(request, "invalid_request", f"The body is ambiguous: {error}.", details=[error.fault])
        case MisshapenError():
            details = list(error.faults)
        case msgspec.ValidationError():
            details = [field_error(error)]
        case _:
            return respond(request, "invalid_request", f"The body is not valid JSON: {error}")
    return respond(request, "validation_failed", _told(details), details=details)


def _told(details: list[FieldError]) -> str:
    """One in full, several by their names."""
    if len(details) == 1:
        return f"{details[0].field}: {details[0].message}"
    return f"Not acceptable: {', '.join(detail.field for detail in details)}."


def malformed_query(request: Request[Any, Any, Any], error: ValidationException) -> Response[bytes]:
    """What the framework says of query and path parameters, and of a missing body."""
    wire = {**wire_names(request.route_handler), "data": "body"}
    kinds = {name: field.annotation for name, field in parameters(request.route_handler)}
    details = []
    extra: list[Any] = error.extra if isinstance(error.extra, list) else []
    for entry in extra:
        field, message = str(entry.get("key", "")), str(entry.get("message", ""))
        if field == "data":
            message = "must be a JSON object"
        elif message.startswith("Invalid enum value"):
            message = f"must be one of {', '.join(choices(kinds.get(field)))}"
        details.append(FieldError(field=wire.get(field, field), message=message[:1].lower() + message[1:]))
    if not details and (missing := _MISSING_PARAMETER.search(error.detail)):
        details.append(FieldError(field=missing["name"], message="is required"))
    names = ", ".join(f"{detail.field} {detail.message}" for detail in details)
    return respond(request, "invalid_request", f"The request is malformed: {names or error.detail}", details=details)


def framework(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """What Litestar itself answers: no such path, method not allowed, body too large …"""
    code = _BY_STATUS.get(error.status_code, "invalid_request" if error.status_code < 500 else "internal_error")
    message = {"not_found": f"There is nothing at {request.url.path}."}.get(code, error.detail)
    if code == "internal_error":
        return unexpected(request, error)
    return respond(request, code, message, headers=error.headers)


def unavailable(request: Request[Any, Any, Any], error: Unavailable) -> Response[bytes]:
    log.warning("database not available: %s", error.__cause__ or error)
    return respond(request, "unavailable", f"{error.says} Try again in a moment.", headers={"retry-after": "1"})


def unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    request_id = request.scope.get("state", {}).get("request_id", "")
    log.error("request %s failed", request_id, exc_info=error)
    return respond(request, "internal_error", "Something went wrong on our side; it has been recorded.")


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
    "headers_too_large": "The headers are too large.",
    "internal_error": "Something went wrong on our side; it has been recorded under the request's id.",
    "delivery_failed": "The receiver did not take it.",
    "unavailable": "There is too much to do, the database is not available, or a view has not come as far as `minSeq`; try again.",
}
"""Every error code there is, and what it means."""

HANDLERS: dict[Any, Any] = {
    Refused: refused,
    Unavailable: unavailable,
    msgspec.DecodeError: malformed,
    ValidationException: malformed_query,
    HTTPException: framework,
    Exception: unexpected,
}
