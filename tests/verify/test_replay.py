"""A bundle alone adds up to what the live log adds up to, as of any moment in it."""

from __future__ import annotations

import io
import json
from hashlib import sha256
from uuid import UUID

import pytest

from domain.kernel import Refused
from eventstore.bundle.replaying import replayed
from eventstore.chain import GENESIS
from eventstore.database import Pool, reading
from eventstore.state import States, stored_events
from tests.verify.bundles import entries_of, exported, remade, unpacked
from tests.verify.tampering import EVENTS, Past


@pytest.fixture
def bundle(pool: Pool, workspace: UUID, past: Past) -> bytes:
    return exported(pool, workspace)


def offline(bundle: bytes, until: str | None = None) -> States:
    with replayed(io.BytesIO(bundle), until) as found:
        assert found.states is not None
        found.states.fold()
        return found.states


def live(pool: Pool, workspace: UUID, upto: int) -> States:
    states = States(stored_events(lambda: reading(pool, workspace), upto))
    states.fold()
    return states


def test_a_bundle_adds_up_to_what_the_log_does_at_every_moment(bundle: bytes, pool: Pool, workspace: UUID) -> None:
    hashes = set()
    for seq in range(EVENTS + 1):
        here, there = offline(bundle, str(seq)), live(pool, workspace, seq)
        assert (here.hash, here.counts) == (there.hash, there.counts)
        hashes.add(here.hash)
    assert len(hashes) == EVENTS + 1
    assert offline(bundle, "0").hash == GENESIS
    assert dict(offline(bundle).counts) == {"tag": 1, "contact": 1, "api_key": 1, "webhook": 1}


def test_the_hash_is_what_an_auditors_own_program_makes_of_the_lines(bundle: bytes) -> None:
    with replayed(io.BytesIO(bundle)) as found:
        assert found.states is not None
        lines = list(found.states.lines())
    made = bytes(32)
    for line in lines:
        made = sha256(made + sha256(line).digest()).digest()
    assert made == found.states.hash
    states = [json.loads(line) for line in lines]
    assert [state["id"] for state in states] == sorted(state["id"] for state in states)
    assert all(set(state) == {"id", "state", "type", "version"} for state in states)
    (ada,) = (state for state in states if state["type"] == "contact")
    assert (ada["version"], ada["state"]["globallyUnsubscribed"]) == (4, True)
    assert not ada["state"].keys() & {"firstName", "company", "customFields"}, "what is sealed is not opened"


def test_a_time_means_what_was_recorded_by_then(bundle: bytes) -> None:
    entries = entries_of(unpacked(bundle))
    assert offline(bundle, entries[2].recorded_at).hash == offline(bundle, "3").hash
    assert offline(bundle, entries[5].recorded_at.replace("Z", "+00:00")).hash == offline(bundle, "6").hash
    assert offline(bundle, "2020-01-01T00:00:00Z").hash == GENESIS
    assert offline(bundle, "2035-12-31T00:00:00Z").hash == offline(bundle).hash


@pytest.mark.parametrize("until", ["10", "2036-01-02T00:00:00Z", "yesterday", "-1", ""])
def test_a_moment_that_the_bundle_has_not_come_to_is_refused(bundle: bytes, until: str) -> None:
    with pytest.raises(Refused, match="until"):
        offline(bundle, until)


def test_of_a_log_that_went_on_the_end_is_the_last_entry(bundle: bytes, pool: Pool, workspace: UUID) -> None:
    beginning = exported(pool, workspace, until="6")
    assert offline(beginning).hash == offline(bundle, "6").hash
    with pytest.raises(Refused, match="ahead of the bundle"):
        offline(beginning, "2035-12-31T00:00:00Z")


def test_nothing_is_built_of_a_bundle_that_does_not_begin_with_the_log(
    bundle: bytes, pool: Pool, workspace: UUID
) -> None:
    with replayed(io.BytesIO(exported(pool, workspace, since="3"))) as found:
        assert found.states is None
        assert found.verified.incomplete == "events 1 to 2 are not in it, so that no state can be built"


def test_nothing_is_built_of_a_bundle_that_is_not_intact(bundle: bytes) -> None:
    broken = remade(bundle, lambda entries: [*entries[:3], *entries[4:]])
    for other, verdict in ((broken, "tampered"), (bundle[:-600], "incomplete")):
        with replayed(io.BytesIO(other)) as found:
            assert (found.verified.verdict, found.states) == (verdict, None)
