"""What answers must be like, in the tests' words."""

from __future__ import annotations

from typing import Any

import httpx


def refused(answer: httpx.Response, status: int, *fields: str, says: str = "") -> dict[str, Any]:
    """An error of this status in the documented form, for the sake of these fields; answers the error."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    error: dict[str, Any] = answer.json()["error"]
    assert error["code"] == CODES[status], answer.text
    assert error["requestId"] == answer.headers["x-request-id"]
    assert error.keys() <= {"code", "message", "details", "requestId", "existingId"}
    if fields:
        assert [detail["field"] for detail in error["details"]] == list(fields), answer.text
    assert says in " ".join([error["message"], *(detail["message"] for detail in error.get("details", ()))]), (
        answer.text
    )
    return error


CODES = {
    400: "invalid_request",
    401: "unauthenticated",
    403: "permission_denied",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    412: "precondition_failed",
    413: "payload_too_large",
    415: "unsupported_media_type",
    422: "validation_failed",
    429: "rate_limited",
    431: "headers_too_large",
    502: "delivery_failed",
    503: "unavailable",
}


def ok(answer: httpx.Response, status: int = 200) -> Any:
    """The answer's JSON, which must have come with this status."""
    assert answer.status_code == status, answer.text
    return answer.json()


def gone(answer: httpx.Response) -> None:
    """Deleted, with nothing more to say."""
    assert answer.status_code == 204, answer.text
    assert answer.content == b""
