"""An id of what was merged into another goes on answering: with that other, where there is nothing else under it.

Only when an operation finds nothing is it asked whether the id leads elsewhere: for an id that exists, it costs nothing.
"""

from __future__ import annotations

from functools import wraps
from inspect import Parameter, iscoroutinefunction, signature
from typing import Any, Final
from uuid import UUID

from api.http.ask import Ask
from api.http.turns import in_turn
from domain.kernel import Refused
from projections.catalogue import ROWS

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
            ask = _led(refusal, given, parameter)
            if ask is None:
                raise
        return _told(handler(*args, **given), ask)

    return followed


def _awaited(handler: Any, parameter: str) -> Any:
    @wraps(handler)
    async def followed(*args: Any, **given: Any) -> Any:
        try:
            return await handler(*args, **given)
        except Refused as refusal:
            ask = await in_turn(_led, refusal, given, parameter)
            if ask is None:
                raise
        return _told(await handler(*args, **given), ask)

    return followed


def _led(refusal: Refused, given: dict[str, Any], parameter: str) -> Ask | None:
    """The request, once what is ``given`` has the id that its own leads to; ``None`` where it leads nowhere, or something else
    is refused than what is not there.
    """
    ask = next((value for value in given.values() if isinstance(value, Ask)), None)
    leads_to = _LEADING[parameter].leads_to if refusal.code == "not_found" else None
    if ask is None or leads_to is None:
        return None
    with ask.reading() as conn:
        led_to: UUID = leads_to(conn, given[parameter])
    if led_to == given[parameter]:
        return None
    given[parameter] = led_to
    ask.beside[HEADER.lower()] = str(led_to)
    return ask


def _told(answer: Any, ask: Ask) -> Any:
    answer.headers.update(ask.beside)
    return answer
