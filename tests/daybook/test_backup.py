"""Backups as docs/operating.md says: the keys of persons apart from all else, by a role that row-level security does not bind."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from daybook.embedded import EmbeddedPostgres
from daybook.embedded.postgres import programs
from domain.contact import CONTACT, Contact, CreateContact
from eventstore.append import Origin
from eventstore.database import Db, open_pool, reading
from eventstore.ids import new_id
from eventstore.mapper import EventMapper
from eventstore.reader import fold_stream
from eventstore.unit_of_work import EventStore
from tests.servers import another_database

OPERATING = (Path(__file__).parent.parent.parent / "docs" / "operating.md").read_text()
SECTION = OPERATING.split("## Backups\n")[1].split("\n## ")[0]
(ROLE,) = re.findall(r"^```sql\n(.*?)\n```", SECTION, re.DOTALL | re.MULTILINE)
DUMP, RESTORE = (
    block.replace("$ ", "").splitlines()
    for block in re.findall(r"^```console\n(.*?)^```", SECTION, re.DOTALL | re.MULTILINE)
)


def typed(command: str, folder: Path, url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={"PATH": f"{programs()}{os.pathsep}{os.environ['PATH']}", "DATABASE_URL": url},
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
