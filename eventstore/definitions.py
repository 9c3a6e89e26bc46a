"""The fields that a workspace has defined itself: their values are held to them, whichever door they come in by.

A process remembers definitions. That they still stand is seen where it costs nothing: the head of the log, which every
append locks, counts their changes, and who has gone by others is refused there and tries again. What is to be refused for
the sake of a definition is looked up before it is.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Any, Final, LiteralString
from uuid import UUID

import msgspec
from msgspec import UNSET
from psycopg.errors import SerializationFailure

from domain.kernel import Command, State
from domain.kernel.check import Check
from domain.kernel.fields import ByKey, DefinedField, Definition, Family, Refers, defined_fields
from domain.kernel.values import custom_key
from eventstore import endings
from eventstore.append import Basis
from eventstore.database import Db
from eventstore.references import Referring
from eventstore.rows import Current, Registry

MOST: Final = 10_000
"""Workspaces whose definitions a process remembers."""

_VERSION: Final[LiteralString] = "SELECT definitions FROM log_heads WHERE workspace_id = %s"
_CHANGE: Final[LiteralString] = "UPDATE log_heads SET definitions = definitions + 1 WHERE workspace_id = %s"
_LOCK: Final[LiteralString] = "SELECT definitions FROM log_heads WHERE workspace_id = %s FOR UPDATE"


@dataclass(frozen=True)
class Definitions:
    """What a workspace has defined: by what has it, and key; ``going`` are those on their way out."""

    version: int
    of: Mapping[Family, Mapping[str, Definition]]
    going: frozenset[tuple[Family, str]] = frozenset()


class Remembered:
    """The definitions of the workspaces that were asked for last. Threads share it."""

    def __init__(self, rows: Registry) -> None:
        self.rows = rows
        self._known: OrderedDict[UUID, Definitions] = OrderedDict()
        self._lock = Lock()

    @cached_property
    def kinds(self) -> frozenset[str]:
        """The kinds of stream that define."""
        return frozenset(found.by for fields in self.fields.values() for found in fields)

    @cached_property
    def fields(self) -> dict[str, tuple[DefinedField, ...]]:
        """By kind of stream that has fields of the workspace's own: which of its maps hold them."""
        found: dict[str, tuple[DefinedField, ...]] = {}
        for kind, table in self.rows.items():
            state: type[State] = table.decider.state
            if fields := defined_fields(state):
                found[kind] = fields
        return found

    def get(self, workspace_id: UUID) -> Definitions | None:
        with self._lock:
            found = self._known.get(workspace_id)
            if found is not None:
                self._known.move_to_end(workspace_id)
            return found

    def put(self, workspace_id: UUID, found: Definitions) -> None:
        with self._lock:
            self._known[workspace_id] = found
            if len(self._known) > MOST:
                self._known.popitem(last=False)

    def forget(self, workspace_id: UUID) -> None:
        with self._lock:
            self._known.pop(workspace_id, None)


def _itself(_: str, key: UUID) -> UUID:
    return key


@dataclass
class Defining:
    """The definitions that one unit of work goes by, as it needs them."""

    conn: Db
    known: Remembered
    led_to: Callable[[str, UUID], UUID] = _itself
    """Of a kind, and the id of a thing that a value refers to: which one is meant."""
    changed: bool = False
    """Whether this very unit of work writes some of them."""
    _now: Definitions | None = None
    _basis: int | None = None
    """The version of those that it went by first."""
    _counted: int = 0
    """How many changes it has counted itself."""
    _sure: bool = False
    """Whether they were looked up, or looked at again, in this transaction."""

    @property
    def version(self) -> int | None:
        """Which version the log must still be at for what was decided by it to hold; ``None`` for any."""
        return None if self._basis is None else self._basis + self._counted

    @property
    def basis(self) -> Basis:
        return Basis(self.version, self.changed)

    def now(self) -> Definitions:
        if self._now is None:
            known = None if self.changed or self._counted else self.known.get(self.conn.workspace_id)
            self._now = known or self._looked_up()
            if self._basis is None:
                self._basis = self._now.version - self._counted
        return self._now

    def _looked_up(self) -> Definitions:
        """The version before the rest: of what changes in between the append tells."""
        version = self._version()
        of: dict[Family, dict[str, Definition]] = {}
        going: set[tuple[Family, str]] = set()
        for by in sorted(self.known.kinds):
            rows = self.known.rows[by].all(self.conn)
            ending = endings.look(self.conn, by, [row.id for row in rows]) if rows else {}
            for row in rows:
                of.setdefault(_family(row.state), {})[row.state.key] = row.state
            going.update((_family(row.state), row.state.key) for row in rows if row.id in ending)
        found = Definitions(version, of, frozenset(going))
        self._sure = True
        if not self.changed and not self._counted:
            self.known.put(self.conn.workspace_id, found)
        return found

    def _version(self) -> int:
        row = self.conn.execute(_VERSION, (self.conn.workspace_id,)).fetchone()
        return 0 if row is None else int(row[0])

    # What is given, as it is kept.

    def kept(self, kind: str, command: Command, current: Current[Any] | None) -> Command:
        """The command, to a thing as it stands, with its values as the definitions have them kept; refuses naming those
        that are not acceptable.
        """
        given = [(found, value) for found in defined_fields(type(command)) if (value := getattr(command, found.name))]
        if not given or not self.now().of:
            return command
        state, check = None if current is None else current.state, Check()
        changed = {
            found.name: {key: self._value(check, known, found, key, one) for key, one in value.items()}
            for found, value in given
            if value is not UNSET and (known := self.now().of.get(found.family(kind, state, command)))
        }
        self._judge(check)
        return msgspec.structs.replace(command, **changed)

    def _value(self, check: Check, known: Mapping[str, Definition], found: DefinedField, given: str, value: Any) -> Any:
        definition = known.get(_key(given))
        if definition is None or value is None:
            return value
        where = f"{found.wire}.{definition.key}"
        if (_family(definition), definition.key) in self.now().going:
            check.fail(where, "is about to be deleted with all its values")
        region = self._region if definition.regional and not str(value).lstrip().startswith(("+", "00")) else "US"
        kept = check.field(where, lambda one: definition.kept(one, region), value)
        return kept if kept is None or definition.refers is None else str(self.led_to(definition.refers, UUID(kept)))

    @cached_property
    def _region(self) -> str:
        """The country of phone numbers written without one."""
        workspace = self.conn.workspace_id
        found = self.known.rows["workspace"].load(self.conn, [workspace]).get(workspace)
        return "US" if found is None else str(found.state.phone_region)

    # What a thing has then.

    def check(self, kind: str, before: Current[Any] | None, after: Current[Any] | None) -> list[tuple[str, UUID, str]]:
        """Refuses a thing that lacks what is required of it, or has what is not for it.

        Answers what it newly refers to: kind, id, and the field in which it does.
        """
        referred: list[tuple[str, UUID, str]] = []
        check = Check()
        for found in self.known.fields.get(kind, ()) if after is not None else ():
            assert after is not None
            old = {} if before is None else getattr(before.state, found.name)
            if before is None or getattr(after.state, found.name) != old:
                referred += self._compared(check, kind, found, after.state, old, made=before is None)
        self._judge(check)
        return referred

    def _compared(
        self, check: Check, kind: str, found: DefinedField, after: State, old: Any, *, made: bool
    ) -> Iterator[tuple[str, UUID, str]]:
        new = getattr(after, found.name)
        for key, definition in self.now().of.get(found.family(kind, after), {}).items():
            where, fits = f"{found.wire}.{key}", definition.fits(kind, after)
            if key in new:
                if new[key] != old.get(key) and not fits:
                    check.fail(where, "is a field of others than this")
                elif definition.refers is not None and new[key] != old.get(key):
                    yield definition.refers, UUID(new[key]), where
            elif definition.required and fits and (made or key in old):
                check.fail(where, "is required")

    def _judge(self, check: Check) -> None:
        """Raises what ``check`` has found, by the definitions as they are now: where they have changed, all is tried again."""
        if check.errors and not self._sure:
            if self._version() != self.version:
                self.known.forget(self.conn.workspace_id)
                raise SerializationFailure("the definitions have changed")
            self._sure = True
        check.done()

    # What refers to a thing by what is defined.

    def referring(self, kind: str, state: State) -> list[Referring]:
        """By which values there may be things that refer to this one: a definition is referred to by its values."""
        if kind in self.known.kinds:
            definition: Any = state
            return [
                (self.known.rows[definition.entity], _by_key(found, kind, definition, names=False))
                for found in self.known.fields.get(definition.entity, ())
                if found.by == kind
            ]
        return [
            (self.known.rows[definition.entity], _by_key(found, kind, definition, names=True))
            for known in self.now().of.values()
            for definition in known.values()
            if definition.refers == kind
            for found in self.known.fields.get(definition.entity, ())
        ]

    def changes(self, kind: str) -> None:
        """What stands of a kind changes though nothing is written of it: who goes by what it defines must know."""
        if kind in self.known.kinds:
            self.conn.execute(_CHANGE, (self.conn.workspace_id,))
            self._counted += 1
            self._now = None

    def written(self, kind: str) -> bool:
        """Notes that one of a kind has been written; whether it defines anything, and is to be looked up from here on."""
        if kind in self.known.kinds:
            self.changed, self._now = True, None
        return kind in self.known.kinds

    def before_end(self, kind: str) -> None:
        """What refers to a definition is looked for when nobody writes more of it."""
        if kind in self.known.kinds:
            self.alone()

    def alone(self) -> None:
        """Waits until nobody else is writing to the log, and keeps others from it until the transaction ends."""
        self.conn.execute(_LOCK, (self.conn.workspace_id,)).fetchone()


def _key(given: str) -> str:
    """As it will be kept; one that is not acceptable as it is, for the decider to say so."""
    try:
        return custom_key(given)
    except ValueError:
        return given


def _family(definition: Definition) -> Family:
    """Whose field it is."""
    return definition.entity, definition.within


def _by_key(found: DefinedField, kind: str, definition: Definition, *, names: bool) -> ByKey:
    of = None if found.within is None or definition.within is None else (found.within, definition.within)
    return ByKey(found.name, found.wire, Refers(kind), many=False, key=definition.key, names=names, within=of)
