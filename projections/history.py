"""The past of one thing: what each of its events changed, and how it stood at any moment.

A stream is read and folded from its beginning, through the mapper, so old shapes of events are told as they are read today.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, LiteralString
from uuid import UUID

import msgspec

from domain.kernel import State, not_found
from eventstore.database import Db
from eventstore.mapper import EventMapper
from eventstore.reader import Happened, read_stream
from projections import activity
from projections.table import keyset
from projections.table.rows import RowTable
from schemas.activity import FieldChange
from schemas.history import DifferenceSide, DifferenceView, HistoryEntry
from schemas.log import LogEntry
from schemas.wire.page import PageRequest

_COUNT: Final[LiteralString] = "SELECT count(*) FROM events WHERE workspace_id = %s AND stream_id = %s"
_WHO: Final = (
    f"SELECT e.seq, coalesce(u.id, k.user_id), coalesce(u.name, creator.name){activity.FROM}"
    " WHERE e.workspace_id = %s AND e.seq = ANY(%s)"
)
_ORDER: Final = "-seq"
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

    def steps(self, conn: Db, mapper: EventMapper, upto_seq: int | None = None) -> list[Step]:
        """What happened to it up to a seq of the log; refuses (``not_found``) what never was, or is not to be seen."""
        self._check_seen(conn)
        happened = read_stream(conn, self.id, mapper)
        if not happened or happened[0].entry.stream.type != self.table.decider.stream_type:
            raise not_found(self.table.noun)
        found = [*self._folded(happened)]
        if not self._is_within(found):
            raise not_found(self.table.noun)
        return [step for step in found if upto_seq is None or step.entry.seq <= upto_seq]

    def _check_seen(self, conn: Db) -> None:
        if self.visible_to is not None:
            now = self.table.load(conn, [self.id]).get(self.id)
            if now is None or not self.table.visible(conn, now, self.visible_to):
                raise not_found(self.table.noun)

    def _folded(self, happened: Sequence[Happened]) -> Iterator[Step]:
        state: State | None = None
        for item in happened:
            before, state = state, self.table.decider.evolve(state, item.event)
            yield Step(item, before, state)

    def _is_within(self, steps: Sequence[Step]) -> bool:
        """As it is, or was when it ended."""
        if self.within is None:
            return True
        field, above = self.within
        last = steps[-1].after or steps[-1].before
        return last is not None and getattr(last, field) == above


# The history.


def listed(
    conn: Db, mapper: EventMapper, subject: Subject, request: PageRequest
) -> tuple[list[HistoryEntry], int, str | None]:
    """A page of what happened to it, newest first, how much there is in all, and the cursor of the next page."""
    behind = None if request.cursor is None else keyset.read(request.cursor, _ORDER, int)[0] - 1
    steps = subject.steps(conn, mapper, behind)
    skipped = 0 if request.cursor else request.skipped
    newest = steps[::-1][skipped : skipped + request.limit + 1]
    page, cursor = keyset.page(newest, request.limit, lambda step: keyset.written(_ORDER, step.entry.seq))
    total = conn.execute(_COUNT, (conn.workspace_id, subject.id)).fetchone()
    people = who(conn, [step.entry.seq for step in page])
    return [_entry(step, people) for step in page], total[0] if total else 0, cursor


def whole(conn: Db, mapper: EventMapper, subject: Subject, batch: int) -> Iterator[list[HistoryEntry]]:
    """All that happened to it from its beginning, so many at a time."""
    steps = subject.steps(conn, mapper)
    for start in range(0, len(steps), batch):
        some = steps[start : start + batch]
        people = who(conn, [step.entry.seq for step in some])
        yield [_entry(step, people) for step in some]


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
    """All fields of a state as JSON, by the names that callers use, of maps each key by itself; of no state nothing."""
    found: dict[Path, Any] = {}
    for field, name in () if state is None else zip(state.__struct_fields__, names(type(state)), strict=True):
        value = getattr(state, field)
        if isinstance(value, dict):
            found |= {(name, key): one for key, one in msgspec.to_builtins(value).items()}
        else:
            found[(name,)] = msgspec.to_builtins(value)
    return found


def names(kind: type[State]) -> tuple[str, ...]:
    """The fields of a state as callers call them."""
    return kind.__struct_encode_fields__


def differs(path: Path, was: Any, now: Any) -> bool:
    """Whether they are not the same on the wire. A field that is empty is as one that is not there."""
    if len(path) == 1 and None in (was, now) and was in _NOTHING and now in _NOTHING:
        return False
    return msgspec.json.encode(was) != msgspec.json.encode(now)


def difference(conn: Db, mapper: EventMapper, subject: Subject, since: int, until: int) -> DifferenceView:
    """What differs in it between two moments, by seq of the log."""
    steps = subject.steps(conn, mapper, until)
    first, last = _at(steps, since), _at(steps, until)
    found = differing(None if first is None else first.after, None if last is None else last.after)
    return DifferenceView(
        from_=_side(since, first),
        to=_side(until, last),
        changes={".".join(path): FieldChange(from_=was, to=now) for path, (was, now) in found.items()},
    )


def _at(steps: Sequence[Step], seq: int) -> Step | None:
    return next((step for step in reversed(steps) if step.entry.seq <= seq), None)


def _side(seq: int, step: Step | None) -> DifferenceSide:
    exists = step is not None and step.after is not None
    return DifferenceSide(seq=seq, existed=exists, version=step.entry.version if step is not None and exists else None)
