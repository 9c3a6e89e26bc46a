"""The totals of the audit trail: counts kept behind the log, and what came since, are exact together."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from domain.catalogue import EVENTS
from domain.tag import TAG, CreateTag, DeleteTag, UpdateTag
from eventstore.append import Origin
from eventstore.database import Db, Pool, reading
from eventstore.ids import new_id
from eventstore.unit_of_work import EventStore
from eventstore.work import Work
from projections import activity
from projections.activity import ActivityQuery, forget_counts, listed
from projections.catalogue import TABLES
from projections.tag_row import TAGS
from projections.verify import verify
from schemas.log import Actor
from schemas.wire.page import PageRequest
from tests.logs import whole_log

USERS = [UUID(int=0x0198C6F27D3A7C4E9B1F000000000000 + number) for number in range(2)]
ACTORS = [*(Actor(type="user", id=user) for user in USERS), Actor(type="system")]
QUERIES: list[dict[str, Any]] = [
    {},
    {"entity_type": "tag"},
    {"entity_type": "contact"},
    {"action": "created"},
    {"action": "deleted", "entity_type": "tag"},
    {"user_id": USERS[0]},
    {"user_id": USERS[1], "action": "updated"},
    {"user_id": UUID(int=0)},
]


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activity, "COUNT_STEP", 5)


def write(store: EventStore, workspace: UUID, times: int) -> None:
    """By each actor in turn: a tag that begins, changes and ends."""
    for number in range(times):
        tag_id = new_id()

        def work(unit: Work, tag_id: UUID = tag_id) -> None:
            unit.begin(TAG, tag_id, CreateTag(name=f"Tag {tag_id}"))
            unit.execute(TAG, tag_id, UpdateTag(color="#112233"))
            unit.execute(TAG, tag_id, DeleteTag())

        store.run(Origin(workspace, ACTORS[number % 3]), work)


def total(pool: Pool, workspace: UUID, asked: dict[str, Any]) -> int:
    with reading(pool, workspace) as conn:
        return listed(conn, TABLES, PageRequest(limit=1), ActivityQuery(**asked))[1]


def by_hand(pool: Pool, workspace: UUID, asked: dict[str, Any]) -> int:
    return sum(
        asked.get("entity_type") in (None, entry.stream.type)
        and asked.get("action") in (None, EVENTS[entry.type].event_action)
        and asked.get("user_id") in (None, entry.meta.actor.id)
        for entry in whole_log(pool, workspace)
    )


@pytest.mark.parametrize("asked", QUERIES, ids=str)
def test_a_total_is_exact_at_any_distance_between_the_counts_and_the_log(
    store: EventStore, pool: Pool, workspace: UUID, asked: dict[str, Any]
) -> None:
    for _ in range(4):
        assert total(pool, workspace, asked) == by_hand(pool, workspace, asked)
        write(store, workspace, 1)
    write(store, workspace, 5)
    assert total(pool, workspace, asked) == by_hand(pool, workspace, asked)


def test_the_counts_follow_the_log_in_steps(store: EventStore, pool: Pool, owner: Db, workspace: UUID) -> None:
    def counted() -> int | None:
        query = "SELECT seq FROM consumer_checkpoints WHERE workspace_id = %s AND consumer = 'activity_counts'"
        row = owner.execute(query, (workspace,)).fetchone()
        return row[0] if row else None

    write(store, workspace, 1)
    total(pool, workspace, {"entity_type": "tag"})
    assert counted() is None
    write(store, workspace, 1)
    total(pool, workspace, {"entity_type": "tag"})
    assert counted() == 6


def test_many_who_ask_at_once_count_each_event_once(store: EventStore, pool: Pool, workspace: UUID) -> None:
    with ThreadPoolExecutor(8) as threads:
        for _ in range(5):
            write(store, workspace, 2)
            found = list(threads.map(lambda _: total(pool, workspace, {"entity_type": "tag"}), range(16)))
            assert set(found) == {len(whole_log(pool, workspace))}


def test_the_counts_of_another_workspace_are_not_seen(
    store: EventStore, pool: Pool, workspace: UUID, other_workspace: UUID
) -> None:
    write(store, workspace, 3)
    assert total(pool, workspace, {"entity_type": "tag"}) == 9
    assert total(pool, other_workspace, {"entity_type": "tag"}) == 0


def test_what_is_assigned_to_whom_the_tables_say(store: EventStore, pool: Pool, workspace: UUID) -> None:
    """Here a tag is its own; so somebody of its id sees what happened to it, and not to the other."""
    origin = Origin(workspace, Actor(type="system"))
    tag_id, other_id = new_id(), new_id()
    for each in (tag_id, other_id):
        store.run(origin, partial(Work.begin, decider=TAG, stream_id=each, command=CreateTag(name=f"Tag {each}")))
    wanted = ActivityQuery(visible_to=tag_id)
    with reading(pool, workspace) as conn:
        found, count, _ = listed(conn, [replace(TAGS, owner="id")], PageRequest(), wanted)
        assert ([seen.entity_id for seen in found], count) == ([tag_id], 1)
        assert listed(conn, TABLES, PageRequest(), wanted)[:2] == ([], 0)


def test_counts_that_are_wrong_are_forgotten_and_counted_anew(
    store: EventStore, pool: Pool, owner: Db, workspace: UUID
) -> None:
    write(store, workspace, 3)
    assert total(pool, workspace, {"entity_type": "tag"}) == 9
    owner.execute("UPDATE activity_counts SET n = n + 1 WHERE workspace_id = %s", (workspace,))
    assert total(pool, workspace, {"entity_type": "tag"}) > 9
    forget_counts(owner)
    assert total(pool, workspace, {"entity_type": "tag"}) == 9
    assert verify(owner, workspaces=[workspace]).finding is None
