"""What the history of a thing says, held against the fold of its stream."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any
from uuid import UUID

import msgspec

from domain.catalogue import DECIDERS
from domain.kernel import State
from domain.kernel.money import Money, amounts
from domain.object_attribute import OBJECT_ATTRIBUTE
from domain.object_record import ObjectRecord
from eventstore.database import Db
from eventstore.reader import fold_stream
from projections import history
from projections.catalogue import ROWS
from projections.history import Subject
from schemas.history import HistoryEntry
from schemas.wire.page import PageRequest
from tests.sequences.told import MAPPER


def check_histories(conn: Db, streams: Iterable[tuple[str, UUID]]) -> None:
    """What each entry changed leads from the thing as it stood to how it stands then, as callers knew it."""
    for kind, stream_id in streams:
        subject, before = Subject(ROWS[kind], stream_id), None
        entries, total, _ = history.listed(conn, MAPPER, subject, PageRequest(limit=10_000))
        assert [entry.version for entry in reversed(entries)] == list(range(1, total + 1))
        for entry in reversed(entries):
            folded = fold_stream(conn, DECIDERS[kind], stream_id, MAPPER, upto_version=entry.version)
            after = None if folded is None else folded.state
            was, now = (known(as_shown(conn, state, entry.seq)) for state in (before, after))
            assert changed(DECIDERS[kind].state, was, entry) == now, (kind, entry)
            before = after
        check_differences(conn, subject, [entry.seq for entry in reversed(entries)])


def changed(kind: type[State], before: dict[str, Any], entry: HistoryEntry) -> dict[str, Any]:
    """What is known of a thing behind an entry, which must have been as the entry says."""
    after = dict(before)
    names = [field.encode_name for field in msgspec.structs.fields(kind)]
    for name in (*names, *(["currency"] if amounts(kind) else [])):
        if (change := entry.changes.get(name)) is None:
            continue
        if isinstance(change.to, dict) and isinstance(change.from_, dict) and name in MAPS:
            was = before.get(name, {})
            assert {key: was.get(key) for key in change.from_} == change.from_
            after[name] = {key: one for key, one in {**was, **change.to}.items() if one is not None}
        else:
            assert before.get(name) == given(change.from_)
            after[name] = change.to
    return {name: value for name, value in after.items() if given(value) is not None}


def as_shown(conn: Db, state: State | None, seq: int) -> State | None:
    """A record with amounts in whole units, by the attributes that its type had when the log ended at ``seq``."""
    if not isinstance(state, ObjectRecord):
        return state
    streams = conn.execute(
        "SELECT DISTINCT stream_id FROM events WHERE workspace_id = %s AND stream_type = 'object_attribute'",
        (conn.workspace_id,),
    ).fetchall()
    folded = [fold_stream(conn, OBJECT_ATTRIBUTE, stream_id, MAPPER, upto_seq=seq) for (stream_id,) in streams]
    of = {one.state.key: one.state for one in folded if one and one.state.object_type_id == state.object_type_id}
    values = {key: of[key].shown(value) if key in of else value for key, value in state.attributes.items()}
    return msgspec.structs.replace(state, attributes=values)


def given(value: Any) -> Any:
    """A field that is empty is as one that is not there."""
    return None if value in ([], (), {}) else value


MAPS = {
    field.encode_name
    for decider in DECIDERS.values()
    for field in msgspec.structs.fields(decider.state)
    if getattr(field.default_factory, "__name__", "") == "dict"
}
"""Fields that are told by key."""


def known(state: State | None) -> dict[str, Any]:
    """All that is set, as JSON; of money the amount in whole units, and its currency by itself."""
    if state is None:
        return {}
    found = dict[str, Any]()
    for field in msgspec.structs.fields(state):
        value, name = getattr(state, field.name), field.encode_name
        found |= value.told(name) if isinstance(value, Money) else {name: history.as_json(value)}
    return {name: value for name, value in found.items() if given(value) is not None}


def check_differences(conn: Db, subject: Subject, seqs: list[int]) -> None:
    """From the beginning differs what all differences since add up to."""
    added: dict[str, Any] = {}
    for since, until in pairwise([0, *seqs]):
        for name, change in history.difference(conn, MAPPER, subject, since, until).changes.items():
            is_key = "." in name
            assert added.get(name) == (change.from_ if is_key else given(change.from_)), (subject, name)
            added[name] = change.to if is_key else given(change.to)
    whole = history.difference(conn, MAPPER, subject, 0, seqs[-1]).changes
    assert {name: change.to for name, change in whole.items()} == {
        name: value for name, value in added.items() if value is not None
    }
