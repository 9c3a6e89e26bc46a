"""Object types: as many as a workspace may have."""

from __future__ import annotations

from typing import Final

from domain.kernel import Refused
from domain.object_type import OBJECT_TYPE, CreateObjectType, ObjectType
from eventstore.ids import new_id
from eventstore.rows import Current
from eventstore.work import Work
from projections import object_type as rows
from projections.table.counting import rows_of
from schemas.object_type import ObjectTypeView

MAX_TYPES: Final = 100
"""Of a workspace."""


def create(unit: Work, command: CreateObjectType) -> Current[ObjectType]:
    """A new type; refuses (``validation_failed``) more than ``MAX_TYPES``, and (``conflict``) another's slug."""
    if rows_of(unit.conn, OBJECT_TYPE.stream_type) >= MAX_TYPES:
        raise Refused("validation_failed", f"A workspace has at most {MAX_TYPES} object types.")
    return unit.begin(OBJECT_TYPE, new_id(), command)


def view(unit: Work, found: Current[ObjectType]) -> ObjectTypeView:
    return rows.views(unit.conn, [found])[0]
