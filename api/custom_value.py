"""Custom values over HTTP: the tokens that messages name."""

from __future__ import annotations

from typing import Annotated, Final

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import PathParameter, RequestBody

from api.http.answers import Json
from api.http.ask import Ask, Change
from api.http.recall import Recall
from api.http.routes import delete, get, put
from application import custom_value as values
from domain.kernel import not_found
from projections import custom_value as rows
from schemas.custom_value import CustomValueView, NewCustomValue
from schemas.wire.page import One, Page, PageRequest

Key = Annotated[str, PathParameter(description="What the token names it by.")]
_NEW: Final = {"value": "Olga of Acme"}


class CustomValueController(Controller):
    path = "/custom-values"
    tags = ["Custom values"]  # noqa: RUF012 - what Litestar reads

    @get(operation_id="listCustomValues", summary="List custom values", scope="custom-values:read")
    def list_custom_values(
        self, ask: NamedDependency[Ask], wanted: NamedDependency[PageRequest]
    ) -> Json[Page[CustomValueView]]:
        """In order of key, unless sorted otherwise."""
        return ask.many(rows.LISTING, wanted, rows.views)

    @get("/{key:str}", operation_id="getCustomValue", summary="Get one custom value", scope="custom-values:read")
    def get_custom_value(self, recall: NamedDependency[Recall], key: Key) -> Json[One[CustomValueView]]:
        with recall.reading() as conn:
            found = rows.with_keys(conn, [key]).get(key)
            if found is None:
                raise not_found("custom value")
            (view,) = rows.views(conn, [found])
        return recall.told(view, headers={"etag": f'"{found.version}"'})

    @put(
        "/{key:str}",
        operation_id="putCustomValue",
        summary="Have a token stand for something",
        scope="custom-values:write",
        example=_NEW,
    )
    def put_custom_value(
        self, change: NamedDependency[Change], key: Key, data: RequestBody[NewCustomValue]
    ) -> Json[One[CustomValueView]]:
        """Makes the custom value, or gives it another text. Messages name it as `{{custom_values.key}}`, and what it says
        when they are sent stands in its place.
        """
        return change(
            lambda unit: values.put(unit, key, data, change.if_version),
            lambda unit, current: rows.views(unit.conn, [current])[0],
        )

    @delete(
        "/{key:str}", operation_id="deleteCustomValue", summary="Delete a custom value", scope="custom-values:write"
    )
    def delete_custom_value(self, change: NamedDependency[Change], key: Key) -> Json[None]:
        """Its token stays as it is written in messages."""
        return change.done(lambda unit: values.delete(unit, key, change.if_version))
