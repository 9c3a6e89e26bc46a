"""Smart lists over HTTP: the saved views of the contacts."""

from __future__ import annotations

from typing import Any, Final

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import RequestBody

from api.http.answers import Answer, Json
from api.http.ask import Act, Ask
from api.http.routes import get, put
from application import smart_list as lists
from projections import smart_list as rows
from schemas.smart_list import SmartLists, SmartListView
from schemas.wire.page import One

_VIEWS: Final[dict[str, Any]] = {
    "views": [
        {
            "name": "Fresh leads",
            "query": {"groups": [{"conditions": [{"field": "tags", "op": "contains", "value": "lead"}]}]},
            "sort": "-createdAt",
        }
    ]
}


class SmartListController(Controller):
    path = "/contacts/views"
    tags = ["Contacts"]  # noqa: RUF012 - what Litestar reads

    @get(operation_id="listContactViews", summary="List the saved smart lists", scope="contacts:read")
    def list_views(self, ask: NamedDependency[Ask]) -> Json[One[list[SmartListView]]]:
        """All of them, in order. They are shared by the whole workspace; each member finds by them what they may see."""
        with ask.reading() as conn:
            return ask.told(rows.views(conn, rows.every(conn)))

    @put(
        operation_id="saveContactViews",
        summary="Save the smart lists",
        scope="contacts:write",
        example=_VIEWS,
        listed="views",
    )
    def save_views(self, act: NamedDependency[Act], data: RequestBody[SmartLists]) -> Json[One[list[SmartListView]]]:
        """All of them as they are to be: those with an `id` are changed, others are made, and what is not among them is
        deleted. The list alone is taken as the body, too.
        """
        return act.answer(lambda unit: Answer(lists.replace(unit, data.views), status=200))
