"""An import of contacts: that it was asked for, and what came of it. The contacts' own events are in their streams."""

from __future__ import annotations

from typing import Literal, assert_never

import msgspec

from domain.kernel import Command, Decider, Event, Refused, State, not_found

ImportStatus = Literal["processing", "completed", "failed"]


class ImportCounts(msgspec.Struct, frozen=True, rename="camel"):
    """How many rows came to what; ``total`` is their sum."""

    total: int = 0
    created: int = 0
    updated: int = 0
    skipped: int = 0
    errors: int = 0


class ContactImport(State):
    status: ImportStatus
    source: str
    counts: ImportCounts = ImportCounts()


class StartImport(Command):
    source: Literal["json", "rows", "csv"]


class CompleteImport(Command):
    counts: ImportCounts


class FailImport(Command):
    reason: str
    counts: ImportCounts


class ImportStarted(Event, name="contact_import.started", action="created"):
    source: str


class ImportCompleted(Event, name="contact_import.completed", action="updated"):
    counts: ImportCounts


class ImportFailed(Event, name="contact_import.failed", action="updated"):
    reason: str
    counts: ImportCounts


ImportCommand = StartImport | CompleteImport | FailImport
ImportEvent = ImportStarted | ImportCompleted | ImportFailed


def decide(command: ImportCommand, current: ContactImport | None) -> list[ImportEvent]:
    match command, current:
        case StartImport(source=source), None:
            return [ImportStarted(source=source)]
        case StartImport(), _:
            raise Refused("conflict", "This import has begun already.")
        case _, None:
            raise not_found("import")
        case _, ContactImport(status="completed" | "failed"):
            return []
        case CompleteImport(counts=counts), ContactImport():
            return [ImportCompleted(counts=counts)]
        case FailImport(reason=reason, counts=counts), ContactImport():
            return [ImportFailed(reason=reason, counts=counts)]
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
        case never:
            assert_never(never)


CONTACT_IMPORT: Decider[ImportCommand, ImportEvent, ContactImport] = Decider(
    stream_type="contact_import",
    state=ContactImport,
    commands=(StartImport, CompleteImport, FailImport),
    events=(ImportStarted, ImportCompleted, ImportFailed),
    decide=decide,
    evolve=evolve,
)
