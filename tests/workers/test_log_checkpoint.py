from __future__ import annotations

from functools import partial

import msgspec

from application.calling.signing import signing_key
from domain.tag import TAG, CreateTag
from eventstore.append import Origin
from eventstore.checkpoint import sign_head, signature_holds
from eventstore.ids import new_id
from eventstore.unit_of_work import EventStore
from schemas.log import Actor
from tests.workers.running import Installation, eventually, running
from workers import log_checkpoint

_SIGNED = "SELECT workspace_id, seq, encode(hash, 'hex'), encode(public_key, 'hex') FROM log_checkpoints ORDER BY seq"


def test_a_head_is_signed_when_its_log_has_grown_and_only_then(installation: Installation) -> None:
    workspace_id = installation.workspace()
    installation.workspace()  # nothing is in its log, and nothing to sign
    origin = Origin(workspace_id, Actor(type="system"))
    store: EventStore = installation.store

    def signed() -> list[tuple[object, ...]]:
        return installation.owner.execute(_SIGNED).fetchall()

    with running(installation.config, partial(log_checkpoint.run, every=0.05)):
        store.run(origin, lambda unit: unit.begin(TAG, new_id(), CreateTag(name="one")))
        eventually(lambda: len(signed()) == 1, 5)
        store.run(origin, lambda unit: unit.begin(TAG, new_id(), CreateTag(name="two")))
        eventually(lambda: len(signed()) == 2, 5)

    key = signing_key(installation.config.secret_key).public_key().public_bytes_raw().hex()
    heads = installation.owner.execute("SELECT seq, encode(hash, 'hex') FROM events ORDER BY seq").fetchall()
    assert [(row[1], row[2]) for row in signed()] == heads
    assert {(row[0], row[3]) for row in signed()} == {(workspace_id, key)}


def test_the_same_secret_key_signs_with_the_same_key_and_another_with_another() -> None:
    message = b"a head"
    first, again, other = signing_key(b"k" * 32), signing_key(b"k" * 32), signing_key(b"o" * 32)
    first.public_key().verify(again.sign(message), message)
    assert other.public_key().public_bytes_raw() != first.public_key().public_bytes_raw()


def test_a_checkpoint_whose_seq_was_changed_does_not_hold(installation: Installation) -> None:
    workspace_id = installation.workspace()
    found = sign_head(installation.store.pool, workspace_id, signing_key(b"k" * 32))
    assert signature_holds(found)
    assert not signature_holds(msgspec.structs.replace(found, seq=found.seq + 1))
