"""API processes tell each other over NATS: what one writes wakes who waits at another."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from api.log import FALLBACK_SECONDS
from daybook.embedded import EmbeddedNats, EmbeddedPostgres
from eventstore.database import Pool
from tests.api.asserting import ok
from tests.api.serving import services_on
from tests.api.team import Team
from tests.daybook.api import api_process

BEGUN = 1.7
"""Seconds after which a wait looks for the last time before the fallback, and a little more."""


def test_a_wait_at_one_process_ends_with_what_another_writes(
    postgres: EmbeddedPostgres, nats: EmbeddedNats, pool: Pool, tmp_path: Path
) -> None:
    with (
        api_process(postgres, nats, tmp_path) as one,
        api_process(postgres, nats, tmp_path) as other,
        httpx.Client(base_url=one.url, timeout=30) as http,
        httpx.Client(base_url=other.url, timeout=30) as elsewhere,
        ThreadPoolExecutor(1) as thread,
    ):
        team = Team(services_on(pool), http)
        key = {"Authorization": f"Bearer {team.owner.token}"}
        head = ok(team.owner.get("/log"))["meta"]["head"]
        ok(elsewhere.get("/api/v1/log", headers=key))

        waiting = thread.submit(team.owner.get, f"/log?after={head}&wait=20")
        time.sleep(BEGUN)
        written = time.monotonic()
        assert elsewhere.post("/api/v1/tags", headers=key, json={"name": "New"}).status_code == 201
        found = ok(waiting.result())
        taken = time.monotonic() - written

    assert [entry["type"] for entry in found["data"]] == ["tag.created"]
    assert taken < FALLBACK_SECONDS - BEGUN - 1, "it would have looked by itself only later"
