"""What a unit of work refers to, whichever door it came by: it must be there, and is held until the transaction ends.

What the unit of work has made itself stands, and what it has ended does not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from domain.kernel import Decider, State, Value
from domain.kernel.fields import references
from eventstore.database import Db
from eventstore.references import Going, References, goes_on
from eventstore.rows import Current, Registry

V = TypeVar("V", bound=Value)


class Standing:
    """Things by their kind and what they are referred to by; what is asked for once is not looked for again."""

    def __init__(self, conn: Db, rows: Registry, referring: References) -> None:
        self._conn = conn
        self._rows = rows
        self._referring = referring
        self._going = Going()
        self._known: defaultdict[str, dict[UUID, bool]] = defaultdict(dict)
        """Whether it is there, and then held."""
        self._made: defaultdict[str, dict[UUID, bool]] = defaultdict(dict)
        """What this very unit of work has made (``True``) or ended."""

    def hold(self, kind: str, keys: Iterable[UUID], field: str) -> None:
        """Makes sure that there are things of this kind, and that they do not end before this unit of work does.

        Refuses (``validation_failed``) naming the field.
        """
        known = self._known[kind]
        wanted = [key for key in keys if not known.get(key)]
        if not wanted:
            return
        there = self.of(kind, wanted)
        if missing := [key for key in dict.fromkeys(wanted) if key not in there]:
            raise self._going.refusal(self._conn, self._rows[kind], missing, field)

    def of(self, kind: str, keys: Iterable[UUID]) -> set[UUID]:
        """Of these those that there are, held until the transaction ends."""
        wanted, known = set(keys), self._known[kind]
        if unknown := [key for key in wanted if key not in known]:
            made = self._made[kind]
            rows = self._rows[kind].hold(self._conn, sorted(unknown)) if made.keys() != set(unknown) else ()
            found = {row[0] for row in rows}
            known.update({key: made.get(key, key in found) for key in unknown})
        return {key for key in wanted if known[key]}

    def check(self, decider: Decider[Any, Any, Any], before: State | None, after: State | None) -> None:
        """What a stream newly refers to must stand; refuses (``validation_failed``) naming the field."""
        for reference in self._rows[decider.stream_type].references:
            if found := reference.ids(after):
                known = reference.ids(before)
                self.hold(reference.to.kind, [key for key in found if key not in known], reference.wire)

    def led_to(self, kind: str, key: UUID) -> UUID:
        """What goes on in the place of a thing that is no more, or on its way out, and is held; itself where there is nothing
        like that.
        """
        rows = self._rows[kind]
        if rows.leads_to is None or self.of(kind, [key]):
            return key
        led = goes_on(self._conn, rows, key)
        return led if led != key and self.of(kind, [led]) else key

    def led_on(self, given: V) -> V:
        """A command or changes, referring to what goes on in the place of things that it refers to and that are no more."""
        keys = {reference: getattr(given, reference.field) for reference in references(type(given))}
        found = {
            reference.field: self.led_to(reference.to.kind, key)
            for reference, key in keys.items()
            if isinstance(key, UUID)
        }
        return msgspec.structs.replace(given, **found)

    def found(self, kind: str, current: Current[Any], *, stands: bool) -> None:
        """Notes what a query has looked for, and held where it stands."""
        self._known[kind][self._rows[kind].key_of(current)] = stands

    def note(self, kind: str, before: Current[Any] | None, after: Current[Any] | None) -> None:
        """What has begun or ended can, or cannot, be referred to from here on."""
        current = after or before
        if current is not None and (before is None or after is None) and self._referring.to(kind):
            key = self._rows[kind].key_of(current)
            self._made[kind][key] = after is not None
            self._known[kind].pop(key, None)
