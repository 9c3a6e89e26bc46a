"""What records had in the past, as callers know it: amounts in whole units of the currency that their attribute had then.

A definition may have gone since, and another may have come under its key: the log says which there was. Nobody defines a
key, nor gives it another currency, while records have values under it. So what is defined when something happens to a
record holds for what it had before, too.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final, LiteralString
from uuid import UUID

from msgspec.structs import replace

from domain.kernel import State
from domain.object_attribute import ObjectAttribute, ObjectAttributeCreated
from domain.object_record import OBJECT_RECORD, ObjectRecord, ObjectRecordCreated
from eventstore.database import Db
from eventstore.mapper import SHARED
from projections.object_attribute import OBJECT_ATTRIBUTES
from schemas.activity import ActivityView, FieldChange

_FIELD: Final = "attributes"
_TYPES: Final[LiteralString] = """
    SELECT stream_id, (data ->> 'objectTypeId')::uuid FROM events
    WHERE workspace_id = %s AND stream_id = ANY(%s) AND version = 1 AND type = %s
"""
_DEFINING: Final[LiteralString] = """
    SELECT seq, stream_id, type, data::text FROM events
    WHERE workspace_id = %s AND stream_id = ANY(ARRAY(
        SELECT stream_id FROM events WHERE workspace_id = %s AND type = %s AND data ->> 'objectTypeId' = ANY(%s)))
    ORDER BY seq
"""

Key = tuple[UUID, str]
"""An object type, and the key of an attribute of it."""


@dataclass(frozen=True)
class Attributes:
    """What attributes there were: by key, what stood under it from an entry of the log on, in order."""

    since: dict[Key, list[tuple[int, ObjectAttribute | None]]]

    @classmethod
    def of(cls, conn: Db, types: Collection[UUID]) -> Attributes:
        """All that there ever were of these object types."""
        given = (conn.workspace_id, conn.workspace_id, ObjectAttributeCreated.event_name, [str(one) for one in types])
        return cls(_folded(conn.execute(_DEFINING, given)))

    def told(self, type_id: UUID, values: Any, seq: int) -> Any:
        """Values by key, as something that happened at this entry of the log had them, as callers know them."""
        if not isinstance(values, dict):
            return values
        known = {key: self._at((type_id, key), seq) for key in values}
        return {key: value if (of := known[key]) is None else of.shown(value) for key, value in values.items()}

    def _at(self, key: Key, seq: int) -> ObjectAttribute | None:
        since = self.since.get(key, ())
        place = bisect_right(since, seq, key=itemgetter(0))
        return since[place - 1][1] if place else None


def _folded(rows: Iterable[tuple[int, UUID, str, str]]) -> dict[Key, list[tuple[int, ObjectAttribute | None]]]:
    found: defaultdict[Key, list[tuple[int, ObjectAttribute | None]]] = defaultdict(list)
    standing: dict[UUID, ObjectAttribute | None] = {}
    for seq, stream_id, name, data in rows:
        before = standing.get(stream_id)
        after = OBJECT_ATTRIBUTES.decider.evolve(before, SHARED.decode(stream_id, name, data))
        standing[stream_id] = after
        if (one := after or before) is not None:
            found[one.object_type_id, one.key].append((seq, after))
    return found


def stood(conn: Db, sides: Sequence[tuple[State | None, int]]) -> list[State | None]:
    """Things as they stood at entries of the log: records as callers know them, all others as they are."""
    types = {state.object_type_id for state, _ in sides if isinstance(state, ObjectRecord)}
    known = Attributes.of(conn, types) if types else Attributes({})
    return [_stood(known, state, seq) if isinstance(state, ObjectRecord) else state for state, seq in sides]


def _stood(known: Attributes, record: ObjectRecord, seq: int) -> ObjectRecord:
    return replace(record, attributes=known.told(record.object_type_id, record.attributes, seq))


def told(conn: Db, activities: Sequence[ActivityView]) -> list[ActivityView]:
    """The activities, of which those of records tell what was changed as callers know it."""
    about = {one.entity_id for one in activities if _has_values(one)}
    if not about:
        return [*activities]
    types = _types(conn, about)
    known = Attributes.of(conn, {*types.values()})
    return [_told(known, types[one.entity_id], one) if _has_values(one) else one for one in activities]


def _types(conn: Db, records: Collection[UUID]) -> dict[UUID, UUID]:
    """Of which object type each record is, or was."""
    given = (conn.workspace_id, list(records), ObjectRecordCreated.event_name)
    return dict(conn.execute(_TYPES, given).fetchall())


def _has_values(activity: ActivityView) -> bool:
    return activity.entity_type == OBJECT_RECORD.stream_type and _FIELD in activity.changes


def _told(known: Attributes, type_id: UUID, activity: ActivityView) -> ActivityView:
    change = activity.changes[_FIELD]
    was, now = (known.told(type_id, side, activity.seq) for side in (change.from_, change.to))
    return replace(activity, changes={**activity.changes, _FIELD: FieldChange(from_=was, to=now)})
