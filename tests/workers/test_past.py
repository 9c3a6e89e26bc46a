"""The past of rows, kept behind commands that come in quick succession."""

from __future__ import annotations

import time
from functools import partial
from uuid import UUID

from eventstore.database import one
from eventstore.verify import snapshot
from projections.catalogue import PAST
from projections.view.compare import check_views, compare_view
from tests.workers.running import Installation, eventually, running
from workers.consuming.view import keep
from workers.relay import relay

BURST = 30
BETWEEN_SECONDS = 0.05


def test_of_a_burst_many_commits_are_kept_in_one_transaction(installation: Installation) -> None:
    workspace = installation.workspace()
    with running(installation.config, relay.run, partial(keep, views=[PAST])):
        for _ in range(BURST):
            installation.commit(workspace)
            time.sleep(BETWEEN_SECONDS)
        eventually(lambda: _kept(installation, workspace)[0] == BURST)
    assert _kept(installation, workspace)[1] <= BURST // 4
    check_views(installation.owner, [PAST])
    with snapshot(installation.owner):
        assert compare_view(installation.owner, workspace, PAST)


def _kept(installation: Installation, workspace: UUID) -> tuple[int, int]:
    """How many versions of tags, and in how many transactions they were written."""
    query = "SELECT count(*), count(DISTINCT xmin::text) FROM past_tags WHERE workspace_id = %s"
    row = one(installation.owner, query, (workspace,))
    assert row is not None
    return row[0], row[1]
