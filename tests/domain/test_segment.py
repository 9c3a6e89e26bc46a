"""Rules of segments: their filters have an end."""

from __future__ import annotations

from domain.kernel.filter import MAX_SIZE, Condition, Group
from domain.segment import SEGMENT, CreateSegment, SegmentChanges, SegmentCreated, SegmentUpdated, UpdateSegment
from tests.language import given

VIP = Group(match="all", conditions=(Condition(field="tags", operator="has", value="VIP"),))
LEAD = Group(match="any", conditions=(Condition(field="tags", operator="has", value="lead"),), groups=(VIP,))
created = SegmentCreated(name="VIPs", filter=VIP)


def test_a_filter_is_kept_as_it_is_given_and_changed_as_a_whole() -> None:
    given(SEGMENT).when(CreateSegment(name=" VIPs ", filter=VIP)).then(created)
    given(SEGMENT, created).when(UpdateSegment(filter=LEAD)).then(
        SegmentUpdated(changed=SegmentChanges(filter=LEAD), previous=SegmentChanges(filter=VIP))
    )


def test_a_filter_that_is_too_large_is_refused() -> None:
    large = Group(match="all", conditions=(Condition(field="name", operator="in", value=["x" * MAX_SIZE]),))
    given(SEGMENT).when(CreateSegment(name="A", filter=large)).refused("validation_failed", field="filter")
    nul = Group(match="all", conditions=(Condition(field="name", operator="eq", value="a\0"),))
    given(SEGMENT, created).when(UpdateSegment(filter=nul)).refused("validation_failed", field="filter")
