"""An import of contacts: that it was asked for, and what came of it. The contacts' own events are in their streams."""

from __future__ import annotations

from typing import Annotated, Literal, assert_never

import msgspec
from msgspec import Meta

from domain.importing.counts import Counts, ImportCounts
from domain.kernel import Command, Decider, Event, Refused, State, not_found

ImportStatus = Literal["processing", "completed", "failed", "cancelled"]


class ContactImport(State):
    status: Annotated[ImportStatus, Meta(description="How it stands.")]
    source: Annotated[str, Meta(description="Where the contact came from, such as `website`.")]
    counts: Counts = ImportCounts()


class StartImport(Command):
    source: Annotated[
        Literal["json", "rows", "csv"], Meta(description="Where the contact came from, such as `website`.")
    ]


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


ImportCommand = StartImport | CompleteImport | FailImport | CancelImport
ImportEvent = ImportStarted | ImportCompleted | ImportFailed | ImportCancelled


def decide(command: ImportCommand, current: ContactImport | None) -> list[ImportEvent]:
    match command, current:
        case StartImport(source=source), None:
            return [ImportStarted(source=source)]
        case StartImport(), _:
            raise Refused("conflict", "This import has begun already.")
        case _, None:
            raise not_found("import")
        case _, ContactImport(status="completed" | "failed" | "cancelled"):
            return []
        case CompleteImport(counts=counts), ContactImport():
            return [ImportCompleted(counts=counts)]
        case FailImport(reason=reason, counts=counts), ContactImport():
            return [ImportFailed(reason=reason, counts=counts)]
        case CancelImport(counts=counts), ContactImport():
            return [ImportCancelled(counts=counts)]
        case never, _:
            assert_never(never)


def evolve(current: ContactImport | None, event: ImportEvent) -> ContactImport | None:
    match event:
        case ImportStarted(source=source):
            return ContactImport(status="processing", source=source)
        case ImportCompleted(counts=counts):
            return current and msgspec.structs.replace(current, status="completed", counts=counts)
        case ImportFailed(counts=counts):
            return current and msgspec.structs.replace(current, status="failed", counts=counts)
        case ImportCancelled(counts=counts):
            return current and msgspec.structs.replace(current, status="cancelled", counts=counts)
        case never:
            assert_never(never)


CONTACT_IMPORT: Decider[ImportCommand, ImportEvent, ContactImport] = Decider(
    stream_type="contact_import",
    state=ContactImport,
    commands=(StartImport, CompleteImport, FailImport, CancelImport),
    events=(ImportStarted, ImportCompleted, ImportFailed, ImportCancelled),
    decide=decide,
    evolve=evolve,
)
