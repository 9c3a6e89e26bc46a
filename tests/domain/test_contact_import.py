"""Rules of contact imports."""

from __future__ import annotations

import pytest

from domain.contact_import import (
    CONTACT_IMPORT,
    CancelImport,
    CompleteImport,
    ContactImport,
    FailImport,
    ImportCancelled,
    ImportCompleted,
    ImportFailed,
    ImportStarted,
    StartImport,
)
from domain.importing.counts import ImportCounts
from domain.kernel import Command, Event
from tests.language import given

COUNTS = ImportCounts(total=10, created=6, updated=2, skipped=1, errors=1)
started = ImportStarted(source="csv")


def test_an_import_is_processed_from_its_start() -> None:
    state = given(CONTACT_IMPORT).when(StartImport(source="csv")).then(started)
    assert state == ContactImport(status="processing", source="csv")


def test_an_import_completes_with_its_counts() -> None:
    state = given(CONTACT_IMPORT, started).when(CompleteImport(counts=COUNTS)).then(ImportCompleted(counts=COUNTS))
    assert state == ContactImport(status="completed", source="csv", counts=COUNTS)


def test_an_import_fails_with_a_reason_and_what_was_done_until_then() -> None:
    state = (
        given(CONTACT_IMPORT, started)
        .when(FailImport(reason="no header", counts=COUNTS))
        .then(ImportFailed(reason="no header", counts=COUNTS))
    )
    assert state == ContactImport(status="failed", source="csv", counts=COUNTS)


def test_an_import_is_cancelled_with_what_was_done_until_then() -> None:
    state = given(CONTACT_IMPORT, started).when(CancelImport(counts=COUNTS)).then(ImportCancelled(counts=COUNTS))
    assert state == ContactImport(status="cancelled", source="csv", counts=COUNTS)


@pytest.mark.parametrize(
    "end",
    [ImportCompleted(counts=COUNTS), ImportFailed(reason="no header", counts=COUNTS), ImportCancelled(counts=COUNTS)],
)
@pytest.mark.parametrize(
    "again", [CompleteImport(counts=COUNTS), FailImport(reason="again", counts=COUNTS), CancelImport(counts=COUNTS)]
)
def test_an_import_ends_once(end: Event, again: Command) -> None:
    given(CONTACT_IMPORT, started, end).when(again).nothing()


def test_an_import_starts_once() -> None:
    given(CONTACT_IMPORT, started).when(StartImport(source="csv")).refused("conflict")


def test_what_has_not_begun_cannot_end() -> None:
    given(CONTACT_IMPORT).when(CompleteImport(counts=COUNTS)).refused("not_found")
    given(CONTACT_IMPORT).when(FailImport(reason="no header", counts=COUNTS)).refused("not_found")
    given(CONTACT_IMPORT).when(CancelImport(counts=COUNTS)).refused("not_found")
