"""A database of its own for tests that rebuild its tables, and a life that goes on in it meanwhile."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from daybook.embedded import EmbeddedPostgres
from domain.contact import CONTACT, CreateContact, DeleteContact, TagContact, UntagContact, UpdateContact
from domain.kernel import Refused
from domain.tag import TAG, CreateTag, DeleteTag, TagRef
from eventstore.append import Origin
from eventstore.database import Db, Pool, open_pool
from eventstore.ids import new_id
from eventstore.migrate import connect
from eventstore.unit_of_work import EventStore
from eventstore.work import Work
from projections.catalogue import ROWS
from projections.table.swapping import SCHEMA
from schemas.log import Actor
from tests.conftest import make_workspace
from tests.servers import another_database

DEFINITION = """
    SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %(table)s UNION ALL
    SELECT column_name, concat_ws(' ', data_type, collation_name, is_nullable, ordinal_position)
        FROM information_schema.columns WHERE table_name = %(table)s UNION ALL
    SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE conrelid = to_regclass(%(table)s) AND contype <> 'n' UNION ALL
    SELECT grantee, privilege_type FROM information_schema.role_table_grants WHERE table_name = %(table)s UNION ALL
    SELECT policyname, qual FROM pg_policies WHERE tablename = %(table)s UNION ALL
    SELECT relname, concat_ws(' ', relrowsecurity, relforcerowsecurity, relowner) FROM pg_class WHERE relname = %(table)s
    ORDER BY 1, 2
"""


def left_over(conn: Db) -> list[str]:
    """What is where tables are rebuilt."""
    rows = conn.execute("SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace ORDER BY 1", (SCHEMA,))
    return [row[0] for row in rows]


@dataclass
class House:
    """A database of its own, with two workspaces in which all kinds of things have happened."""

    owner: Db
    pool: Pool
    store: EventStore
    workspaces: list[UUID]

    def origin(self, workspace: UUID) -> Origin:
        return Origin(workspace, Actor(type="system"))

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        return self.owner.execute(f"SELECT * FROM {table} ORDER BY workspace_id, id").fetchall()

    def counts(self) -> dict[tuple[UUID, str], int]:
        found = self.owner.execute("SELECT workspace_id, kind, n FROM row_counts WHERE n <> 0").fetchall()
        return {(workspace, kind): n for workspace, kind, n in found}

    def definition(self, table: str) -> list[tuple[str, str]]:
        return self.owner.execute(DEFINITION, {"table": table}).fetchall()


@contextmanager
def a_house(postgres: EmbeddedPostgres) -> Iterator[House]:
    """Gone in the end."""
    with another_database(postgres, "rebuilding") as url, connect(url) as owner, service_pool(postgres) as pool:
        house = House(owner, pool, EventStore(pool, ROWS), [make_workspace(owner) for _ in range(2)])
        for number, workspace in enumerate(house.workspaces):
            live(house, workspace, random.Random(number), 40)
        yield house


def service_pool(postgres: EmbeddedPostgres) -> Pool:
    return open_pool(postgres.url(user="daybook_app", database="rebuilding"), size=12, timeout=30)


def live(house: House, workspace: UUID, chance: random.Random, units: int, stop: threading.Event | None = None) -> None:
    """Random commands, as many or until told to stop."""
    contacts: list[UUID] = []
    tags: list[UUID] = []

    def work(unit: Work) -> None:
        for _ in range(chance.randint(1, 3)):
            contact_id, tag_id = chance.choice([*contacts, None]), chance.choice([*tags, None])
            if contact_id is None:
                address = f"{chance.randint(0, 10**9)}@engine.org"
                contacts.append(unit.begin(CONTACT, new_id(), CreateContact(first_name="Ada", email=address)).id)
            elif tag_id is None:
                tags.append(unit.begin(TAG, new_id(), CreateTag(name=f"tag {chance.randint(0, 10**9)}")).id)
            else:
                unit.execute(
                    CONTACT,
                    contact_id,
                    chance.choice(
                        [
                            UpdateContact(city=f"city {chance.random()}"),
                            TagContact(tags=(TagRef(id=tag_id, name="tag"),)),
                            UntagContact(tags=(TagRef(id=tag_id, name="tag"),)),
                            DeleteContact(),
                        ]
                    ),
                )
                if chance.random() < 0.05:
                    unit.execute(TAG, tag_id, DeleteTag())

    for _ in range(units):
        try:
            house.store.run(house.origin(workspace), work, bulk=chance.random() < 0.2)
        except Refused as refusal:
            assert refusal.code in {"not_found", "conflict", "validation_failed"}, refusal  # noqa: PT017 - others are a failure of the test
        if stop is not None and stop.is_set():
            return
