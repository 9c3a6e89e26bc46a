"""Rules of calls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.call import CALL, MAX_SECONDS, CallChanges, CallUpdated, CreateCall, UpdateCall
from eventstore.ids import new_id
from tests.language import given

START = datetime(2026, 4, 18, 15, 30, tzinfo=UTC)


def call(**fields: Any) -> CreateCall:
    details = {"contact_id": new_id(), "user_id": new_id(), "direction": "outbound", "status": "completed"}
    return CreateCall(**{"started_at": START, **details, **fields})


@pytest.mark.parametrize(("duration", "end"), [(342, START + timedelta(seconds=342)), (0, START), (None, None)])
def test_it_ended_when_it_had_taken_so_long(duration: int | None, end: datetime | None) -> None:
    state = given(CALL).when(call(duration=duration)).state
    assert state is not None
    assert state.ended_at == end


@pytest.mark.parametrize(
    ("field", "wire", "value"),
    [
        ("duration", "duration", -1),
        ("duration", "duration", MAX_SECONDS + 1),
        ("started_at", "startedAt", datetime(2026, 4, 18, 15, 30)),  # noqa: DTZ001 - what is refused
        ("started_at", "startedAt", datetime(9999, 12, 31, tzinfo=UTC)),
        ("notes", "notes", "a\0b"),
    ],
)
def test_what_no_call_can_be_like_is_refused(field: str, wire: str, value: Any) -> None:
    given(CALL).when(call(**{field: value})).refused("validation_failed", field=wire)


def test_the_longest_call_that_can_begin_has_an_end() -> None:
    state = given(CALL).when(call(started_at=datetime(9998, 12, 31, 23, tzinfo=UTC), duration=MAX_SECONDS)).state
    assert state is not None
    assert state.ended_at == datetime(9999, 1, 7, 23, tzinfo=UTC)


def test_notes_are_added_afterwards_and_the_status_corrected() -> None:
    given(CALL, call(status="missed")).when(UpdateCall(notes="She called back.", status="completed")).then(
        CallUpdated(
            changed=CallChanges(notes="She called back.", status="completed"),
            previous=CallChanges(notes=None, status="missed"),
        )
    )
