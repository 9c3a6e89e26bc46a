"""Exports as clients read them: whole, slowly, or not to the end; and what they keep from others."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from api.http import exporting, spool
from application.calling.services import Services
from eventstore.database import Db
from eventstore.reader import head
from projections.contact import CONTACTS
from projections.table import listing, swapping
from projections.table.rebuild import rebuild
from projections.table.rows import RowTable
from projections.table.swapping import NotSwappedError
from projections.tag_row import TAGS
from tests.api.asserting import ok, refused
from tests.api.serving import serving
from tests.api.team import Team
from tests.api.test_contact_export import EVIL, exported, imported, rows

MUCH = "x" * 19_000
"""Of which a few hundred are more than the sockets on the way hold."""


@pytest.fixture
def much(team: Team) -> Team:
    """A workspace of 600 contacts and 12 MB."""
    for start in range(0, 600, 50):
        people = [{"email": f"a{number}@engine.org", "notes": MUCH} for number in range(start, start + 50)]
        answer = team.owner.post("/contacts/import", {"contacts": people})
        assert ok(answer)["data"]["created"] == 50, answer.text[:1000]
    return team


@contextmanager
def asked(server: str, team: Team) -> Iterator[socket.socket]:
    """A client that has asked for an export, and has read nothing of it yet."""
    address = urlsplit(server)
    with closing(socket.create_connection((address.hostname, address.port), timeout=30)) as connected:
        head = f"GET /api/v1/contacts/export HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {team.owner.token}\r\n\r\n"
        connected.sendall(head.encode())
        yield connected


def transactions(owner: Db) -> int:
    """How many of the service have something in hand that they read."""
    row = owner.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE usename = 'daybook_app' AND backend_xmin IS NOT NULL"
    ).fetchone()
    assert row is not None
    return int(row[0])


def becomes(wanted: int, owner: Db) -> bool:
    deadline = time.monotonic() + 20
    while (found := transactions(owner)) != wanted and time.monotonic() < deadline:
        time.sleep(0.02)
    return found == wanted


@pytest.fixture
def left() -> Callable[[], int]:
    """How many files of exports this process has more than before, once those have had time to go that nobody needs."""
    before = _open()

    def more() -> int:
        deadline = time.monotonic() + 20
        while (found := _open() - before) and time.monotonic() < deadline:
            time.sleep(0.05)
        return found

    return more


def _open() -> int:
    found = 0
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # it was closed meanwhile
            found += str(entry.readlink()).endswith("(deleted)")
    return found


@pytest.mark.parametrize("table", [CONTACTS, TAGS])
def test_a_table_that_is_rebuilt_while_it_is_read_is_not_seen_empty(
    alone: tuple[Team, Db], monkeypatch: pytest.MonkeyPatch, table: RowTable[Any]
) -> None:
    """What was put in its place after the export began would have no row that is as old as what it reads."""
    team, owner = alone
    monkeypatch.setattr(swapping, "PATIENCE_SECONDS", 0.0)
    team.owner.contact(email="ada@engine.org", tags=["VIP"])
    swapped = []

    def begun(conn: Db) -> tuple[int, bytes]:
        found = head(conn)
        with suppress(NotSwappedError):
            swapped.append(rebuild(owner, table))
        return found

    monkeypatch.setattr(exporting, "head", begun)
    assert [(row["email"], row["tags"]) for row in rows(exported(team.owner))] == [("ada@engine.org", "VIP")]
    assert swapped == [], "it is kept out until the export has ended"
    assert rebuild(owner, table) > 0


class TestASlowClient:
    def test_holds_neither_transaction_nor_thread(self, server: str, much: Team, owner: Db) -> None:
        with asked(server, much) as connected:
            assert connected.recv(12) == b"HTTP/1.1 200"
            assert becomes(0, owner)
            for _ in range(3):
                assert much.owner.get("/contacts/export", params={"columns": "email"}).status_code == 200

    def test_is_sent_what_was_when_it_asked(self, server: str, much: Team) -> None:
        with asked(server, much) as connected:
            begun = connected.recv(1000)
            much.owner.contact(email="later@example.com")
            assert b"later@example.com" not in begun + b"".join(_all(connected))

    def test_is_cut_off_in_the_end(self, services: Services, much: Team, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(exporting, "LONGEST_SECONDS", 0.5)
        with serving(services) as server, asked(server, much) as connected:
            time.sleep(1.5)
            assert not b"".join(_all(connected)).endswith(b"0\r\n\r\n")

    def test_has_company_up_to_a_limit(self, services: Services, much: Team) -> None:
        with serving(services) as server:
            with ExitStack() as stack:
                for connected in [stack.enter_context(asked(server, much)) for _ in range(exporting.OPEN_OF_ONE)]:
                    connected.recv(12)
                refused(_elsewhere(server, much), 429)
            deadline = time.monotonic() + 20
            while (answer := _elsewhere(server, much)).status_code == 429 and time.monotonic() < deadline:
                time.sleep(0.05)
            assert answer.status_code == 200


def _elsewhere(server: str, team: Team) -> httpx.Response:
    token = {"authorization": f"Bearer {team.owner.token}"}
    return httpx.get(f"{server}/api/v1/contacts/export", params={"columns": "email"}, headers=token, timeout=60)


def _all(connected: socket.socket) -> Iterator[bytes]:
    connected.settimeout(2)
    try:
        while block := connected.recv(1 << 20):
            yield block
            if block.endswith(b"\r\n0\r\n\r\n"):
                return
    except (TimeoutError, ConnectionError):
        return


def test_a_client_that_goes_away_stops_the_work(
    server: str, much: Team, owner: Db, left: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "BATCH", 1)
    read = []
    write = spool.Spool.write

    def slowly(self: spool.Spool, piece: bytes) -> None:
        read.append(len(piece))
        time.sleep(0.05)
        write(self, piece)

    monkeypatch.setattr(spool.Spool, "write", slowly)
    with asked(server, much) as connected:
        connected.recv(12)
        assert becomes(1, owner)
    assert becomes(0, owner)
    assert len(read) < 200
    assert left() == 0


def test_an_export_that_fails_on_the_way_is_known_not_to_be_all(
    server: str, much: Team, left: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "MAX_BYTES", 1_000_000)
    with pytest.raises(httpx.RemoteProtocolError, match="incomplete"):
        much.owner.get("/contacts/export")
    assert left() == 0


class TestOtherThings:
    def test_companies_are_imported_as_they_were_exported(self, team: Team, others: Team) -> None:
        for number, text in enumerate(EVIL):
            address = {"street": text, "city": "a, b", "country": "US"}
            team.owner.company(f"{text} {number}", industry=text, address=address, customFields={"plan": text})
        team.owner.company("Acme", domain="acme.example.com", size="11-50")
        file = exported(team.owner, "/companies/export")
        assert imported(team.owner, file, "/companies/import")["skipped"] == len(EVIL) + 1
        assert imported(others.owner, file, "/companies/import")["created"] == len(EVIL) + 1
        ours, theirs = (who.owner.listed("/companies", limit=100, sort="name") for who in (team, others))
        own = ("id", "createdAt", "updatedAt", "version")
        assert [{**one, **dict.fromkeys(own)} for one in theirs] == [{**one, **dict.fromkeys(own)} for one in ours]

    def test_deals_are_imported_as_they_were_exported(self, team: Team) -> None:
        contact = team.owner.contact()
        for text in EVIL:
            team.owner.deal(text, value=1234.5, contactId=contact["id"], customFields={"plan": text})
        team.owner.deal("Likely", probability=0.55, expectedCloseDate="2026-05-15", value=0)
        before = team.owner.get("/log").json()["meta"]["head"]
        done = imported(team.owner, exported(team.owner, "/deals/export"), "/deals/import")
        written = team.owner.get("/log", params={"after": before}).json()["data"]
        assert [entry["data"] for entry in written if entry["stream"]["type"] != "deal_import"] == []
        assert done["skipped"] == len(EVIL) + 1

    def test_deals_are_exported_as_they_are_listed(self, team: Team) -> None:
        made = team.owner.deal(status="won")
        team.owner.deal()
        (line,) = exported(team.owner, "/deals/export", format="ndjson", status="won").splitlines()
        assert json.loads(line) == team.owner.listed("/deals", status="won")[0]
        (row,) = rows(
            exported(team.owner, "/deals/export", columns="id,value,probability", search="Northwind", status="won")
        )
        assert (row["id"], row["value"], row["probability"]) == (made["id"], "1", "")
