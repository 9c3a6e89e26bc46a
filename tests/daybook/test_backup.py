"""Backups as docs/operating.md says: the keys of persons apart from all else, by a role that row-level security does not bind."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

import httpx
import pytest

from daybook.embedded import EmbeddedPostgres
from daybook.embedded.postgres import programs
from domain.contact import CONTACT, Contact, CreateContact
from eventstore.append import Origin
from eventstore.database import Db, open_pool, reading
from eventstore.ids import new_id
from eventstore.mapper import EventMapper
from eventstore.migrate import connect
from eventstore.reader import fold_stream
from eventstore.unit_of_work import EventStore
from projections.contact import CONTACTS
from projections.verify import verify
from tests.api.asserting import ok
from tests.api.serving import services_on, serving
from tests.api.team import Team
from tests.servers import another_database
from tests.workers.test_erasure import CONTACT as PERSON
from tests.workers.test_erasure import EMAIL, PLANTED, everything, tables_with

OPERATING = (Path(__file__).parent.parent.parent / "docs" / "operating.md").read_text()
SECTION = OPERATING.split("## Backups\n")[1].split("\n## ")[0]
(ROLE,) = re.findall(r"^```sql\n(.*?)\n```", SECTION, re.DOTALL | re.MULTILINE)
DUMP, RESTORE, DUMP_LOG, RESTORE_LOG = (
    block.replace("$ ", "").splitlines()
    for block in re.findall(r"^```console\n(.*?)^```", SECTION, re.DOTALL | re.MULTILINE)
)
DAYBOOK = Path(sys.executable).parent
_TABLES: Final = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"


def typed(command: str, folder: Path, url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={"PATH": os.pathsep.join(map(str, (programs(), DAYBOOK, os.environ["PATH"]))), "DATABASE_URL": url},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def done(commands: list[str], folder: Path, url: str) -> None:
    for command in commands:
        ended = typed(command, folder, url)
        assert ended.returncode == 0, ended.stderr


@pytest.fixture
def backups(owner: Db) -> Iterator[str]:
    """A role to dump with, made as it says there."""
    owner.execute(ROLE.encode())
    yield "backups"
    owner.execute("DROP ROLE backups")


@pytest.fixture
def contact(store: EventStore, origin: Origin) -> UUID:
    ada = CreateContact(first_name="Ada", email="ada@example.com")
    return store.run(origin, lambda unit: unit.begin(CONTACT, new_id(), ada)).value.id


def read(url: str, workspace: UUID, contact: UUID) -> Contact:
    with open_pool(url, size=1) as pool, reading(pool, workspace) as conn:
        current = fold_stream(conn, CONTACT, contact, EventMapper())
    assert current is not None
    return current.state


def test_what_is_dumped_is_restored_and_without_the_keys_it_reads_as_erased(
    postgres: EmbeddedPostgres, backups: str, origin: Origin, contact: UUID, tmp_path: Path
) -> None:
    done(DUMP, tmp_path, postgres.url(user=backups))
    with another_database(postgres, "restored", prepared=False) as url:
        service = postgres.url(user="daybook_app", database="restored")
        done(RESTORE[:1], tmp_path, url)
        assert read(service, origin.workspace_id, contact).first_name is None
        done(RESTORE[1:], tmp_path, url)
        assert read(service, origin.workspace_id, contact).first_name == "Ada"


def test_whom_row_level_security_binds_gets_no_half_a_dump(
    postgres: EmbeddedPostgres, contact: UUID, tmp_path: Path
) -> None:
    ended = typed(DUMP[0], tmp_path, postgres.url(user="daybook_app"))
    assert ended.returncode != 0


@dataclass(frozen=True)
class Kept:
    """An installation whose log alone was dumped: the workspace of a contact that everything happened to, and its id."""

    workspace: UUID
    contact: UUID


@pytest.fixture
def kept(postgres: EmbeddedPostgres, backups: str, tmp_path: Path) -> Kept:
    """The original is gone by the time that the dump is restored."""
    with another_database(postgres, "backed_up") as url:
        with (
            open_pool(postgres.url(user="daybook_app", database="backed_up"), size=8) as pool,
            serving(services := services_on(pool)) as address,
            httpx.Client(base_url=address, timeout=30) as http,
        ):
            team = Team(services, http)
            ada = team.owner.contact(**PERSON)
            everything(team, ada)
            ok(team.owner.get("/contacts/duplicates"))
        with connect(url) as owner:
            assert {"public.jobs", f"public.{CONTACTS.table}"} <= {*tables_with(owner, PLANTED)}
            assert rows_of(owner, "contact_keys")
        done([*DUMP[1:], *DUMP_LOG], tmp_path, postgres.url(user=backups, database="backed_up"))
    return Kept(team.workspace_id, UUID(ada["id"]))


def rows_of(owner: Db, table: str) -> int:
    row = owner.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
    assert row is not None
    return int(row[0])


@contextmanager
def shown(postgres: EmbeddedPostgres, kept: Kept) -> Iterator[Contact]:
    """The contact's row, as the service reads it in what was restored."""
    service = postgres.url(user="daybook_app", database="restored")
    with open_pool(service, size=1) as pool, reading(pool, kept.workspace) as conn:
        yield CONTACTS.load(conn, [kept.contact])[kept.contact].state


def test_a_dump_of_the_log_has_nothing_personal_in_it_and_all_is_folded_from_it(
    postgres: EmbeddedPostgres, kept: Kept, tmp_path: Path
) -> None:
    log, keys, fold = RESTORE_LOG
    with another_database(postgres, "restored", prepared=False) as url, connect(url) as owner:
        done([log], tmp_path, url)
        assert tables_with(owner, PLANTED) == []
        assert tables_with(owner, "4155552671") == []
        done([fold], tmp_path, url)
        assert tables_with(owner, PLANTED) == []
        with shown(postgres, kept) as nobody:
            assert (nobody.first_name, nobody.email, nobody.custom_fields) == (None, None, {})
        assert verify(url).finding is None
        done([keys, fold], tmp_path, url)
        with shown(postgres, kept) as ada:
            assert (ada.first_name, ada.email) == (PLANTED, EMAIL)
        assert verify(url).finding is None


def test_what_nobody_has_named_is_left_out(postgres: EmbeddedPostgres, kept: Kept, tmp_path: Path) -> None:
    with another_database(postgres, "restored", prepared=False) as url, connect(url) as owner:
        done(RESTORE_LOG[:1], tmp_path, url)
        there = [name for (name,) in owner.execute(_TABLES) if rows_of(owner, name)]
    named = DUMP_LOG[0].split("^(")[1].split(")$")[0]
    assert [name for name in there if not re.fullmatch(named, name)] == []
    assert {"log_heads", "consumer_checkpoints", "accounts", "schema_migrations", "projection_versions"} <= {*there}
