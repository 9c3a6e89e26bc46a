"""On a standby, where nothing can be made, all is verified that can be, and it is said what is not."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from daybook.auditing import verify_installation
from eventstore.append import Origin
from eventstore.database import open_pool
from eventstore.migrate import connect
from eventstore.unit_of_work import EventStore
from projections.catalogue import ROWS
from schemas.log import Actor
from tests.conftest import make_workspace
from tests.standby import streaming_pair
from tests.verify.tampering import EVENTS, write_past


def test_a_standby_is_verified_but_for_what_would_have_to_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eventstore.protection._EXPECTED", {})  # as in a process that has not verified anything yet
    with (
        TemporaryDirectory(prefix="daybook-test-") as folder,
        streaming_pair(Path(folder)) as pair,
        connect(pair.primary.url()) as primary,
        open_pool(pair.primary.url("daybook_app"), size=1) as pool,
    ):
        workspace = make_workspace(primary)
        write_past(EventStore(pool, ROWS), Origin(workspace, Actor(type="system")))
        pair.wait_until_equal()
        said = list[str]()
        assert verify_installation(pair.standby.url(), [], None, None, lambda *_: None, said.append) == 0
        assert f"events       {EVENTS}, without a gap, each chained to the one before" in said
        assert said[-3:-1] == [
            "views        were not compared: nothing can be made on this server",
            "tenants      what keeps them apart was not looked at: nothing can be made on this server",
        ]
        primary.execute("UPDATE events SET type = 'tag.deleted' WHERE workspace_id = %s AND seq = 3", (workspace,))
        pair.wait_until_equal()
        assert verify_installation(pair.standby.url(), [], None, None, lambda *_: None, said.append) == 1
        assert "seq 3" in said[-2]
