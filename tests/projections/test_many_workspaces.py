"""What is looked at over all workspaces must not grow with how many there are, or with what they once did."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from daybook.embedded import EmbeddedPostgres
from eventstore import checkpoint
from eventstore.database import Db
from eventstore.migrate import connect
from projections.table.rebuild import Rebuilding, rebuild
from projections.tag_row import TAGS
from tests.conftest import make_workspace
from tests.servers import another_database
from workers.consuming.look import SLICE, Look
from workers.relay import checkpoints
from workers.running.context import async_pool

MANY = 20_000

_MAKE = """
    WITH made AS (
        INSERT INTO log_heads (workspace_id, seq, signed_seq) SELECT gen_random_uuid(), 1, 1 FROM generate_series(1, %s)
        RETURNING workspace_id
    ), relayed AS (
        INSERT INTO consumer_checkpoints (workspace_id, consumer, seq, stream_seq)
        SELECT workspace_id, 'relay', 1, row_number() OVER () FROM made
    ), signed AS (
        INSERT INTO log_checkpoints (workspace_id, seq, hash, signed_at, public_key, signature)
        SELECT workspace_id, 1, '', now(), '', '' FROM made
    )
    INSERT INTO events SELECT workspace_id, 1, 'contact', gen_random_uuid(), 1, gen_random_uuid(), 'contact.created', '{}',
        'system', NULL, NULL, gen_random_uuid(), NULL, now(), now(), decode(repeat('00', 32), 'hex') FROM made
"""


@pytest.fixture(scope="module")
def crowd(postgres: EmbeddedPostgres) -> Iterator[Db]:
    """A database of very many workspaces, in each of which something happened once; its owner's connection."""
    with another_database(postgres, "crowd") as url, connect(url) as owner:
        owner.execute(_MAKE, (MANY,))
        owner.execute("VACUUM ANALYZE")
        yield owner


def read(conn: Db, query: str, params: Any) -> int:
    """How many blocks a statement reads."""
    ((found,),) = conn.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query}".encode(), params).fetchall()
    plan = found[0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def transactions(conn: Db) -> int:
    conn.execute("SELECT pg_stat_force_next_flush()")
    conn.execute("SELECT pg_stat_clear_snapshot()")
    row = conn.execute("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()").fetchone()
    assert row is not None
    return int(row[0])


def test_a_table_of_which_nothing_has_happened_is_made_without_asking_each_workspace(crowd: Db) -> None:
    before = transactions(crowd)
    assert rebuild(crowd, TAGS) == 0
    assert transactions(crowd) - before < 100


def test_a_rebuild_asks_only_workspaces_in_which_something_happened(crowd: Db) -> None:
    lately = make_workspace(crowd)
    crowd.execute(
        "INSERT INTO events SELECT %s, 1, 'tag', gen_random_uuid(), 1, gen_random_uuid(), 'tag.created',"
        """ '{"name": "VIP", "slug": "vip", "color": "#000000"}', 'system', NULL, NULL, gen_random_uuid(), NULL,"""
        " now(), now(), decode(repeat('00', 32), 'hex')",
        (lately,),
    )
    before = transactions(crowd)
    assert rebuild(crowd, TAGS) == 1
    assert transactions(crowd) - before < 100


def test_a_table_that_is_being_built_is_protected_from_the_first_moment(crowd: Db) -> None:
    building = Rebuilding(crowd, TAGS)
    building.fill()
    row = crowd.execute(
        "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = %s::regclass", (building.shadow,)
    ).fetchone()
    assert row == (True, True)
    crowd.execute(f"DROP TABLE {building.shadow}".encode())


def test_a_look_for_heads_to_sign_reads_no_checkpoints_and_stops_after_so_many(crowd: Db) -> None:
    """An index that has the workspaces in order, and the heads that it leads to."""
    crowd.execute("UPDATE log_heads SET seq = 2")
    crowd.execute("VACUUM ANALYZE log_heads")
    assert read(crowd, checkpoint._MOVED, ("00000000-0000-0000-0000-000000000000", 100)) < 200


def test_where_the_stream_ends_is_found_without_going_through_all_checkpoints(crowd: Db) -> None:
    assert read(crowd, checkpoints._END, ()) < 20
    assert read(crowd, checkpoints._BEYOND, (MANY - 3,)) < 20


def test_the_relay_looks_at_a_slice_at_a_time(postgres: EmbeddedPostgres, crowd: Db) -> None:
    crowd.execute("UPDATE log_heads SET seq = 2")

    async def first_slice() -> int:
        async with async_pool(postgres.url("daybook_worker", "crowd")) as pool:
            return len(await Look(pool, "relay").slice())

    assert asyncio.run(first_slice()) == SLICE
