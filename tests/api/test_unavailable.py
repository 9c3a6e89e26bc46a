"""While Postgres is away requests are answered 503, and served again by themselves when it is back."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from daybook.embedded import EmbeddedPostgres
from eventstore.database import open_pool
from eventstore.migrate import connect
from projections.contact import CONTACTS
from tests.api.asserting import ok, refused
from tests.api.serving import services_on, serving
from tests.api.team import Team, created
from tests.logs import log_end
from tests.servers import FAST, prepare


@pytest.fixture
def own_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """One that may be stopped."""
    kept = {**FAST, "synchronous_commit": "on"}  # what is acknowledged stays even if it does not stop in time
    postgres = EmbeddedPostgres(Path(tmp_path_factory.mktemp("away")), options=kept)
    postgres.start()
    try:
        prepare(postgres.url())
        yield postgres
    finally:
        postgres.stop()


def test_requests_are_answered_503_and_served_again_when_it_is_back(own_postgres: EmbeddedPostgres) -> None:
    statuses: Counter[int] = Counter()
    over = threading.Event()

    with (
        open_pool(own_postgres.url(user="daybook_app"), size=8, timeout=0.5) as pool,
        serving(services := services_on(pool)) as url,
        httpx.Client(base_url=url, timeout=30) as http,
    ):
        team = Team(services, http)
        kept = team.owner.contact(firstName="Before")

        def work() -> None:
            """Commands in flight all the while."""
            while not over.is_set():
                statuses[team.owner.post("/contacts", {"firstName": "During"}).status_code] += 1

        workers = [threading.Thread(target=work) for _ in range(3)]
        for worker in workers:
            worker.start()
        try:
            time.sleep(0.3)
            own_postgres.stop()
            away(team, http)
            own_postgres.start()
            back(team, http)
        finally:
            over.set()
            for worker in workers:
                worker.join()

        assert statuses.keys() == {201, 503}
        assert team.owner.shown(f"/contacts/{kept['id']}") == kept
        entries = ok(team.owner.get("/log?limit=1000&types=contact.created"))["data"]
        total = ok(team.owner.get("/contacts?limit=1"))["meta"]["total"]
        written = ok(team.owner.get("/activities?limit=1&entityType=contact"))["meta"]["total"]
        assert total == written >= statuses[201] + 1
        assert len(entries) == min(written, 1000)


def away(team: Team, http: httpx.Client) -> None:
    """Every kind of request says so at once, and the process itself lives."""
    deadline = time.monotonic() + 20
    while (answer := team.owner.get("/contacts")).status_code != 503:
        assert time.monotonic() < deadline
    refused(answer, 503)
    assert answer.headers["retry-after"] == "1"
    for method, path, body in (
        ("GET", "/contacts", None),
        ("POST", "/contacts", {"firstName": "A"}),
        ("GET", "/log", None),
        ("GET", "/activities", None),
        ("POST", "/auth/login", {"email": team.email, "password": "x"}),
    ):
        started = time.monotonic()
        refused(team.owner.ask(method, path, json=body), 503)
        assert time.monotonic() - started < 5
    assert http.get("/readyz").status_code == 503
    assert http.get("/healthz").status_code == 200


def back(team: Team, http: httpx.Client) -> None:
    """Nothing but time is needed."""
    deadline = time.monotonic() + 60
    while http.get("/readyz").status_code != 200:
        assert time.monotonic() < deadline, "it does not recover"
        time.sleep(0.1)
    deadline = time.monotonic() + 10
    while team.owner.get("/contacts").status_code != 200:
        assert time.monotonic() < deadline, "it does not serve again"
    created(team.owner.post("/contacts", {"firstName": "After"}))


def test_a_process_of_another_version_than_the_database_refuses_and_writes_nothing(
    own_postgres: EmbeddedPostgres,
) -> None:
    """As those of the version before do in a rolling deploy, from the moment that `daybook migrate` swaps the table."""
    with (
        open_pool(own_postgres.url(user="daybook_app"), size=4, timeout=5) as pool,
        serving(services := services_on(pool)) as url,
        httpx.Client(base_url=url, timeout=30) as http,
        connect(own_postgres.url()) as owner,
    ):
        team = Team(services, http)
        kept = team.owner.contact(firstName="Before")
        end = log_end(pool, team.workspace_id)
        owner.execute(f"ALTER TABLE {CONTACTS.table} RENAME TO contacts_v999")
        said = "The database is of another version"
        assert refused(team.owner.post("/contacts", {"firstName": "A"}), 503, says=said)["code"] == "unavailable"
        refused(team.owner.get(f"/contacts/{kept['id']}"), 503, says=said)
        refused(team.owner.get("/contacts"), 503, says=said)
        assert team.owner.listed("/tags") == []
        answer = http.get("/readyz")
        assert (answer.status_code, "another version" in answer.text) == (503, True)
        assert log_end(pool, team.workspace_id) == end

        owner.execute(f"ALTER TABLE contacts_v999 RENAME TO {CONTACTS.table}")
        assert team.owner.shown(f"/contacts/{kept['id']}") == kept
        assert http.get("/readyz").status_code == 200
