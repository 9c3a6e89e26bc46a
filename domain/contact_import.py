"""An import of contacts: that it was asked for, and what came of it. The contacts' own events are in their streams."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from domain.importing.counts import Counts
from domain.importing.record import Import, Source, import_record
from domain.kernel import Command, Event


class ContactImport(Import):
    """How it stands, and what has come of its rows."""


class StartImport(Command):
    source: Source


class CompleteImport(Command):
    counts: Counts


class FailImport(Command):
    reason: Annotated[str, Meta(description="Why.")]
    counts: Counts


class CancelImport(Command):
    counts: Counts


class ImportStarted(Event, name="contact_import.started", action="created"):
    """Rows were handed in."""

    source: Annotated[str, Meta(description="How the rows came: `json`, `rows` or `csv`.")]


class ImportCompleted(Event, name="contact_import.completed", action="updated"):
    """Every row was dealt with."""

    counts: Counts


class ImportFailed(Event, name="contact_import.failed", action="updated"):
    """The import was given up."""

    reason: Annotated[str, Meta(description="Why.")]
    counts: Counts


class ImportCancelled(Event, name="contact_import.cancelled", action="updated"):
    """By somebody, half-way: what the counts say was done stays."""

    counts: Counts


CONTACT_IMPORT = import_record(
    "contact_import",
    state=ContactImport,
    start=StartImport,
    started=ImportStarted,
    endings=(
        (CompleteImport, ImportCompleted, "completed"),
        (FailImport, ImportFailed, "failed"),
        (CancelImport, ImportCancelled, "cancelled"),
    ),
)
