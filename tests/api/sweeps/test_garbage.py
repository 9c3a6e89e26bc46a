"""What a request made is gone with its answer: the collector takes longer over a page of a list than the answer did."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from tests.api.sweeps.makers import Things
from tests.api.sweeps.operations import Operation, every


@contextmanager
def circles() -> Iterator[list[object]]:
    """In the end, what was made inside and is left over because it leads back to itself."""
    found: list[object] = []
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        yield found
        gc.collect()
        found += gc.garbage
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


@every(lambda op: op.method == "GET")
def test_nothing_that_was_shown_waits_for_the_collector(ours: Things, op: Operation) -> None:
    path, params = ours.path(op), ours.params(op)
    with circles() as left:
        assert ours.team.owner.ask("GET", path, params=params).status_code == 200
    assert [type(each) for each in left if isinstance(each, msgspec.Struct)] == []
