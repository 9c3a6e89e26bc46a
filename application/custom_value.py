"""Custom values: made, changed and taken away by their keys, and filled into what is to be sent."""

from __future__ import annotations

from typing import Final

from domain import custom_value as tokens
from domain.custom_value import CUSTOM_VALUE, CreateCustomValue, CustomValue, DeleteCustomValue, UpdateCustomValue
from domain.kernel import Refused, not_found
from domain.kernel.check import Check
from eventstore.database import Db
from eventstore.ids import new_id
from eventstore.rows import Current
from eventstore.work import Work
from projections import custom_value as values
from projections.table.counting import rows_of
from schemas.custom_value import NewCustomValue

MAX_VALUES: Final = 1_000
"""Of a workspace."""


def put(unit: Work, key: str, form: NewCustomValue, if_version: int | None = None) -> Current[CustomValue]:
    """Has the token stand for this, whether or not it has been there before."""
    unit.looked_first = True
    found = _found(unit, key)
    if found is None:
        return _made(unit, key, _written(form), if_version)
    current = unit.execute(CUSTOM_VALUE, found.id, UpdateCustomValue(value=_written(form)), if_version=if_version)
    assert current is not None, "a change ends nothing"
    return current


def _made(unit: Work, key: str, value: str, if_version: int | None) -> Current[CustomValue]:
    if if_version is not None:
        raise Refused("precondition_failed", "There is no custom value of this key.")
    if rows_of(unit.conn, CUSTOM_VALUE.stream_type) >= MAX_VALUES:
        raise Refused("validation_failed", f"A workspace has at most {MAX_VALUES} custom values.")
    return unit.begin(CUSTOM_VALUE, new_id(), CreateCustomValue(key=key, value=value))


def delete(unit: Work, key: str, if_version: int | None = None) -> None:
    """Refuses (``not_found``) a key that stands for nothing."""
    found = _found(unit, key)
    if found is None:
        raise not_found("custom value")
    unit.execute(CUSTOM_VALUE, found.id, DeleteCustomValue(), if_version=if_version)


def render(conn: Db, written: str) -> str:
    """A text with the tokens of the workspace filled in. Refuses (``validation_failed``) what becomes too long."""
    names = tokens.named_in(written)
    known = values.with_keys(conn, names) if names else {}
    check = Check()
    found = check.field(
        "body", lambda text: tokens.rendered(text, {name: known[name].state.value for name in known}), written
    )
    check.done()
    return found or ""


def _found(unit: Work, key: str) -> Current[CustomValue] | None:
    found = values.with_keys(unit.conn, [key]).get(key)
    if found is not None:
        unit.know(CUSTOM_VALUE, [found])
    return found


def _written(form: NewCustomValue) -> str:
    """As a text would have it."""
    if isinstance(form.value, bool):
        return "true" if form.value else "false"
    return str(form.value)
