"""The API's documentation: the OpenAPI document, and the same as a page to read."""

from __future__ import annotations

from functools import lru_cache

import msgspec
from litestar import Litestar, Request, Response, get
from litestar.datastructures import State

from api.docs.openapi import document
from api.docs.page import page

_PUBLIC = {"public": True}
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The page has its own style and asks nothing of anybody: no scripts, no fonts, no internet."""

_Anyone = Request[None, None, State]


@lru_cache(maxsize=8)
def _written(app: Litestar) -> tuple[bytes, bytes]:
    """The document and the page of an application: made when first asked for."""
    found = document(app)
    return msgspec.json.encode(found), page(found).encode()


@get("/openapi.json", include_in_schema=False, opt=_PUBLIC, sync_to_thread=True)
def openapi_json(request: _Anyone) -> Response[bytes]:
    return Response(_written(request.app)[0], media_type="application/vnd.oai.openapi+json;version=3.1")


@get("/docs", include_in_schema=False, opt=_PUBLIC, sync_to_thread=True)
def docs(request: _Anyone) -> Response[bytes]:
    headers = {"content-security-policy": _POLICY, "x-content-type-options": "nosniff"}
    return Response(_written(request.app)[1], media_type="text/html", headers=headers)
