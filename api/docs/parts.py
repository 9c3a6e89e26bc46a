"""What many operations share in the OpenAPI document: headers, parameters and error responses, each described once."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from api.http.body import UNSUPPORTED
from api.http.errors import ERRORS
from domain.kernel import JSON, FieldError
from schemas.wire.error import STATUS, Error, ErrorAnswer

_ID: Final = "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0001"


def ref(kind: str, name: str) -> JSON:
    return {"$ref": f"#/components/{kind}/{name}"}


def _header(description: str, example: str, **schema: Any) -> JSON:
    return {"description": description, "schema": {"type": "string", **schema}, "example": example}


HEADERS: Final[dict[str, JSON]] = {
    "X-Request-Id": _header(
        "The request's id: as it was sent, or a new one. It is in the log and in our log lines.", _ID
    ),
    "RateLimit": _header(
        "Requests left (`r`) in this minute, and the seconds until the next (`t`).", '"minute";r=59;t=42'
    ),
    "RateLimit-Policy": _header(
        "The plan's limits: requests (`q`) in a window of seconds (`w`).", '"minute";q=60;w=60, "second";q=10;w=1'
    ),
    "Retry-After": _header("Seconds to wait before the next request.", "42", pattern="^[0-9]+$"),
    "WWW-Authenticate": _header("How to authenticate.", 'Bearer realm="Daybook"'),
    "ETag": _header("The version of the thing, to send back as `If-Match`.", '"3"', pattern='^"[0-9]+"$'),
    "Location": _header("Where the thing is.", f"/api/v1/contacts/{_ID}"),
    "Daybook-Seq": _header(
        "Where the workspace's log ended after the request; left out when nothing was written.",
        "1204",
        pattern="^[0-9]+$",
    ),
    "Daybook-View-Seq": _header("How far in the workspace's log the view is.", "1204", pattern="^[0-9]+$"),
    "Content-Disposition": _header(
        "What to call the file (RFC 6266).", 'attachment; filename="contacts-2026-03-15.csv"'
    ),
    "Daybook-As-Of": _header(
        "With `asOf`: the last entry of the log that counts; what was later is not in the answer.",
        "1187",
        pattern="^[0-9]+$",
    ),
    "Daybook-Merged-Into": _header(
        "The contact that is answered, into which the one that was asked for was merged.", _ID
    ),
    "Daybook-Next-After": _header("The `after` of the next request.", "1204", pattern="^[0-9]+$"),
    "Idempotency-Replayed": _header("`true` when this is the first response again.", "true", const="true"),
}

PARAMETERS: Final[dict[str, JSON]] = {
    "WorkspaceId": {
        "name": "X-Workspace-Id",
        "in": "header",
        "description": (
            "The workspace to act in, where a caller is a member of several; else that in which the key or session was"
            " made. `X-Org-Id` and the query parameter `workspaceId` are other names for it."
        ),
        "schema": {"type": "string", "format": "uuid"},
    },
    "RequestId": {
        "name": "X-Request-Id",
        "in": "header",
        "description": "An id of yours for the request: up to 128 letters, digits and `_ - . :`.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_.:-]{1,128}$"},
    },
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": (
            "Makes it safe to repeat the request: for 24 hours the same key gets the first response again, without"
            " anything being done twice. The same key with another request of the same caller is refused (422)."
        ),
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    },
    "IfMatch": {
        "name": "If-Match",
        "in": "header",
        "description": (
            "The `ETag` that you know: if the thing has changed since, nothing is done (412). Several, separated by commas,"
            " stand for any of them, `*` for whatever there is; a weak one never matches."
        ),
        "schema": {"type": "string"},
        "example": '"3"',
    },
    "IfNoneMatch": {
        "name": "If-None-Match",
        "in": "header",
        "description": "The `ETag` that you know: if the thing is still so, the answer is 304 without a body.",
        "schema": {"type": "string"},
        "example": '"3"',
    },
}

_MESSAGES: Final[dict[str, str | Error]] = {
    "invalid_request": Error(
        code="invalid_request",
        message="The request is malformed: limit expected `int` <= 100",
        request_id=_ID,
        details=[FieldError(field="limit", message="expected `int` <= 100")],
    ),
    "unauthenticated": "The API key or session token is not valid.",
    "permission_denied": "This takes the scope contacts:write and a role that allows it.",
    "not_found": "No such contact.",
    "method_not_allowed": "Method Not Allowed",
    "conflict": Error(
        code="conflict",
        message="A contact with this e-mail address exists already.",
        request_id=_ID,
        existing_id="0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0002",
    ),
    "precondition_failed": "This contact has changed since: its version is 4.",
    "payload_too_large": "Request Entity Too Large",
    "unsupported_media_type": UNSUPPORTED,
    "validation_failed": Error(
        code="validation_failed",
        message="Not acceptable: email.",
        request_id=_ID,
        details=[FieldError(field="email", message="must be a valid e-mail address")],
    ),
    "rate_limited": "Too many requests; try again in 42 s.",
    "headers_too_large": "All headers together must have at most 32768 bytes.",
    "internal_error": "Something went wrong on our side; it has been recorded.",
    "delivery_failed": "The receiver answered 500.",
    "unavailable": "The database is not available; try again in a moment.",
}

_BESIDE: Final = {
    "unauthenticated": ["WWW-Authenticate"],
    "rate_limited": ["Retry-After", "RateLimit", "RateLimit-Policy"],
    "unavailable": ["Retry-After"],
}
"""Headers that come with an error beside the request's id."""


def headers(*names: str) -> JSON:
    return {name: ref("headers", name) for name in ("X-Request-Id", *names)}


def error_name(code: str) -> str:
    """The component of an error response: ``NotFound``."""
    return code.title().replace("_", "")


def error_responses() -> dict[str, JSON]:
    """By component name: every error there is, with an example."""
    return {error_name(code): _error_response(code) for code in STATUS}


def _error_response(code: str) -> JSON:
    given = _MESSAGES[code]
    error = given if isinstance(given, Error) else Error(code=code, message=given, request_id=_ID)
    content = {"schema": ref("schemas", "ErrorAnswer"), "example": msgspec.to_builtins(ErrorAnswer(error=error))}
    return {
        "description": ERRORS[code],
        "headers": headers(*_BESIDE.get(code, ())),
        "content": {"application/json": content},
    }


def error_at(status: int) -> JSON:
    (code,) = (code for code, number in STATUS.items() if number == status)
    return ref("responses", error_name(code))
