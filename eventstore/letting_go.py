"""What becomes of those who refer to a thing that ends: they let go of it, end with it, or keep it from ending."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol
from uuid import UUID

from domain.kernel import Command, Decider, Ended
from eventstore import endings
from eventstore.database import Db
from eventstore.definitions import Defining
from eventstore.references import References, Referring, as_ended, consequence, still_referred
from eventstore.rows import Current, Registry

FEW: Final = 100
"""So many streams are changed one by one; more of them in bulk."""
MANY: Final = 1_000
"""More streams than this are not changed in one transaction."""

AnyDecider = Decider[Any, Any, Any]


class BulkNeededError(Exception):
    """There is more to change than is done one by one."""


class TooManyError(Exception):
    """More is to be changed than one transaction takes."""


class TooManyToEndError(TooManyError):
    """More refer to a thing that should end than one transaction takes, or a job is seeing to its end already."""

    def __init__(self, kind: str, stream_id: UUID) -> None:
        super().__init__(f"more than {MANY} refer to {kind} {stream_id}")
        self.kind = kind
        self.stream_id = stream_id


class Unit(Protocol):
    """A unit of work, as far as it is needed here."""

    conn: Db
    rows: Registry
    references: References
    defining: Defining
    bulk: bool

    def load(self, decider: AnyDecider, ids: Sequence[UUID]) -> dict[UUID, Current[Any]]: ...

    def carry_out(self, decider: AnyDecider, stream_id: UUID, command: Command) -> object: ...

    def check_shared(self, decider: AnyDecider, current: Current[Any], *, ending: bool = False) -> None: ...

    def write_rows(self) -> None: ...


@dataclass(frozen=True)
class LettingGo:
    unit: Unit

    def before_end(self, decider: AnyDecider, current: Current[Any]) -> None:
        """Whoever holds the thing is waited for, and those who refer to it let go or end with it.

        Refuses (``conflict``) what a job needs. Raises ``TooManyToEndError`` and, where so many are not changed one by one, ``BulkNeededError``.
        """
        unit, kind = self.unit, decider.stream_type
        rows = unit.rows[kind]
        key = rows.key_of(current)
        referring = self.referring_to(decider, current)
        if not referring:
            return
        unit.defining.before_end(kind)
        unit.write_rows()
        rows.hold(unit.conn, [key], ending=True)
        unit.check_shared(decider, current, ending=True)
        if endings.check(unit.conn, kind, key, rows.noun) is not None:
            raise TooManyToEndError(kind, current.id)
        for found in referring:
            streams = self._referring(found, current, MANY + 1)
            if len(streams) > MANY:
                raise TooManyToEndError(kind, current.id)
            if len(streams) > FEW and not unit.bulk:
                raise BulkNeededError
            self._release(found, as_ended(key, current), streams)

    def referring_to(self, decider: AnyDecider, current: Current[Any]) -> list[Referring]:
        """By what there may be things that refer to this one: fields that say so, and values as the workspace defines them."""
        unit, kind = self.unit, decider.stream_type
        return [*unit.references.to(kind), *unit.defining.referring(kind, current.state)]

    def release(self, decider: AnyDecider, current: Current[Any], most: int) -> int:
        """Has up to so many let go of a thing, or end along with it behind those who refer to them; answers how many."""
        ended = as_ended(self.unit.rows[decider.stream_type].key_of(current), current)
        count = 0
        for found in self.referring_to(decider, current):
            streams = self._referring(found, current, most - count)
            if found[1].to.on_end != "cascade":
                self._release(found, ended, streams)
                count += len(streams)
                continue
            for along in self.unit.load(found[0].decider, streams).values():
                count += self.release(found[0].decider, along, most - count)
                if count == most:
                    return count
                self._release(found, ended, [along.id])
                count += 1
        return count

    def _referring(self, referring: Referring, current: Current[Any], most: int) -> list[UUID]:
        """Up to so many of those who refer to a thing, but for itself; refuses where one of them cannot do without it."""
        table, reference = referring
        rows = self.unit.rows[reference.to.kind]
        found = table.referring(self.unit.conn, reference, rows.key_of(current), most + 1)
        streams = [stream for stream in found if stream != current.id][:most]
        if streams and reference.to.on_end == "refuse":
            raise still_referred(rows.noun, referring)
        return streams

    def _release(self, referring: Referring, ended: Ended, streams: Sequence[UUID]) -> None:
        table, reference = referring
        decider = table.decider
        for stream_id in self.unit.load(decider, streams):  # others have ended in this very unit of work
            self.unit.carry_out(decider, stream_id, consequence(decider, reference.to.on_end, reference.path, ended))
