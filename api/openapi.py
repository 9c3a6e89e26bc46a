"""The OpenAPI 3.1 document, and where to read it."""

from __future__ import annotations

from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Components, License, SecurityScheme, Server


def configuration() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="Daybook",
        version="1.0",
        summary="An event-sourced CRM.",
        description=(
            "Every request takes `Authorization: Bearer <API key or session token>`. One thing comes as"
            ' `{"data": …}`, many as `{"data": […], "meta": …}`, an error as `{"error": {code, message, details}}`.'
            " `ETag` is the version of a thing; send it back as `If-Match`. `Idempotency-Key` makes a repeated command"
            " answer as the first did. `X-Workspace-Id` chooses the workspace, where a caller has several."
        ),
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
        servers=[Server(url="/")],
        security=[{"bearer": []}],
        components=Components(
            security_schemes={
                "bearer": SecurityScheme(type="http", scheme="bearer", description="An API key or session token.")
            }
        ),
        path="/docs",
        use_handler_docstrings=False,
    )
