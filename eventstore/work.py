"""One try at a unit of work: what was loaded, what is decided, and what is held; written when it is flushed.

What a decision refers to is held (eventstore/standing.py). When a thing ends, those that refer to it let go of it, end
with it, or keep it from ending, as their fields say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import Any, Final, LiteralString, TypeVar
from uuid import UUID

import msgspec
import psycopg
from msgspec import UNSET

from domain.kernel import Command, Decider, Event, Refused, State, Value, not_found
from eventstore.append import Origin, Staged, append, append_bulk
from eventstore.database import Db
from eventstore.definitions import Defining
from eventstore.ids import new_id
from eventstore.letting_go import LettingGo
from eventstore.mapper import EventMapper
from eventstore.persons import PersonKeys
from eventstore.references import References
from eventstore.rows import Change, Current, Held, Registry
from eventstore.standing import Standing

_BEFORE: Final[LiteralString] = """
    SELECT max(version), min(occurred_at) FROM events WHERE workspace_id = %s AND stream_id = %s
"""

T = TypeVar("T")
V = TypeVar("V", bound=Value)
S = TypeVar("S", bound=State)
Key = tuple[str, UUID]
"""A kind of stream, and the id of one."""


@dataclass
class Work:
    """``looked_first`` is set by work that looks for what exists before it decides: where a unique value was taken since,
    it is tried again. ``seq``: the last of the log after commit; ``None`` when there was nothing to write.
    """

    conn: Db
    origin: Origin
    rows: Registry
    references: References
    mapper: EventMapper
    now: datetime
    defining: Defining
    bulk: bool = False
    locks_first: bool = False
    """Whether it waits for those who change what it loads, instead of finding out at its end."""
    loaded: dict[Key, Current[Any] | None] = field(default_factory=dict)
    before: dict[Key, Current[Any] | None] = field(default_factory=dict)
    after: dict[Key, Current[Any] | None] = field(default_factory=dict)
    staged: list[Staged] = field(default_factory=list)
    looked_first: bool = False
    seq: int | None = None
    _new: set[UUID] = field(default_factory=set)
    """Streams that cannot have been there before."""
    _ended: dict[UUID, tuple[int, datetime]] = field(default_factory=dict)
    """Of streams that have ended: their last version, and when they first began."""
    _written: dict[Key, Current[Any] | None] = field(default_factory=dict)
    """Rows as this unit of work has written them already."""
    _undo: list[tuple[Key, bool, Current[Any] | None]] | None = None
    """Streams as they stood before each change of the part in hand, and whether this unit had changed them before."""
    _cursor: psycopg.Cursor[tuple[int]] | None = None

    def __post_init__(self) -> None:
        self.keys = PersonKeys(self.conn, self.rows)
        self.standing = Standing(self.conn, self.rows, self.references)
        self.defining.led_to = self.standing.led_to

    # Looking.

    def load(self, decider: Decider[Any, Any, S], ids: Sequence[UUID]) -> dict[UUID, Current[S]]:
        """The streams that exist, as they stand in this unit of work; whoever may see them."""
        kind = decider.stream_type
        missing = [stream for stream in ids if (kind, stream) not in self.loaded]
        if missing:
            if decider.person:
                self.keys.ask(missing)
            found = self.rows[kind].load(self.conn, missing, locked=self.locks_first)
            self.loaded.update({(kind, stream): found.get(stream) for stream in missing})
        return {stream: current for stream in ids if (current := self.loaded[kind, stream]) is not None}

    def know(self, decider: Decider[Any, Any, S], found: Iterable[Current[S]]) -> None:
        """Takes what a query has found for loaded; what this unit of work knows already goes before."""
        for current in found:
            self.loaded.setdefault((decider.stream_type, current.id), current)

    def at_hand(self, decider: Decider[Any, Any, S], stream_id: UUID) -> Current[S] | None:
        """What is loaded, as it stands in this unit of work; ``None`` where it has ended or nobody has looked."""
        return self.loaded.get((decider.stream_type, stream_id))

    def get(self, decider: Decider[Any, Any, S], stream_id: UUID, *, if_version: int | None = None) -> Current[S]:
        """One stream that the caller may see; refuses with ``not_found``, and as ``execute`` another version."""
        current = self.load(decider, [stream_id]).get(stream_id)
        if current is None:
            raise not_found(self.rows[decider.stream_type].noun)
        self._check_visible(decider, current)
        self._check_version(decider, current, if_version)
        return current

    def _check_version(self, decider: Decider[Any, Any, Any], current: Current[Any], if_version: int | None) -> None:
        if if_version not in (None, current.version):
            noun = self.rows[decider.stream_type].noun
            message = f"This {noun} has changed since: its version is {current.version}."
            raise Refused("precondition_failed", message)

    def _check_visible(self, decider: Decider[Any, Any, Any], current: Current[Any]) -> None:
        """As it stood before this unit of work: who gives away what is theirs may go on with it up to the end."""
        rows = self.rows[decider.stream_type]
        known = self.before.get((decider.stream_type, current.id), current)
        if known is not None and not rows.visible(self.conn, known, self.origin.visible_to):
            raise not_found(rows.noun)

    def held(self, kind: str, found: Iterable[Held]) -> None:
        """Notes what a query has found and held already."""
        for current, stands in found:
            self.loaded.setdefault((kind, current.id), current)
            self.standing.found(kind, current, stands=stands)

    # Deciding.

    def begin(self, decider: Decider[Any, Any, S], stream_id: UUID, command: Command) -> Current[S]:
        """Carries out the first command of a stream with a new id.

        What is made by who sees only what is assigned to them is theirs, unless the command says whose it is, or has no
        say in it.
        """
        owner = self.rows[decider.stream_type].owner
        if owner is not None and self.origin.visible_to is not None and getattr(command, owner, owner) in (None, UNSET):
            command = msgspec.structs.replace(command, **{owner: self.origin.visible_to})
        if (key := (decider.stream_type, stream_id)) not in self.loaded:
            self.loaded[key] = None
            self._new.add(stream_id)
            if decider.person:
                self.keys.began(stream_id)
        current = self.execute(decider, stream_id, command)
        assert current is not None
        return current

    def execute(
        self, decider: Decider[Any, Any, S], stream_id: UUID, command: Command, *, if_version: int | None = None
    ) -> Current[S] | None:
        """Decides and evolves; answers the stream as it will stand, ``None`` when it ends.

        Refuses as the decider does; with ``not_found`` what the caller may not see; with ``precondition_failed`` when the
        version is not ``if_version``.
        """
        current = self.load(decider, [stream_id]).get(stream_id)
        if current is not None:
            self._check_visible(decider, current)
            self._check_version(decider, current, if_version)
        after = self._carried_out(decider, stream_id, self.defining.kept(decider.stream_type, command, current))
        for referred, key, where in self.defining.check(decider.stream_type, current, after):
            self.standing.hold(referred, [key], where)
        return after

    def _carried_out(self, decider: Decider[Any, Any, S], stream_id: UUID, command: Command) -> Current[S] | None:
        """What the command refers to by the id of one that was merged into another is that other."""
        try:
            return self.carry_out(decider, stream_id, command)
        except Refused as refusal:
            led = self.standing.led_on(command) if refusal.code == "validation_failed" else command
            if led == command:
                raise
        return self.carry_out(decider, stream_id, led)

    def carry_out(self, decider: Decider[Any, Any, S], stream_id: UUID, command: Command) -> Current[S] | None:
        """Decides and evolves what is loaded, whoever may see it."""
        current = self.loaded[decider.stream_type, stream_id]
        events = decider.decide(command, None if current is None else current.state)
        if events:
            self._stage(decider, stream_id, current, events)
        return self.at_hand(decider, stream_id)

    def all_or_nothing(self, part: Callable[[], T]) -> T:
        """Carries out a part of the work that may be refused by itself: nothing of it stays then, and the rest goes on.

        Parts do not contain parts. The refusal is the caller's to handle.
        """
        staged, ended = len(self.staged), dict(self._ended)
        self._undo = []
        try:
            return part()
        except Refused:
            del self.staged[staged:]
            self._ended = ended
            for key, known, before in reversed(self._undo):
                self.standing.note(key[0], self.after[key], before)
                self.loaded[key] = before
                if known or key in self._written:
                    self.after[key] = before
                else:
                    del self.before[key], self.after[key]
            raise
        finally:
            self._undo = None

    @contextmanager
    def because(self, event_id: UUID | None = None) -> Iterator[None]:
        """All that is decided inside is caused by this event, or by the last one that was decided before."""
        cause = self.staged[-1].event_id if event_id is None else event_id
        before, self.origin = self.origin, replace(self.origin, causation_id=cause)
        try:
            yield
        finally:
            self.origin = replace(self.origin, causation_id=before.causation_id)

    def _stage(
        self, decider: Decider[Any, Any, Any], stream_id: UUID, current: Current[Any] | None, events: Sequence[Event]
    ) -> None:
        version, created = self._beginning(stream_id) if current is None else (current.version, current.created_at)
        before = state = None if current is None else current.state
        for event in events:
            state = decider.evolve(state, event)
        whom = self.keys.whom(decider, stream_id, before, state)
        self.keys.ask(whom)
        self.standing.check(decider, before, state)
        ids = [new_id() for _ in events]
        if current is not None and state is None:
            with self.because(ids[-1]):
                self.letting_go.before_end(decider, current)
        elif current is not None and self.origin.visible_to is not None and state != before:
            self.check_shared(decider, current)
        self.staged += [
            Staged(
                stream_type=decider.stream_type,
                stream_id=stream_id,
                version=number,
                event_type=event.event_name,
                data=self._sealed(decider, stream_id, event, whom, goes_on=current is not None),
                event_id=event_id,
                causation_id=self.origin.causation_id,
            )
            for number, (event_id, event) in enumerate(zip(ids, events, strict=True), version + 1)
        ]
        version += len(events)
        updated = None if state is None else Current(stream_id, state, version, created, self.now)
        key = (decider.stream_type, stream_id)
        if updated is None:
            self._ended[stream_id] = (version, created)
        if self._undo is not None:
            self._undo.append((key, key in self.after, current))
        self.before.setdefault(key, current)
        self.after[key] = updated
        self.loaded[key] = updated
        self.standing.note(decider.stream_type, current, updated)
        if self.defining.written(decider.stream_type):
            self.write_rows()

    def _sealed(
        self, decider: Decider[Any, Any, Any], stream_id: UUID, event: Event, whom: set[UUID], *, goes_on: bool
    ) -> str:
        if goes_on:
            event, whom = self.keys.told(decider, stream_id, event, whom)
        return self.mapper.encode(stream_id, event, lambda: self.keys.of(self.keys.about(event, whom))).decode()

    def _beginning(self, stream_id: UUID) -> tuple[int, datetime]:
        """The version behind which a stream without a row goes on, and when it first began: it may have ended before."""
        if stream_id in self._ended:
            return self._ended[stream_id]
        if stream_id in self._new:
            return 0, self.now
        row = self.conn.execute(_BEFORE, (self.origin.workspace_id, stream_id)).fetchone()
        return (0, self.now) if row is None or row[0] is None else (row[0], row[1])

    # References.

    def check_shared(self, decider: Decider[Any, Any, Any], current: Current[Any], *, ending: bool = False) -> None:
        """Who sees only what is theirs changes nothing that is others' too: refuses with ``permission_denied``."""
        rows = self.rows[decider.stream_type]
        self.references.check_shared(self.conn, rows, rows.key_of(current), self.origin.visible_to, ending=ending)

    @property
    def letting_go(self) -> LettingGo:
        """What becomes of those who refer to what ends."""
        return LettingGo(self)

    # Writing.

    def events(self) -> frozenset[str]:
        """The types of what is to be written."""
        return frozenset(event.event_type for event in self.staged)

    def changes(self) -> Iterator[tuple[str, list[Change]]]:
        """What is changed, by kind of stream and in order of id, so that two units of work cannot wait for each other."""
        in_order = sorted(self.after, key=lambda key: (key[0], key[1].int))
        for stream_type, keys in groupby(in_order, key=lambda key: key[0]):
            yield stream_type, [Change(key[1], self.before[key], self.after[key]) for key in keys]

    def write_rows(self) -> None:
        """Writes the rows of what is decided so far, so that queries see it; the log still comes last."""
        self._write(self.changes())

    def _write(self, changed: Iterable[tuple[str, list[Change]]]) -> None:
        for stream_type, changes in changed:
            left = [self._left(stream_type, change) for change in changes] if self._written else changes
            left = [change for change in left if change.before is not change.after]
            if left:
                self.rows[stream_type].write(self.conn, self.origin.workspace_id, left, bulk=self.bulk)
                self._written.update({(stream_type, change.id): change.after for change in left})

    def _left(self, stream_type: str, change: Change) -> Change:
        return Change(change.id, self._written.get((stream_type, change.id), change.before), change.after)

    def flush(self) -> None:
        """Rows first, the log last: its head's lock is held from here to commit."""
        changed = list(self.changes())
        self._write(changed)
        new = self.keys.write({event.stream_id for event in self.staged}, bulk=self.bulk)
        if not self.staged:
            return
        counts: Counter[str] = Counter()
        for stream_type, changes in changed:
            for change in changes:
                for kind, delta in self.rows[stream_type].counts(change):
                    counts[kind] += delta
        if self.bulk:
            self.seq = append_bulk(self.conn, self.origin, self.staged, self.now, counts, self.defining.basis)
        else:
            self._cursor = append(self.conn, self.origin, self.staged, self.now, counts, self.defining.basis, new)

    def settle(self) -> None:
        """Reads the seq that the append answered."""
        if self.staged and self.seq is None and self._cursor is not None:
            row = self._cursor.fetchone()
            assert row is not None
            self.seq = row[0]
