"""What people see with a browser: the OpenAPI document with a page to read it and try it out, and one to accept invitations."""

from __future__ import annotations

import gzip
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import msgspec
from litestar import Litestar, Request, Response
from litestar.datastructures import State
from litestar.params import FromPath
from litestar.response import Redirect

from api.docs.openapi import document
from api.http.routes import page
from domain.kernel import not_found

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Scripts and styles are files from here, and only here is anything asked for: no internet."""

_ASSETS: Final = {
    "index.html": "text/html",
    "start.js": "text/javascript",
    "style.css": "text/css",
    "accept.html": "text/html",
    "accept.js": "text/javascript",
    "accept.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}
_OURS: Final = Path(__file__).parent / "page"

_Anyone = Request[None, None, State]


@lru_cache(maxsize=8)
def _written(app: Litestar) -> bytes:
    """The document of an application: made when first asked for."""
    return msgspec.json.encode(document(app))


def _renderer() -> Path:
    """The folder of Swagger UI's files. The package around them is for Flask, and is found but never imported."""
    spec = find_spec("flask_swagger_ui")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "dist"


@cache
def _asset(name: str, *, zipped: bool) -> bytes:
    """A file of the page: ours, or the renderer's."""
    ours = _OURS / name
    content = (ours if ours.exists() else _renderer() / name).read_bytes()
    return gzip.compress(content) if zipped else content


def _answered(name: str, request: _Anyone) -> Response[bytes]:
    zipped = "gzip" in request.headers.get("accept-encoding", "")
    headers = {
        "content-security-policy": _POLICY,
        "cache-control": "public, max-age=600",
        "vary": "accept-encoding",
        **({"content-encoding": "gzip"} if zipped else {}),
    }
    return Response(_asset(name, zipped=zipped), media_type=_ASSETS[name], headers=headers)


@page("/openapi.json")
def openapi_json(request: _Anyone) -> Response[bytes]:
    return Response(_written(request.app), media_type="application/vnd.oai.openapi+json;version=3.1")


@page("/docs")
def docs(request: _Anyone) -> Response[bytes]:
    return _answered("index.html", request)


@page("/accept-invitation")
def accept_invitation(request: _Anyone) -> Response[bytes]:
    """Where the link of an invitation leads."""
    return _answered("accept.html", request)


@page("/docs/{name:str}")
def docs_asset(name: FromPath[str], request: _Anyone) -> Response[bytes]:
    if name not in _ASSETS:
        raise not_found("page")
    return _answered(name, request)


@page("/", wait=False)
def home() -> Redirect:
    """Whoever comes with a browser is sent to the documentation; only for now, so that none remembers it for good."""
    return Redirect("/docs", status_code=307)
