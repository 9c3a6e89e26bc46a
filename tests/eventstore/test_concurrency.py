"""Under any mix of delays, rollbacks and broken connections: a gapless log, seen whole and in order while it grows."""

from __future__ import annotations

import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import pytest

from domain.contact import CONTACT, CreateContact, UpdateContact
from domain.kernel import Refused
from domain.tag import TAG, CreateTag
from eventstore.append import Origin, Staged, append
from eventstore.database import Db, Pool, Unavailable, reading, writing
from eventstore.ids import new_id
from eventstore.reader import head, read_log
from eventstore.unit_of_work import EventStore
from eventstore.work import Work
from schemas.log import Actor, LogEntry
from tests.conftest import make_workspace
from tests.logs import check_chain, log_end, whole_log

WORKSPACES = 3
WRITERS = 10
UNITS = 25


class UndoneError(Exception):
    """Thrown in the middle of a unit of work."""


@dataclass
class Traffic:
    """What many writers do to several workspaces; every kind of write there is, some of them undone."""

    store: EventStore
    pool: Pool
    workspaces: list[UUID]
    acknowledged: dict[UUID, list[UUID]] = field(default_factory=lambda: defaultdict(list))
    """By workspace, the correlation ids of units that were committed: one unit, one id."""

    def write(self, chance: random.Random) -> None:
        for _ in range(UNITS):
            origin = Origin(chance.choice(self.workspaces), Actor(type="system"))
            act = chance.choice([self.unit, self.unit, self.bulk, self.raw])
            try:
                act(origin, chance)
            except (UndoneError, Unavailable):
                continue
            except Refused as refusal:
                assert refusal.code == "conflict", refusal  # noqa: PT017 - others are a failure of the test
                continue
            self.acknowledged[origin.workspace_id].append(origin.correlation_id)

    def unit(self, origin: Origin, chance: random.Random) -> None:
        self.store.run(origin, lambda work: self._work(work, chance, chance.randint(1, 4)))

    def bulk(self, origin: Origin, chance: random.Random) -> None:
        self.store.run(origin, lambda work: self._work(work, chance, chance.randint(10, 60)), bulk=True)

    def _work(self, work: Work, chance: random.Random, count: int) -> None:
        contacts = []
        for _ in range(count):
            _dawdle(chance)
            contacts.append(work.begin(CONTACT, new_id(), CreateContact(first_name="Ada")).id)
            work.execute(CONTACT, chance.choice(contacts), UpdateContact(city=f"city {chance.random()}"))
        work.begin(TAG, new_id(), CreateTag(name=f"tag {chance.randint(0, 200)}"))
        _perhaps_undo(chance)
        if chance.random() < 0.3:
            work.flush()  # under the head's lock from here on
            work.staged.clear()
            work.after.clear()
            _dawdle(chance)
            _perhaps_undo(chance)

    def raw(self, origin: Origin, chance: random.Random) -> None:
        stream = new_id()
        staged = [
            Staged("tag", stream, version, "tag.updated", '{"changed":{},"previous":{}}', new_id(), None)
            for version in range(1, chance.randint(2, 5))
        ]
        with writing(self.pool, origin.workspace_id) as conn:
            _dawdle(chance)
            append(conn, origin, staged, datetime.now(UTC), {})
            _dawdle(chance)
            _perhaps_undo(chance)


def _dawdle(chance: random.Random) -> None:
    if chance.random() < 0.2:
        time.sleep(chance.random() * 0.003)


def _perhaps_undo(chance: random.Random) -> None:
    if chance.random() < 0.25:
        raise UndoneError


class Follower:
    """Reads one workspace's log while it grows, until told that no more will come; nothing may be missing in it."""

    def __init__(self, pool: Pool, workspace_id: UUID, batch: int) -> None:
        self.pool, self.workspace_id, self.batch = pool, workspace_id, batch
        self.seen: list[LogEntry] = []
        self.over = threading.Event()

    def follow(self) -> list[LogEntry]:
        while True:
            last_round = self.over.is_set()
            try:
                while self.read():
                    continue
            except Unavailable:
                continue
            if last_round:
                return self.seen
            time.sleep(0.001)

    def read(self) -> int:
        """How many entries came next; the end is looked up before them, so there must be as many at least."""
        with reading(self.pool, self.workspace_id) as conn:
            end, _ = head(conn)
            entries = read_log(conn, after=len(self.seen), limit=self.batch)
        assert len(entries) >= min(self.batch, end - len(self.seen))
        for entry in entries:
            assert entry.seq == len(self.seen) + 1
            self.seen.append(entry)
        return len(entries)


def run(
    traffic: Traffic, seed: int, meanwhile: Callable[[random.Random], None] = lambda _: None
) -> dict[UUID, list[LogEntry]]:
    """Lets writers write and followers follow; answers what was seen of each workspace."""
    chance = random.Random(seed)
    followers = [Follower(traffic.pool, workspace, batch) for workspace in traffic.workspaces for batch in (1, 7)]
    with ThreadPoolExecutor(WRITERS + len(followers)) as threads:
        following = [threads.submit(follower.follow) for follower in followers]
        writing_ = [threads.submit(traffic.write, random.Random(chance.random())) for _ in range(WRITERS)]
        try:
            while not all(future.done() for future in writing_):
                meanwhile(chance)
                time.sleep(0.005)
            _raise(writing_)
        finally:
            for follower in followers:
                follower.over.set()
        _raise(following)
    for one, other in zip(followers[::2], followers[1::2], strict=True):
        assert one.seen == other.seen
    return {workspace: follower.seen for workspace, follower in zip(traffic.workspaces, followers[::2], strict=True)}


def _raise(futures: list[Future[list[LogEntry]]] | list[Future[None]]) -> None:
    for future in futures:
        future.result()


def check(traffic: Traffic, seen: dict[UUID, list[LogEntry]]) -> None:
    for workspace in traffic.workspaces:
        entries = whole_log(traffic.pool, workspace)
        assert entries
        assert seen[workspace] == entries
        check_chain(entries, log_end(traffic.pool, workspace))
        _each_unit_stands_together(entries)
        _each_stream_is_numbered_from_1(entries)
        assert [entry.recorded_at for entry in entries] == sorted(entry.recorded_at for entry in entries)


def _each_unit_stands_together(entries: list[LogEntry]) -> None:
    units = [entry.meta.correlation_id for entry in entries]
    beginnings = [unit for index, unit in enumerate(units) if index == 0 or units[index - 1] != unit]
    assert len(beginnings) == len(set(beginnings))


def _each_stream_is_numbered_from_1(entries: list[LogEntry]) -> None:
    versions: dict[UUID, int] = defaultdict(int)
    for entry in entries:
        versions[entry.stream.id] += 1
        assert entry.version == versions[entry.stream.id]


@pytest.fixture
def traffic(store: EventStore, pool: Pool, owner: Db) -> Traffic:
    return Traffic(store, pool, [make_workspace(owner) for _ in range(WORKSPACES)])


@pytest.mark.parametrize("seed", range(3))
def test_the_log_has_no_gap_and_a_reader_sees_it_whole_and_in_order(traffic: Traffic, seed: int) -> None:
    seen = run(traffic, seed)

    check(traffic, seen)
    for workspace, entries in seen.items():
        units = {entry.meta.correlation_id for entry in entries}
        assert units == set(traffic.acknowledged[workspace]), "what was acknowledged is in the log, and nothing else"


def test_what_was_acknowledged_survives_broken_connections(traffic: Traffic, owner: Db) -> None:
    """A unit whose connection broke in its commit may be in the log, though nobody was told."""

    def break_connections(chance: random.Random) -> None:
        if chance.random() < 0.4:
            owner.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE usename = 'daybook_app' AND state <> 'idle' ORDER BY random() LIMIT 1"
            )

    seen = run(traffic, 11, break_connections)

    check(traffic, seen)
    for workspace, entries in seen.items():
        assert set(traffic.acknowledged[workspace]) <= {entry.meta.correlation_id for entry in entries}
