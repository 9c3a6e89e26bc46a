"""The constructor that the records of imports share, whatever is imported: asked for, and then completed, failed or cancelled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec
from msgspec import Meta

from domain.importing.counts import Counts, ImportCounts
from domain.kernel import Command, Decider, Event, Refused, State, not_found

ImportStatus = Literal["processing", "completed", "failed", "cancelled"]
Source = Annotated[Literal["json", "rows", "csv"], Meta(description="How the rows came.")]


class Import(State):
    """An import: how it stands, and what has come of its rows."""

    status: Annotated[ImportStatus, Meta(description="How it stands.")]
    source: Annotated[str, Meta(description="How the rows came: `json`, `rows` or `csv`.")]
    counts: Counts = ImportCounts()


S = TypeVar("S", bound=Import)
Ending = tuple[type[Command], Any, ImportStatus]
"""The command that ends an import, the event that says so with the command's fields, and how the import then stands."""


def import_record(
    stream_type: str, *, state: type[S], start: type[Command], started: Any, endings: Sequence[Ending]
) -> Decider[Any, Any, S]:
    """A decider over an import's commands and events. What has ended once stays as it is."""
    made = _Import(state, start, started, tuple(endings))
    return Decider(
        stream_type=stream_type,
        state=state,
        commands=(start, *(command for command, _, _ in endings)),
        events=(started, *(event for _, event, _ in endings)),
        decide=made.decide,
        evolve=made.evolve,
    )


@dataclass(frozen=True)
class _Import(Generic[S]):
    state: type[S]
    start: type[Command]
    started: Any
    endings: tuple[Ending, ...]

    def decide(self, command: Any, current: S | None) -> Sequence[Event]:
        if isinstance(command, self.start):
            if current is not None:
                raise Refused("conflict", "This import has begun already.")
            return [self.started(**msgspec.structs.asdict(command))]
        if current is None:
            raise not_found("import")
        for ending, event, _ in self.endings:
            if isinstance(command, ending):
                return [event(**msgspec.structs.asdict(command))] if current.status == "processing" else []
        raise TypeError(f"{type(command).__name__} is no command of an import")

    def evolve(self, current: S | None, event: Any) -> S | None:
        if isinstance(event, self.started):
            return self.state(status="processing", source=event.source)
        status = next(status for _, ended, status in self.endings if isinstance(event, ended))
        return current and msgspec.structs.replace(current, status=status, counts=event.counts)
