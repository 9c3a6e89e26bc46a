"""Rows are the fold of the log: whatever commands come in whatever order, on whichever path they are written."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.contact import (
    CONTACT,
    Contact,
    ContactCommand,
    CreateContact,
    DeleteContact,
    TagContact,
    UntagContact,
    UpdateContact,
)
from domain.kernel import Command, Decider, Refused
from domain.tag import TAG, CreateTag, DeleteTag, TagRef, UpdateTag
from eventstore.append import Origin
from eventstore.database import Db, Pool, reading
from eventstore.mapper import EventMapper
from eventstore.reader import fold_stream
from eventstore.rows import Current
from eventstore.unit_of_work import EventStore
from eventstore.work import Work
from projections.catalogue import ROWS
from schemas.log import Actor
from tests.conftest import make_workspace
from tests.logs import check_chain, log_end, whole_log
from tests.strategies import numbers, texts

CONTACT_IDS = [UUID(int=0x0198C6F27D3A7C4E9B1F000000000000 + number) for number in range(4)]
TAG_IDS = [UUID(int=0x0198C6F27D3A7C4E9B1FFF0000000000 + number) for number in range(3)]

refs = st.lists(st.sampled_from(TAG_IDS), max_size=3).map(
    lambda ids: tuple(TagRef(id=tag_id, name=f"tag {tag_id.int % 10}") for tag_id in ids)
)
custom = st.dictionaries(
    st.sampled_from(["score", "plan", "émigré"]),
    st.none() | st.booleans() | numbers | texts | st.lists(texts, max_size=2),
)
some = st.fixed_dictionaries(
    {},
    optional={
        "last_name": st.sampled_from(["Lovelace", "Öztürk", " ", None]),
        "email": st.sampled_from(["ada@engine.org", "BOB@engine.org", "", None]),
        "phone": st.sampled_from(["+1 415 555 2671", "(415) 555-2671 x9", None]),
        "company": st.sampled_from(["Engines", "Großhandel", None]),
        "status": st.sampled_from(["ACTIVE", "ARCHIVED"]),
        "globally_unsubscribed": st.booleans(),
        "communication_preferences": st.dictionaries(st.sampled_from("ab"), st.sampled_from(["yes", "no", None])),
        "custom_fields": custom,
        "notes": texts,
    },
)
contact_commands: st.SearchStrategy[Command] = st.one_of(
    st.builds(lambda fields, tags: CreateContact(first_name="Ada", **fields, tags=tags), some, refs),
    st.builds(lambda fields: UpdateContact(**fields), some),
    st.builds(TagContact, tags=refs),
    st.builds(UntagContact, tags=refs),
    st.just(DeleteContact()),
)
names = st.sampled_from(["VIP", "vip", "Größe", "Lead"])
colors = st.sampled_from(["#ffffff", "#1a7f37", None])
tag_commands: st.SearchStrategy[Command] = st.one_of(
    st.builds(CreateTag, name=names, color=colors),
    st.builds(UpdateTag, name=names, color=colors),
    st.just(DeleteTag()),
)
wishes = st.tuples(st.just(CONTACT), st.sampled_from(CONTACT_IDS), contact_commands) | st.tuples(
    st.just(TAG), st.sampled_from(TAG_IDS), tag_commands
)


@dataclass(frozen=True)
class Unit:
    """Some commands of one unit of work, one of which may be refused: then nothing of it happens."""

    wishes: list[tuple[Decider[Any, Any, Any], UUID, ContactCommand]]
    bulk: bool

    def carry_out(self, work: Work) -> None:
        for decider, stream_id, command in self.wishes:
            work.execute(decider, stream_id, command)


units = st.builds(Unit, st.lists(wishes, min_size=1, max_size=4), st.booleans())


@settings(max_examples=60)
@given(history=st.lists(units, max_size=15))
def test_rows_and_counts_are_what_the_log_adds_up_to(
    store: EventStore, pool: Pool, owner: Db, history: list[Unit]
) -> None:
    workspace = make_workspace(owner)
    origin = Origin(workspace, Actor(type="system"))
    for unit in history:
        try:
            store.run(origin, unit.carry_out, bulk=unit.bulk)
        except Refused as refusal:
            assert refusal.code in {"conflict", "not_found", "validation_failed"}, refusal  # noqa: PT017 - others are a failure of the test

    entries = whole_log(pool, workspace)
    check_chain(entries, log_end(pool, workspace))
    folded = {
        decider.stream_type: fold(pool, workspace, decider, {entry.stream.id for entry in entries})
        for decider in (CONTACT, TAG)
    }
    for stream_type, wanted in folded.items():
        assert stored_rows(owner, workspace, stream_type) == wanted_rows(workspace, stream_type, wanted)
    assert stored_counts(owner, workspace) == wanted_counts(folded)


def fold(pool: Pool, workspace: UUID, decider: Decider[Any, Any, Any], streams: set[UUID]) -> dict[UUID, Current[Any]]:
    ours = streams & set(CONTACT_IDS if decider is CONTACT else TAG_IDS)
    with reading(pool, workspace) as conn:
        found = {stream: fold_stream(conn, decider, stream, EventMapper()) for stream in ours}
    return {stream: current for stream, current in found.items() if current is not None}


def stored_rows(owner: Db, workspace: UUID, stream_type: str) -> dict[UUID, tuple[Any, ...]]:
    """Whole rows, with JSON as what it says."""
    table = ROWS[stream_type]
    rows = owner.execute(
        f"SELECT {', '.join(table.names)} FROM {table.table} WHERE workspace_id = %s", (workspace,)
    ).fetchall()
    return {row[1]: row for row in rows}


def wanted_rows(workspace: UUID, stream_type: str, wanted: dict[UUID, Current[Any]]) -> dict[UUID, tuple[Any, ...]]:
    table = ROWS[stream_type]
    kinds = table.kinds.values()
    return {
        stream: tuple(
            msgspec.json.decode(value) if kind.startswith("jsonb") else value
            for kind, value in zip(kinds, table.values(workspace, current), strict=True)
        )
        for stream, current in wanted.items()
    }


def stored_counts(owner: Db, workspace: UUID) -> dict[str, int]:
    rows = owner.execute("SELECT kind, n FROM row_counts WHERE workspace_id = %s AND n <> 0", (workspace,)).fetchall()
    return dict(rows)


def wanted_counts(folded: dict[str, dict[UUID, Current[Any]]]) -> dict[str, int]:
    counts: Counter[str] = Counter({stream_type: len(found) for stream_type, found in folded.items() if found})
    for current in folded["contact"].values():
        assert isinstance(current.state, Contact)
        counts.update(f"contact.tags:{tag_id}" for tag_id in current.state.tags)
    return dict(counts)
