"""The past of one thing: what each of its events changed, and how it stood at any moment.

A stretch of its stream is read and folded, through the mapper, so old shapes of events are told as they are read today. How it
stood before that, the view of the past has, where it has come so far; else all before is folded, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, LiteralString
from uuid import UUID

import msgspec

from domain.kernel import State, not_found
from domain.kernel.money import Money
from eventstore.database import Db, one
from eventstore.mapper import EventMapper
from eventstore.reader import Happened, read_stream
from projections import activity
from projections.catalogue import PAST
from projections.object_record_past import stood
from projections.table import keyset
from projections.table.rows import RowTable
from projections.view import past
from schemas.activity import FieldChange
from schemas.history import DifferenceSide, DifferenceView, HistoryEntry
from schemas.log import LogEntry
from schemas.wire.page import PageRequest
from schemas.wire.writing import encode

_VERSION: Final[LiteralString] = """
    SELECT version, stream_type FROM events
    WHERE workspace_id = %s AND stream_id = %s AND seq <= %s ORDER BY version DESC LIMIT 1
"""
_VERSION_OF: Final[LiteralString] = "SELECT version FROM events WHERE workspace_id = %s AND stream_id = %s AND seq = %s"
_WHO: Final = (
    f"SELECT e.seq, coalesce(u.id, k.user_id), coalesce(u.name, creator.name){activity.FROM}"
    " WHERE e.workspace_id = %s AND e.seq = ANY(%s)"
)
_ORDER: Final = "-seq"
LAST_SEQ: Final = 2**63 - 1
BATCH: Final = 200
"""So many events are read at a time where somebody looks back for one."""
_NOTHING: Final[tuple[Any, ...]] = (None, [], (), {})

Path = tuple[str, ...]
"""A field, or a field that is a map and a key in it."""
People = dict[int, tuple[UUID | None, str | None]]
"""By seq of the log: the user who did it, themselves or by a key, and what they are called now."""


@dataclass(frozen=True, slots=True)
class Step:
    """An event of a thing, and how the thing stood before and after it; ``None``: it was not there."""

    happened: Happened
    before: State | None
    after: State | None

    @property
    def entry(self) -> LogEntry:
        return self.happened.entry


@dataclass(frozen=True)
class Subject:
    """Whose past is asked for: a thing by its id, ``within`` another where a field of it says so, as a path does.

    ``visible_to``: a caller who sees only what is theirs, and the past only of what they see now.
    """

    table: RowTable[Any]
    id: UUID
    within: tuple[str, UUID] | None = None
    visible_to: UUID | None = None

    def newest(self, conn: Db, mapper: EventMapper) -> int:
        """The version of what happened to it last; refuses (``not_found``) what never was, or is not to be seen."""
        self._check_seen(conn)
        found = one(conn, _VERSION, (conn.workspace_id, self.id, LAST_SEQ))
        if found is None or found[1] != self.table.decider.stream_type or not self._is_within(conn, mapper, found[0]):
            raise not_found(self.table.noun)
        return int(found[0])

    def upto(self, conn: Db, seq: int) -> int:
        """The version of what had happened to it last when the log ended at ``seq``; 0 before it began."""
        found = one(conn, _VERSION, (conn.workspace_id, self.id, seq))
        return 0 if found is None else found[0]

    def before(self, conn: Db, seq: int) -> int:
        """The version before that of an entry of the log, or of what comes behind that."""
        found = one(conn, _VERSION_OF, (conn.workspace_id, self.id, seq))
        return self.upto(conn, seq - 1) if found is None else found[0] - 1

    def steps(self, conn: Db, mapper: EventMapper, first: int, last: int) -> list[Step]:
        """What happened to it from one version to another."""
        return self.on(conn, mapper, self.at(conn, mapper, first - 1), first, last)

    def on(self, conn: Db, mapper: EventMapper, state: State | None, first: int, last: int) -> list[Step]:
        """The same, for who knows how it stood before."""
        found = []
        for item in read_stream(conn, self.id, mapper, after_version=first - 1, upto_version=last):
            before, state = state, self.table.decider.evolve(state, item.event)
            found.append(Step(item, before, state))
        return found

    def back(self, conn: Db, mapper: EventMapper, last: int) -> Iterator[Step]:
        """What happened to it up to a version, newest first: as much of it is read as is asked for."""
        while last > 0:
            first = max(1, last - BATCH + 1)
            yield from reversed(self.steps(conn, mapper, first, last))
            last = first - 1

    def at(self, conn: Db, mapper: EventMapper, version: int) -> State | None:
        """How it stood at a version; ``None``: it was not there."""
        if version == 0:
            return None
        state: State | None = past.stood(conn, PAST, self.table, self.id, version)
        if state is None:  # it had ended, or the past has not come so far
            for item in read_stream(conn, self.id, mapper, upto_version=version):
                state = self.table.decider.evolve(state, item.event)
        return state

    def _check_seen(self, conn: Db) -> None:
        if self.visible_to is not None:
            now = self.table.load(conn, [self.id]).get(self.id)
            if now is None or not self.table.visible(conn, now, self.visible_to):
                raise not_found(self.table.noun)

    def _is_within(self, conn: Db, mapper: EventMapper, newest: int) -> bool:
        """As it is, or was when it ended."""
        if self.within is None:
            return True
        field, above = self.within
        last = self.at(conn, mapper, newest) or self.at(conn, mapper, newest - 1)
        return last is not None and bool(getattr(last, field) == above)


# The history.


def listed(
    conn: Db, mapper: EventMapper, subject: Subject, request: PageRequest
) -> tuple[list[HistoryEntry], int, str | None]:
    """A page of what happened to it, newest first, how much there is in all, and the cursor of the next page."""
    newest = subject.newest(conn, mapper)
    last = newest - request.skipped
    if request.cursor is not None:
        last = subject.before(conn, *keyset.read(request.cursor, _ORDER, int))
    first = max(1, last - request.limit + 1)
    page = subject.steps(conn, mapper, first, last)[::-1] if last > 0 else []
    cursor = keyset.written(_ORDER, page[-1].entry.seq) if first > 1 else None
    return _entries(conn, page), newest, cursor


def whole(conn: Db, mapper: EventMapper, subject: Subject, batch: int) -> Iterator[list[HistoryEntry]]:
    """All that happened to it from its beginning, so many at a time."""
    newest, state = subject.newest(conn, mapper), None
    for first in range(1, newest + 1, batch):
        some = subject.on(conn, mapper, state, first, min(first + batch - 1, newest))
        state = some[-1].after
        yield _entries(conn, some)


def _entries(conn: Db, steps: Sequence[Step]) -> list[HistoryEntry]:
    people = who(conn, [step.entry.seq for step in steps])
    sides = stood(conn, [(state, step.entry.seq) for step in steps for state in (step.before, step.after)])
    told = [replace(step, before=was, after=now) for step, was, now in zip(steps, sides[::2], sides[1::2], strict=True)]
    return [_entry(step, people) for step in told]


def who(conn: Db, seqs: Sequence[int]) -> People:
    """Who did what stands at these seqs."""
    return {row[0]: (row[1], row[2]) for row in conn.execute(_WHO.encode(), (conn.workspace_id, list(seqs)))}


def happening(entry: LogEntry, people: People) -> dict[str, Any]:
    """What every event is told by: when, by whom and why."""
    user_id, user_name = people.get(entry.seq, (None, None))
    return {
        "id": entry.id,
        "seq": entry.seq,
        "event": entry.type,
        "recorded_at": datetime.fromisoformat(entry.recorded_at),
        "occurred_at": datetime.fromisoformat(entry.meta.occurred_at),
        "actor": entry.meta.actor,
        "user_id": user_id,
        "user_name": user_name,
        "request_id": entry.meta.request_id,
        "correlation_id": entry.meta.correlation_id,
        "causation_id": entry.meta.causation_id,
    }


def _entry(step: Step, people: People) -> HistoryEntry:
    return HistoryEntry(
        **happening(step.entry, people),
        version=step.entry.version,
        action=step.happened.event.event_action,
        changes=_told(step),
        erased=step.happened.erased,
    )


def _told(step: Step) -> dict[str, FieldChange]:
    """What its event tells, as in the audit trail; of the thing's own fields what they were and are, of maps by key."""
    event, found = step.happened.event, differing(step.before, step.after)
    own = {name for state in (step.before, step.after) if state is not None for name in names(type(state))}
    told = activity.changes(type(event), msgspec.json.decode(msgspec.json.encode(event)))
    changes = {name: change for name, change in told.items() if name not in own}
    for path, (was, now) in found.items():
        if len(path) == 1:
            changes[path[0]] = FieldChange(from_=was, to=now)
            continue
        name, key = path
        by_key = changes.setdefault(name, FieldChange(from_={}, to={}))
        by_key.from_[key], by_key.to[key] = was, now
    return changes


# How two states of a thing differ.


def differing(before: State | None, after: State | None) -> dict[Path, tuple[Any, Any]]:
    """From and to of all in which two states differ. What a thing begins without is not told."""
    was, now = parts(before), parts(after)
    pairs = {path: (was.get(path), now.get(path)) for path in {**was, **now}}
    return {path: pair for path, pair in pairs.items() if differs(path, *pair)}


def parts(state: State | None) -> dict[Path, Any]:
    """All fields of a state as JSON, by the names that callers use, of maps each key by itself, of money the amount in whole
    units beside its currency; of no state nothing.
    """
    found: dict[Path, Any] = {}
    for field, name in () if state is None else zip(state.__struct_fields__, names(type(state)), strict=True):
        value = getattr(state, field)
        if isinstance(value, dict):
            found |= {(name, key): one for key, one in as_json(value).items()}
        elif isinstance(value, Money):
            found |= {(part,): one for part, one in value.told(name).items()}
        else:
            found[(name,)] = as_json(value)
    return found


def as_json(value: Any) -> Any:
    """A value as it goes over the wire, where a decimal is a number."""
    return msgspec.to_builtins(value, builtin_types=(Decimal,))


def names(kind: type[State]) -> tuple[str, ...]:
    """The fields of a state as callers call them."""
    return kind.__struct_encode_fields__


def differs(path: Path, was: Any, now: Any) -> bool:
    """Whether they are not the same on the wire. A field that is empty is as one that is not there."""
    if len(path) == 1 and None in (was, now) and was in _NOTHING and now in _NOTHING:
        return False
    return _written(was) != _written(now)


def _written(value: Any) -> bytes:
    """A value as JSON, of a fraction without noughts at its end."""
    return encode(value.normalize() if isinstance(value, Decimal) and value % 1 else value)


def difference(conn: Db, mapper: EventMapper, subject: Subject, since: int, until: int) -> DifferenceView:
    """What differs in it between two moments, by seq of the log."""
    subject.newest(conn, mapper)
    first, last = subject.upto(conn, since), subject.upto(conn, until)
    sides = [(subject.at(conn, mapper, first), since), (subject.at(conn, mapper, last), until)]
    was, now = stood(conn, sides)
    found = differing(was, now)
    return DifferenceView(
        from_=_side(since, first, was),
        to=_side(until, last, now),
        changes={".".join(path): FieldChange(from_=was, to=now) for path, (was, now) in found.items()},
    )


def _side(seq: int, version: int, state: State | None) -> DifferenceSide:
    return DifferenceSide(seq=seq, existed=state is not None, version=None if state is None else version)
