"""Signed heads: what whoever kept one can prove."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256
from typing import LiteralString

import msgspec
import psycopg
import pytest
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from domain.tag import TAG, CreateTag
from eventstore.append import Origin
from eventstore.chain import GENESIS
from eventstore.checkpoint import as_fingerprint, fingerprint, sign_head, sign_moved_heads, signature_holds
from eventstore.database import Pool
from eventstore.ids import new_id
from eventstore.unit_of_work import EventStore
from projections.catalogue import TABLES
from projections.verify import verify
from schemas.verification import Checkpoint
from tests.logs import log_end
from tests.verify.tampering import EVENTS, Auditor, Past

KEY = Ed25519PrivateKey.generate()


@pytest.fixture
def checkpoint(pool: Pool, origin: Origin, past: Past) -> Checkpoint:
    return sign_head(pool, origin.workspace_id, KEY)


def write_tag(store: EventStore, origin: Origin, name: str) -> None:
    store.run(origin, lambda unit: unit.begin(TAG, new_id(), CreateTag(name=name)))


def test_the_head_is_signed_as_documented(pool: Pool, origin: Origin, past: Past) -> None:
    signed_at = datetime(2026, 3, 15, 10, 30, tzinfo=UTC)
    checkpoint = sign_head(pool, origin.workspace_id, KEY, clock=lambda: signed_at)
    seq, hashed = log_end(pool, origin.workspace_id)
    fields: dict[str, str | int] = {
        "workspaceId": str(origin.workspace_id),
        "seq": seq,
        "hash": hashed.hex(),
        "signedAt": "2026-03-15T10:30:00.000000Z",
    }
    on_the_wire = json.loads(msgspec.json.encode(checkpoint))
    public_key, signature = on_the_wire.pop("publicKey"), on_the_wire.pop("signature")
    digest = b64encode(sha256(bytes.fromhex(public_key)).digest()).decode()
    assert on_the_wire.pop("keyFingerprint") == f"SHA256:{digest.rstrip('=')}"
    assert on_the_wire == fields
    verifier = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
    verifier.verify(bytes.fromhex(signature), rfc8785.dumps(fields))
    with pytest.raises(InvalidSignature):
        verifier.verify(bytes.fromhex(signature), rfc8785.dumps(fields | {"seq": seq + 1}))


@pytest.mark.parametrize(
    "changes",
    [
        {"workspace_id": new_id()},
        {"seq": 3},
        {"hash": GENESIS.hex()},
        {"signed_at": "2026-03-15T10:30:00.000000Z"},
        {"public_key": Ed25519PrivateKey.generate().public_key().public_bytes_raw().hex()},
        {"public_key": "00"},
        {"public_key": "no hex"},
        {"key_fingerprint": fingerprint(bytes(32))},
        {"signature": "00" * 64},
        {"signature": ""},
    ],
)
def test_a_signature_holds_for_what_was_signed_and_nothing_else(
    checkpoint: Checkpoint, changes: dict[str, object]
) -> None:
    assert signature_holds(checkpoint)
    assert not signature_holds(msgspec.structs.replace(checkpoint, **changes))


def test_a_head_signed_twice_stays_as_it_was_signed_first(pool: Pool, origin: Origin, checkpoint: Checkpoint) -> None:
    assert sign_head(pool, origin.workspace_id, Ed25519PrivateKey.generate()) == checkpoint


def test_a_workspace_without_a_log_has_no_head_to_sign(pool: Pool) -> None:
    with pytest.raises(psycopg.errors.NoDataFound, match="has no log"):
        sign_head(pool, new_id(), KEY)


def test_only_heads_that_moved_are_signed(worker_pool: Pool, store: EventStore, origin: Origin, past: Past) -> None:
    workspace_id = origin.workspace_id

    def signed() -> list[int]:
        return [found.seq for found in sign_moved_heads(worker_pool, KEY) if found.workspace_id == workspace_id]

    assert signed() == [EVENTS]
    assert signed() == []
    write_tag(store, origin, "New")
    assert signed() == [EVENTS + 1]


def test_an_empty_log_is_not_signed_unasked(worker_pool: Pool, pool: Pool, auditor: Auditor) -> None:
    assert auditor.workspace_id not in {found.workspace_id for found in sign_moved_heads(worker_pool, KEY)}
    checkpoint = sign_head(pool, auditor.workspace_id, KEY)
    assert (checkpoint.seq, checkpoint.hash) == (0, GENESIS.hex())
    report = verify(auditor.owner, workspaces=[auditor.workspace_id], checkpoints=[checkpoint])
    assert (report.checkpoints, report.finding) == (2, None)


def test_stored_and_kept_checkpoints_are_verified(
    auditor: Auditor, pool: Pool, store: EventStore, origin: Origin, checkpoint: Checkpoint
) -> None:
    write_tag(store, origin, "New")
    later = sign_head(pool, origin.workspace_id, KEY)
    report = verify(auditor.owner, workspaces=[auditor.workspace_id], checkpoints=[later, checkpoint])
    assert (report.checkpoints, report.finding) == (4, None)


@pytest.mark.parametrize(
    "edit",
    [
        "hash = sha256(hash)",
        "signed_at = signed_at - interval '1 day'",
        "signed_at = 'infinity'",
        "public_key = sha256(public_key)",
        "signature = sha512(signature)",
        "seq = 3",
    ],
)
def test_an_edited_checkpoint_is_found(auditor: Auditor, checkpoint: Checkpoint, edit: LiteralString) -> None:
    auditor.tamper("UPDATE log_checkpoints SET " + edit + " WHERE workspace_id = %(w)s")
    finding = auditor.finding()
    assert finding.what.startswith("signature of the checkpoint signed at ")
    assert finding.seq == (3 if edit == "seq = 3" else EVENTS)


def rewrite_history(auditor: Auditor) -> None:
    """Another name in event 3, and every hash from there on made to fit: the log alone looks whole."""
    auditor.tamper(
        "UPDATE events SET data = replace(data::text, 'Grace', 'Trace')::jsonb WHERE workspace_id = %(w)s AND seq = 3"
    )
    auditor.chain_anew()


def test_without_a_checkpoint_a_chain_made_anew_verifies(auditor: Auditor, past: Past) -> None:
    rewrite_history(auditor)
    assert verify(auditor.owner, workspaces=[auditor.workspace_id]).finding is None


def test_a_stored_checkpoint_proves_that_the_chain_was_made_anew(auditor: Auditor, checkpoint: Checkpoint) -> None:
    rewrite_history(auditor)
    finding = auditor.finding()
    assert (finding.seq, finding.expected) == (EVENTS, checkpoint.hash)
    assert finding.found.endswith(f"the log was rewritten after event 0 and up to {EVENTS}")


def test_a_kept_checkpoint_proves_it_when_the_stored_ones_were_made_anew_too(
    auditor: Auditor, pool: Pool, checkpoint: Checkpoint
) -> None:
    rewrite_history(auditor)
    auditor.tamper("DELETE FROM log_checkpoints WHERE workspace_id = %(w)s")
    forged = sign_head(pool, auditor.workspace_id, Ed25519PrivateKey.generate())
    assert verify(auditor.owner, workspaces=[auditor.workspace_id]).finding is None
    finding = auditor.finding(checkpoint)
    assert (finding.seq, finding.expected) == (EVENTS, checkpoint.hash)
    assert finding.found.startswith(forged.hash)


def test_two_checkpoints_narrow_down_what_was_rewritten(
    auditor: Auditor, pool: Pool, store: EventStore, origin: Origin, checkpoint: Checkpoint
) -> None:
    write_tag(store, origin, "First")
    write_tag(store, origin, "Second")
    later = sign_head(pool, origin.workspace_id, KEY)
    auditor.tamper("UPDATE events SET request_id = 'x' WHERE workspace_id = %(w)s AND seq = %(s)s", s=EVENTS + 1)
    auditor.chain_anew()
    narrowed = f"the log was rewritten after event {EVENTS} and up to {EVENTS + 2}"
    assert auditor.finding().found.endswith(narrowed)
    auditor.tamper("DELETE FROM log_checkpoints WHERE workspace_id = %(w)s")
    assert auditor.finding(later, checkpoint).found.endswith(narrowed)


def test_a_kept_checkpoint_proves_that_the_log_was_cut_off(
    auditor: Auditor, store: EventStore, origin: Origin, checkpoint: Checkpoint
) -> None:
    auditor.tamper("DELETE FROM log_checkpoints WHERE workspace_id = %(w)s")
    auditor.tamper("DELETE FROM events WHERE workspace_id = %(w)s AND seq > 6")
    auditor.chain_anew()
    finding = auditor.finding(checkpoint)
    assert (finding.seq, finding.found) == (EVENTS, "a log that ends at 6")


def test_a_kept_checkpoint_proves_that_a_workspace_was_wiped(auditor: Auditor, checkpoint: Checkpoint) -> None:
    kept = ("log_heads", "events", "log_checkpoints", "row_counts", *(table.table for table in TABLES))
    for table in kept:
        auditor.owner.execute(f"DELETE FROM {table} WHERE workspace_id = %s".encode(), (auditor.workspace_id,))
    assert (auditor.finding(checkpoint).what, auditor.finding(checkpoint).found) == ("head", "none")


def test_with_trusted_keys_a_checkpoint_of_another_key_is_found(auditor: Auditor, checkpoint: Checkpoint) -> None:
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw().hex()
    trusting = verify(auditor.owner, workspaces=[auditor.workspace_id], trusted=[checkpoint.public_key, other])
    assert (trusting.checkpoints, trusting.finding) == (1, None)
    finding = verify(auditor.owner, workspaces=[auditor.workspace_id], trusted=[other]).finding
    assert finding is not None
    assert (finding.expected, finding.found) == ("one of the trusted public keys", checkpoint.public_key)


def test_a_key_is_trusted_by_its_fingerprint(auditor: Auditor, checkpoint: Checkpoint) -> None:
    assert checkpoint.key_fingerprint is not None
    trusting = verify(auditor.owner, workspaces=[auditor.workspace_id], trusted=[checkpoint.key_fingerprint])
    assert (trusting.checkpoints, trusting.finding) == (1, None)
    other = fingerprint(bytes(32))
    assert verify(auditor.owner, workspaces=[auditor.workspace_id], trusted=[other]).finding is not None


def test_a_checkpoint_that_was_kept_before_there_were_fingerprints_holds(checkpoint: Checkpoint) -> None:
    assert signature_holds(msgspec.structs.replace(checkpoint, key_fingerprint=None))


@pytest.mark.parametrize(
    "key", ["", "00" * 31, "g0" * 32, "00" * 33, "SHA256:", "SHA256:" + "A" * 42, "SHA256:" + "A" * 42 + "B", "MD5:00"]
)
def test_what_is_neither_a_key_nor_a_fingerprint_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="64 hex digits, or a fingerprint"):
        as_fingerprint(key)
