"""An id of what was merged into another goes on answering: with that other, where there is nothing else under it.

Only when an operation finds nothing is it asked whether the id leads elsewhere: for an id that exists, it costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import wraps
from inspect import Parameter, iscoroutinefunction, signature
from typing import Any, Final
from uuid import UUID

from api.http.ask import Ask
from api.http.turns import in_turn
from domain.kernel import Refused
from projections.catalogue import ROWS
from projections.table.rows import RowTable

HEADER: Final = "Daybook-Merged-Into"

_LEADING: Final = {f"{kind}_id": table for kind, table in ROWS.items() if table.leads_to is not None}
"""The kinds of thing that can be merged into others, by the name of the parameter that has the id of one."""


def leading(handler: Any) -> str | None:
    """The parameter of the path, if the handler has one, whose id may lead elsewhere."""
    given = signature(handler).parameters.values()
    return next((one.name for one in given if one.name in _LEADING and one.default is Parameter.empty), None)


def following(handler: Any, parameter: str) -> Any:
    """The handler, which does what it does to that into which the thing was merged that its ``parameter`` names."""
    if iscoroutinefunction(handler):
        return _awaited(handler, parameter)

    @wraps(handler)
    def followed(*args: Any, **given: Any) -> Any:
        try:
            return handler(*args, **given)
        except Refused as refusal:
            led_to = _led_to(refusal, given, parameter)
            if led_to == given[parameter]:
                raise
        return _told(handler(*args, **{**given, parameter: led_to}), led_to)

    return followed


def _awaited(handler: Any, parameter: str) -> Any:
    @wraps(handler)
    async def followed(*args: Any, **given: Any) -> Any:
        try:
            return await handler(*args, **given)
        except Refused as refusal:
            led_to = await in_turn(_led_to, refusal, given, parameter)
            if led_to == given[parameter]:
                raise
        return _told(await handler(*args, **{**given, parameter: led_to}), led_to)

    return followed


def _led_to(refusal: Refused, given: Mapping[str, Any], parameter: str) -> UUID:
    """Where the id leads; itself where something else is refused than what is not there."""
    thing_id: UUID = given[parameter]
    ask = next((value for value in given.values() if isinstance(value, Ask)), None)
    table: RowTable[Any] = _LEADING[parameter]
    if refusal.code != "not_found" or ask is None or table.leads_to is None:
        return thing_id
    with ask.reading() as conn:
        return table.leads_to(conn, thing_id)


def _told(answer: Any, led_to: UUID) -> Any:
    answer.headers[HEADER.lower()] = str(led_to)
    return answer
