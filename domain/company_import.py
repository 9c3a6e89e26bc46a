"""An import of companies: that it was asked for, and what came of it. The companies' own events are in their streams."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from domain.importing.counts import Counts
from domain.importing.record import Import, Source, import_record
from domain.kernel import Command, Event


class CompanyImport(Import):
    """How it stands, and what has come of its rows."""


class StartCompanyImport(Command):
    source: Source


class CompleteCompanyImport(Command):
    counts: Counts


class FailCompanyImport(Command):
    reason: Annotated[str, Meta(description="Why.")]
    counts: Counts


class CancelCompanyImport(Command):
    counts: Counts


class CompanyImportStarted(Event, name="company_import.started", action="created"):
    """Rows were handed in."""

    source: Annotated[str, Meta(description="How the rows came: `json`, `rows` or `csv`.")]


class CompanyImportCompleted(Event, name="company_import.completed", action="updated"):
    """Every row was dealt with."""

    counts: Counts


class CompanyImportFailed(Event, name="company_import.failed", action="updated"):
    """The import was given up."""

    reason: Annotated[str, Meta(description="Why.")]
    counts: Counts


class CompanyImportCancelled(Event, name="company_import.cancelled", action="updated"):
    """By somebody, half-way: what the counts say was done stays."""

    counts: Counts


COMPANY_IMPORT = import_record(
    "company_import",
    state=CompanyImport,
    start=StartCompanyImport,
    started=CompanyImportStarted,
    endings=(
        (CompleteCompanyImport, CompanyImportCompleted, "completed"),
        (FailCompanyImport, CompanyImportFailed, "failed"),
        (CancelCompanyImport, CompanyImportCancelled, "cancelled"),
    ),
)
