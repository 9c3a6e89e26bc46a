"""An import of deals: that it was asked for, and what came of it. The deals' own events are in their streams."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from domain.importing.counts import Counts
from domain.importing.record import Import, Source, import_record
from domain.kernel import Command, Event


class DealImport(Import):
    """How it stands, and what has come of its rows."""


class StartDealImport(Command):
    source: Source


class CompleteDealImport(Command):
    counts: Counts


class FailDealImport(Command):
    reason: Annotated[str, Meta(description="Why.")]
    counts: Counts


class CancelDealImport(Command):
    counts: Counts


class DealImportStarted(Event, name="deal_import.started", action="created"):
    """Rows were handed in."""

    source: Annotated[str, Meta(description="How the rows came: `json`, `rows` or `csv`.")]


class DealImportCompleted(Event, name="deal_import.completed", action="updated"):
    """Every row was dealt with."""

    counts: Counts


class DealImportFailed(Event, name="deal_import.failed", action="updated"):
    """The import was given up."""

    reason: Annotated[str, Meta(description="Why.")]
    counts: Counts


class DealImportCancelled(Event, name="deal_import.cancelled", action="updated"):
    """By somebody, half-way: what the counts say was done stays."""

    counts: Counts


DEAL_IMPORT = import_record(
    "deal_import",
    state=DealImport,
    start=StartDealImport,
    started=DealImportStarted,
    endings=(
        (CompleteDealImport, DealImportCompleted, "completed"),
        (FailDealImport, DealImportFailed, "failed"),
        (CancelDealImport, DealImportCancelled, "cancelled"),
    ),
)
