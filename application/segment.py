"""Segments: their filters must be such as can be asked."""

from __future__ import annotations

from uuid import UUID

from domain.kernel.filter import Group
from domain.segment import SEGMENT, CreateSegment, Segment, UpdateSegment
from eventstore.ids import new_id
from eventstore.rows import Current
from eventstore.work import Work
from projections.contact import CONTACTS
from projections.contact_asked import FIELDS
from projections.custom_field_asked import defined
from projections.table.asking.asked import asked


def create(unit: Work, command: CreateSegment) -> Current[Segment]:
    """A new segment; refuses (``validation_failed``) what its filter asks of contacts and cannot be asked."""
    asked(command.filter, defined(unit.conn, CONTACTS, FIELDS), "filter")
    return unit.begin(SEGMENT, new_id(), command)


def update(unit: Work, segment_id: UUID, command: UpdateSegment, if_version: int | None = None) -> Current[Segment]:
    unit.get(SEGMENT, segment_id)
    if isinstance(command.filter, Group):
        asked(command.filter, defined(unit.conn, CONTACTS, FIELDS), "filter")
    unit.execute(SEGMENT, segment_id, command, if_version=if_version)
    return unit.get(SEGMENT, segment_id)
