"""What is known of who read what when an API process ends, in order or not."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import pytest

from api.http.access import EVERY_SECONDS
from daybook.embedded import EmbeddedNats, EmbeddedPostgres
from eventstore.database import Db, Pool
from tests.api.serving import services_on
from tests.api.team import Team
from tests.daybook.api import ApiProcess, api_process

READING_SECONDS = 2.0


def read(team: Team, contact_id: str) -> list[float]:
    """When each of the reads was answered, one after the other for a while."""
    answered: list[float] = []
    began = time.monotonic()
    while time.monotonic() - began < READING_SECONDS:
        assert team.owner.get(f"/contacts/{contact_id}").status_code == 200
        answered.append(time.monotonic())
    return answered


@pytest.mark.parametrize("killed", [True, False])
def test_a_process_that_is_killed_loses_what_it_noted_last_and_another_nothing(
    postgres: EmbeddedPostgres,
    nats: EmbeddedNats,
    pool: Pool,
    owner: Db,
    tmp_path: Path,
    killed: bool,
) -> None:
    with api_process(postgres, nats, tmp_path) as api, httpx.Client(base_url=api.url, timeout=60) as http:
        team = Team(services_on(pool), http)
        answered = read(team, team.owner.contact()["id"])
        end = time.monotonic()
        _stop(api, killed=killed)
    row = owner.execute("SELECT count(*) FROM access_log WHERE workspace_id = %s", (team.workspace_id,)).fetchone()
    assert row is not None
    lost = len(answered) - row[0]
    if killed:
        assert lost <= sum(at > end - 4 * EVERY_SECONDS for at in answered), "of the last moment, on a busy machine"
    else:
        assert lost == 0


def _stop(api: ApiProcess, *, killed: bool) -> None:
    if killed:
        api.process.kill()
        api.process.wait(10)
    else:
        api.end()
