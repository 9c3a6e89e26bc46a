"""Rules of company imports: those of every import, told in events of their own."""

from __future__ import annotations

import pytest

from domain.company_import import (
    COMPANY_IMPORT,
    CancelCompanyImport,
    CompanyImport,
    CompanyImportCancelled,
    CompanyImportCompleted,
    CompanyImportFailed,
    CompanyImportStarted,
    CompleteCompanyImport,
    FailCompanyImport,
    StartCompanyImport,
)
from domain.importing.counts import ImportCounts
from domain.importing.record import ImportStatus
from domain.kernel import Command, Event
from tests.language import given

COUNTS = ImportCounts(total=3, created=2, errors=1)
started = CompanyImportStarted(source="rows")


def test_one_is_processed_from_its_start() -> None:
    state = given(COMPANY_IMPORT).when(StartCompanyImport(source="rows")).then(started)
    assert state == CompanyImport(status="processing", source="rows")


@pytest.mark.parametrize(
    ("command", "event", "status"),
    [
        (CompleteCompanyImport(counts=COUNTS), CompanyImportCompleted(counts=COUNTS), "completed"),
        (FailCompanyImport(reason="no", counts=COUNTS), CompanyImportFailed(reason="no", counts=COUNTS), "failed"),
        (CancelCompanyImport(counts=COUNTS), CompanyImportCancelled(counts=COUNTS), "cancelled"),
    ],
)
def test_it_ends_once_with_what_was_done(command: Command, event: Event, status: ImportStatus) -> None:
    state = given(COMPANY_IMPORT, started).when(command).then(event)
    assert state == CompanyImport(status=status, source="rows", counts=COUNTS)
    given(COMPANY_IMPORT, started, event).when(CompleteCompanyImport(counts=COUNTS)).nothing()


def test_it_cannot_begin_twice_or_end_before() -> None:
    given(COMPANY_IMPORT, started).when(StartCompanyImport(source="csv")).refused("conflict")
    given(COMPANY_IMPORT).when(CancelCompanyImport(counts=COUNTS)).refused("not_found")
