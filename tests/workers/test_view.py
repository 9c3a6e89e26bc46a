"""Views: kept by workers, built anew beside the live one, and compared with what the log says."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
import pytest

from domain.catalogue import DECIDERS
from domain.contact import CONTACT, Contact, CreateContact, DeleteContact, TagContact, UntagContact, UpdateContact
from domain.kernel import Refused
from domain.tag import TAG, CreateTag, TagRef
from eventstore.append import Origin
from eventstore.consuming import Batch
from eventstore.ids import new_id
from eventstore.verify import MismatchError, snapshot
from eventstore.work import Work
from projections.timeline import timeline
from projections.verify import verify
from projections.view.compare import check_views, compare_view
from projections.view.keeper import Keeper, Statement
from projections.view.rebuild import ensure_views, rebuild
from projections.view.view import Drop, Moment, Put, Table, View, states
from schemas.log import Actor
from tests.workers.running import Installation, eventually, running
from workers.consuming import view as keeping
from workers.consuming.consumer import Consuming
from workers.consuming.view import consumer_of, keep
from workers.relay import relay
from workers.running.context import AsyncPool, async_pool

BEARERS = Table(
    "bearers",
    columns={"tag_id": "uuid NOT NULL", "contact_id": "uuid NOT NULL", "name": "text", "since": "bigint NOT NULL"},
    key=("tag_id", "contact_id"),
    indexes={"bearers_by_contact": "(workspace_id, contact_id)"},
)


def bear(moment: Moment) -> Iterator[Put | Drop]:
    """Who bears which tag since when, and under what name then: rows that come, change and go."""
    contact_id = moment.entry.stream_id
    before = moment.before.tags if isinstance(moment.before, Contact) else ()
    after = moment.after.tags if isinstance(moment.after, Contact) else ()
    for tag_id in before:
        if tag_id not in after:
            yield Drop(BEARERS, (tag_id, contact_id))
    for tag_id in after:
        if tag_id not in before:
            assert isinstance(moment.after, Contact)
            yield Put(BEARERS, (tag_id, contact_id, moment.after.name, moment.entry.seq))


TAG_BEARERS = View(
    name="tag_bearers",
    version=1,
    tables=(BEARERS,),
    apply={event.event_name: bear for event in CONTACT.events},
    folds={"contact": states(CONTACT)},
)
TAG_ITEMS = Table("tag_timeline_items", columns={"subject_id": "uuid", "seq": "bigint"}, key=("subject_id", "seq"))
TAG_TIMELINE = timeline("tag_timeline", 1, ("tag",), TAG_ITEMS)
VIEWS = (TAG_BEARERS, TAG_TIMELINE)


@pytest.fixture(autouse=True)
def built(own_installation: Installation) -> None:
    ensure_views(own_installation.owner, VIEWS)


def live(
    installation: Installation, workspace: UUID, chance: random.Random, units: int, stop: threading.Event | None = None
) -> None:
    """Tags put on contacts and taken off, contacts that come, change and go: as often, or until told to stop."""
    tags = [TagRef(id=new_id(), name=f"tag {number} {new_id()}") for number in range(4)]
    contacts: list[UUID] = []

    def begin(unit: Work) -> None:
        for tag in tags:
            unit.begin(TAG, tag.id, CreateTag(name=tag.name))

    def work(unit: Work) -> None:
        for _ in range(chance.randint(1, 3)):
            contact_id = chance.choice([*contacts[-6:], None])
            some = tuple(chance.sample(tags, chance.randint(1, 2)))
            if contact_id is None:
                contacts.append(unit.begin(CONTACT, new_id(), CreateContact(first_name="Ada", tags=some)).id)
                continue
            changes = [
                UpdateContact(first_name=f"Ada {chance.random()}"),
                TagContact(tags=some),
                UntagContact(tags=some),
                DeleteContact(),
            ]
            unit.execute(CONTACT, contact_id, chance.choice(changes))

    origin = Origin(workspace, Actor(type="system"))
    installation.store.run(origin, begin)
    for _ in range(units):
        try:
            installation.store.run(origin, work)
        except Refused as refusal:
            assert refusal.code in {"not_found", "conflict"}, refusal  # noqa: PT017 - others are a failure of the test
        if stop is not None and stop.is_set():
            return


def checkpoint(installation: Installation, workspace: UUID, view: View = TAG_BEARERS) -> int:
    query = "SELECT seq FROM consumer_checkpoints WHERE workspace_id = %s AND consumer = %s"
    row = installation.owner.execute(query, (workspace, view.name)).fetchone()
    return 0 if row is None else row[0]


def rows(installation: Installation, workspace: UUID, table: Table = BEARERS) -> list[tuple[Any, ...]]:
    query = f"SELECT * FROM {table.name} WHERE workspace_id = %s ORDER BY {', '.join(table.key)}"
    return installation.owner.execute(query.encode(), (workspace,)).fetchall()


def compared(installation: Installation, workspace: UUID, view: View = TAG_BEARERS) -> int:
    """How many rows are as they must be; raises for the first that is not."""
    check_views(installation.owner, [view])
    with snapshot(installation.owner):
        return compare_view(installation.owner, workspace, view)


def catch_up(installation: Installation, *workspaces: UUID, view: View = TAG_BEARERS) -> None:
    async def main() -> None:
        async with async_pool(installation.config.database_url) as pool:
            for workspace in workspaces:
                await Consuming(pool, consumer_of(view)).catch_up(workspace)

    asyncio.run(main())


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
@pytest.mark.parametrize("seed", range(2))
def test_kept_by_several_bit_by_bit_it_is_as_built_anew(installation: Installation, view: View, seed: int) -> None:
    """Whatever each of them remembers of the streams, and however often it forgets."""
    workspace = installation.workspace()
    chance = random.Random(seed)

    async def now_and_then(pool: AsyncPool, living: asyncio.Task[None]) -> None:
        consumer = replace(consumer_of(view), limit=lambda _: chance.choice([1, 3, 10]))
        at_work = Consuming(pool, consumer)
        while not living.done():
            await asyncio.sleep(chance.random() * 0.02)
            if chance.random() < 0.1:
                consumer.forget()
            await at_work.catch_up(workspace)

    async def main() -> None:
        async with async_pool(installation.config.database_url) as pool:
            living = asyncio.create_task(asyncio.to_thread(live, installation, workspace, random.Random(seed), 150))
            await asyncio.gather(living, *(now_and_then(pool, living) for _ in range(3)))
            await Consuming(pool, consumer_of(view)).catch_up(workspace)

    asyncio.run(main())
    assert checkpoint(installation, workspace, view) == installation.head(workspace)
    assert compared(installation, workspace, view) > 5


def test_a_stream_that_is_known_or_new_is_not_read(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = installation.workspace()
    live(installation, workspace, random.Random(0), 30)
    reads: list[int] = []

    class Watched(Keeper):
        def unknown(self, batch: Batch) -> Statement | None:
            found = super().unknown(batch)
            reads.append(0 if found is None else len(found.params[1]))
            return found

    async def main() -> None:
        monkeypatch.setattr(keeping, "Keeper", Watched)
        consumer = replace(consumer_of(TAG_BEARERS), limit=lambda _: 5)
        async with async_pool(installation.config.database_url) as pool:
            await Consuming(pool, consumer).catch_up(workspace)
            assert len(reads) > 5
            assert set(reads) == {0}

    asyncio.run(main())


def test_rebuilt_under_load_it_equals_the_live_one(installation: Installation) -> None:
    workspaces = [installation.workspace() for _ in range(3)]
    stop = threading.Event()
    at_work = partial(keep, views=[TAG_BEARERS], reconcile=0.1)
    with (
        running(installation.config, partial(relay.run, poll=0.05), at_work),
        running(installation.config, at_work),
        ThreadPoolExecutor(3) as executor,
    ):
        living = [
            executor.submit(live, installation, workspace, random.Random(number), 10_000, stop)
            for number, workspace in enumerate(workspaces)
        ]
        try:
            for _ in range(4):
                heads = [installation.head(workspace) for workspace in workspaces]
                eventually(lambda: all(checkpoint(installation, w) > h for w, h in zip(workspaces, heads, strict=True)))  # noqa: B023 - called in this turn
                assert rebuild(installation.owner, TAG_BEARERS) > 0
                for workspace in workspaces:
                    compared(installation, workspace)
        finally:
            stop.set()
        for future in living:
            future.result()
        for workspace in workspaces:
            end = installation.head(workspace)
            eventually(lambda: checkpoint(installation, workspace) == end)  # noqa: B023 - called in this turn
    for workspace in workspaces:
        kept = rows(installation, workspace)
        assert compared(installation, workspace) == len(kept) > 0
    rebuild(installation.owner, TAG_BEARERS)
    assert [row for workspace in workspaces for row in rows(installation, workspace)]


def test_a_rebuild_does_not_go_through_logs_that_have_nothing_for_the_view(installation: Installation) -> None:
    concerned, other = installation.workspace(), installation.workspace()
    live(installation, concerned, random.Random(1), 10)
    installation.commit(other, times=3, events=5)
    told: list[tuple[int, int]] = []
    rebuild(installation.owner, TAG_BEARERS, lambda *said: told.append(said))
    heads = "SELECT sum(seq) FROM log_heads WHERE workspace_id IN (SELECT workspace_id FROM events WHERE stream_type = 'contact')"
    assert installation.owner.execute(heads).fetchone() == (sum(more for more, _ in told),)
    assert [total for _, total in told] == [sum(more for more, _ in told)] * len(told)
    assert checkpoint(installation, other) == installation.head(other) == 15
    live(installation, other, random.Random(2), 10)
    catch_up(installation, other)
    assert compared(installation, other) > 0


def test_a_rebuilt_view_is_defined_and_protected_as_before(installation: Installation) -> None:
    query = """
        SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %(t)s UNION ALL
        SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
            WHERE conrelid = to_regclass(%(t)s) AND contype <> 'n' UNION ALL
        SELECT grantee, privilege_type FROM information_schema.role_table_grants WHERE table_name = %(t)s UNION ALL
        SELECT policyname, qual FROM pg_policies WHERE tablename = %(t)s UNION ALL
        SELECT relname, concat_ws(' ', relrowsecurity, relforcerowsecurity) FROM pg_class WHERE relname = %(t)s
        ORDER BY 1, 2
    """
    before = installation.owner.execute(query, {"t": BEARERS.name}).fetchall()
    assert (BEARERS.name, "t t") in before
    assert "bearers_by_contact" in dict(before)
    rebuild(installation.owner, TAG_BEARERS)
    assert installation.owner.execute(query, {"t": BEARERS.name}).fetchall() == before


def test_a_build_that_was_interrupted_leaves_the_live_one_as_it_is_and_the_next_one_works(
    installation: Installation,
) -> None:
    workspace = installation.workspace()
    live(installation, workspace, random.Random(1), 20)
    catch_up(installation, workspace)
    before, at = rows(installation, workspace), checkpoint(installation, workspace)

    def interrupt(*_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuild(installation.owner, TAG_BEARERS, interrupt)
    assert (rows(installation, workspace), checkpoint(installation, workspace)) == (before, at)
    live(installation, workspace, random.Random(2), 20)
    catch_up(installation, workspace)
    assert checkpoint(installation, workspace) > at
    rebuild(installation.owner, TAG_BEARERS)
    assert compared(installation, workspace) == len(rows(installation, workspace))


def test_who_knows_another_version_of_a_view_keeps_off_it(installation: Installation) -> None:
    workspace = installation.workspace()
    live(installation, workspace, random.Random(1), 20)
    catch_up(installation, workspace)
    said: list[str] = []
    newer = replace(TAG_BEARERS, version=2)
    assert ensure_views(installation.owner, [newer], said.append) == ["tag_bearers"]
    assert said[0].startswith("built tag_bearers (version 2, ")
    try:
        live(installation, workspace, random.Random(2), 5)
        with pytest.raises(psycopg.OperationalError, match="is of version 2, not 1: run daybook migrate"):
            catch_up(installation, workspace)
        assert checkpoint(installation, workspace) < installation.head(workspace)
        with pytest.raises(MismatchError, match="version 1, as `daybook migrate` makes it"):
            compared(installation, workspace)
        catch_up(installation, workspace, view=newer)
        assert checkpoint(installation, workspace) == installation.head(workspace)
    finally:
        assert ensure_views(installation.owner, VIEWS) == ["tag_bearers"]


@pytest.mark.parametrize(
    ("tampering", "expected", "found", "column"),
    [
        ("DELETE FROM bearers WHERE workspace_id = %(w)s AND since = %(seq)s", "such a row", "none", None),
        ("UPDATE bearers SET name = 'Eve' WHERE workspace_id = %(w)s AND since = %(seq)s", "Ada", "Eve", "name"),
        ("UPDATE bearers SET name = NULL WHERE workspace_id = %(w)s AND since = %(seq)s", "Ada", "None", "name"),
        (
            """INSERT INTO bearers SELECT workspace_id, tag_id, workspace_id, name, since FROM bearers
               WHERE workspace_id = %(w)s AND since = %(seq)s""",
            "no such row",
            "one",
            None,
        ),
        (
            "UPDATE consumer_checkpoints SET seq = 1000 WHERE workspace_id = %(w)s AND consumer = 'tag_bearers'",
            "a seq from 0 to 2, where the log ends",
            "1000",
            "tag_bearers",
        ),
    ],
)
def test_a_row_that_was_tampered_with_is_found(
    installation: Installation, tampering: str, expected: str, found: str, column: str | None
) -> None:
    workspace = installation.workspace()
    origin = Origin(workspace, Actor(type="system"))
    tag = TagRef(id=new_id(), name="VIP")
    installation.store.run(origin, lambda unit: unit.begin(TAG, tag.id, CreateTag(name="VIP")))
    form = CreateContact(first_name="Ada", tags=(tag,))
    installation.store.run(origin, lambda unit: unit.begin(CONTACT, new_id(), form))
    catch_up(installation, workspace)
    assert verify(installation.owner, workspaces=[workspace], views=[TAG_BEARERS]).finding is None
    installation.owner.execute(tampering.encode(), {"w": workspace, "seq": 2})
    finding = verify(installation.owner, workspaces=[workspace], views=[TAG_BEARERS]).finding
    assert finding is not None
    assert (finding.workspace_id, finding.expected, finding.found) == (workspace, expected, found)
    assert (finding.table, finding.column) == (("consumer_checkpoints" if "1000" in found else "bearers"), column)


def test_a_view_is_compared_as_far_as_it_is(installation: Installation) -> None:
    workspace = installation.workspace()
    live(installation, workspace, random.Random(1), 20)
    catch_up(installation, workspace)
    kept = len(rows(installation, workspace))
    live(installation, workspace, random.Random(2), 20)
    assert compared(installation, workspace) == kept > 0


def test_what_touches_a_tag_is_what_happens_to_it_and_to_who_bears_it(installation: Installation) -> None:
    """References of the state before and after count, though no event of a contact names its subjects."""
    workspace = installation.workspace()
    origin = Origin(workspace, Actor(type="system"))
    tag = TagRef(id=new_id(), name="VIP")
    ada, grace = new_id(), new_id()

    def happen(unit: Work) -> None:
        unit.begin(CONTACT, ada, CreateContact(first_name="Ada"))  # 1
        unit.begin(TAG, tag.id, CreateTag(name="VIP"))  # 2: itself
        unit.execute(CONTACT, ada, UpdateContact(city="London"))  # 3
        unit.execute(CONTACT, ada, TagContact(tags=(tag,)))  # 4: after, not before
        unit.execute(CONTACT, ada, UpdateContact(city="Paris"))  # 5: before and after
        unit.begin(CONTACT, grace, CreateContact(first_name="Grace", tags=(tag,)))  # 6: from the beginning
        unit.execute(CONTACT, ada, UntagContact(tags=(tag,)))  # 7: before, not after
        unit.execute(CONTACT, ada, UpdateContact(city="Rome"))  # 8
        unit.execute(CONTACT, grace, DeleteContact())  # 9: before, and then there is none

    installation.store.run(origin, happen)
    catch_up(installation, workspace, view=TAG_TIMELINE)
    found = [row[1:] for row in rows(installation, workspace, TAG_ITEMS)]
    assert found == [(tag.id, seq) for seq in (2, 4, 5, 6, 7, 9)]
    assert set(TAG_TIMELINE.folds) == {"contact"}
    assert "user.registered" not in TAG_TIMELINE.apply
    assert "contact" in DECIDERS


def test_who_is_kept_together_with_a_view_of_another_version_goes_on(installation: Installation) -> None:
    workspace = installation.workspace()
    live(installation, workspace, random.Random(1), 20)
    other = replace(TAG_TIMELINE, version=2)

    async def main() -> None:
        async with async_pool(installation.config.database_url) as pool:
            at_work = Consuming(pool, consumer_of(TAG_BEARERS), consumer_of(other))
            with pytest.raises(psycopg.OperationalError, match="is of version 1, not 2: run daybook migrate"):
                await at_work.catch_up(workspace)

    asyncio.run(main())
    assert checkpoint(installation, workspace) == installation.head(workspace)
    assert checkpoint(installation, workspace, other) == 0
    assert compared(installation, workspace) > 0
