"""What is exported of a workspace adds up, by itself, to what its live log does, at any moment in it."""

from __future__ import annotations

import io
from functools import partial
from uuid import UUID

from eventstore.bundle.replaying import replayed
from eventstore.database import Pool, reading
from eventstore.state import States, stored_events
from tests.verify.bundles import exported


def check_bundle(pool: Pool, workspace: UUID, end: int) -> None:
    """``end``: the log's last seq."""
    if end == 0:
        return
    bundle = exported(pool, workspace)
    for seq in {end // 3, end // 2, end}:
        live = States(stored_events(partial(reading, pool, workspace), seq))
        live.fold()
        with replayed(io.BytesIO(bundle), str(seq)) as found:
            assert found.states is not None, found.verified
            found.states.fold()
        assert (found.states.hash, found.states.counts) == (live.hash, live.counts)
