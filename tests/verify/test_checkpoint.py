"""Signed heads: what whoever kept one can prove."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import LiteralString

import msgspec
import psycopg
import pytest
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from daybook.embedded import EmbeddedPostgres
from domain.tag import TAG, CreateTag, TagCreated
from eventstore.append import Origin
from eventstore.chain import GENESIS, timestamp
from eventstore.checkpoint import (
    LogCutError,
    SigningError,
    as_fingerprint,
    digest,
    fingerprint,
    message,
    sign_head,
    sign_moved_heads,
    signature_holds,
)
from eventstore.database import Db, Pool, open_pool
from eventstore.ids import new_id
from eventstore.migrate import connect
from eventstore.unit_of_work import EventStore
from projections.catalogue import ROWS, TABLES
from projections.table.rebuild import rebuild
from projections.verify import verify
from schemas.verification import Checkpoint
from tests.logs import log_end
from tests.servers import another_database
from tests.verify.tampering import EVENTS, Auditor, Past, write_raw

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
        "previous": GENESIS.hex(),
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
        {"previous": None},
        {"previous": "01" * 32},
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
    """Another status in event 3, and every hash from there on made to fit: the log alone looks whole."""
    auditor.tamper(
        "UPDATE events SET data = replace(data::text, 'ACTIVE', 'ARCHIVED')::jsonb"
        " WHERE workspace_id = %(w)s AND seq = 3"
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


# Checkpoints are chained to each other.


def several(pool: Pool, store: EventStore, origin: Origin) -> list[Checkpoint]:
    """Three heads, signed one behind the other."""
    made = []
    for name in ("one", "two", "three"):
        write_tag(store, origin, name)
        made.append(sign_head(pool, origin.workspace_id, KEY))
    return made


def test_a_checkpoint_signs_the_one_before(pool: Pool, store: EventStore, origin: Origin) -> None:
    first, second, third = several(pool, store, origin)
    assert first.previous == GENESIS.hex()
    signed = bytes.fromhex(first.public_key + first.signature) + rfc8785.dumps(
        {
            "workspaceId": str(first.workspace_id),
            "seq": first.seq,
            "hash": first.hash,
            "signedAt": first.signed_at,
            "previous": first.previous,
        }
    )
    assert second.previous == sha256(signed).hexdigest()
    assert third.previous == digest(second)


@pytest.mark.parametrize(("gone", "noticed"), [(1, 2), (2, 3)])
def test_a_stored_checkpoint_that_was_removed_is_found_where_it_was(
    auditor: Auditor, pool: Pool, store: EventStore, origin: Origin, gone: int, noticed: int
) -> None:
    several(pool, store, origin)
    auditor.tamper("DELETE FROM log_checkpoints WHERE workspace_id = %(w)s AND seq = %(seq)s", seq=gone)
    finding = auditor.finding()
    assert (finding.seq, finding.what.split(" signed")[0]) == (noticed, "checkpoint before that")
    assert finding.found == ("none from the beginning and before 2" if gone == 1 else "none after 1 and before 3")


def test_the_last_stored_checkpoint_that_was_removed_is_found_by_one_that_was_kept(
    auditor: Auditor, pool: Pool, store: EventStore, origin: Origin
) -> None:
    *_, last = several(pool, store, origin)
    auditor.tamper("DELETE FROM log_checkpoints WHERE workspace_id = %(w)s AND seq = 3")
    auditor.tamper("UPDATE log_heads SET signed_seq = 2 WHERE workspace_id = %(w)s")
    assert verify(auditor.owner, workspaces=[auditor.workspace_id]).finding is None
    finding = auditor.finding(last)
    assert (finding.seq, finding.found) == (3, "none")
    assert finding.what.startswith("stored checkpoint")


def test_checkpoints_from_before_there_was_a_chain_still_verify(
    auditor: Auditor, pool: Pool, store: EventStore, origin: Origin
) -> None:
    write_tag(store, origin, "old")
    seq, hashed = log_end(pool, origin.workspace_id)
    at = datetime(2026, 3, 15, tzinfo=UTC)
    text = message(workspace_id=origin.workspace_id, seq=seq, hash_hex=hashed.hex(), signed_at=timestamp(at))
    assert b"previous" not in text
    auditor.tamper(
        "INSERT INTO log_checkpoints (workspace_id, seq, hash, signed_at, public_key, signature)"
        " VALUES (%(w)s, %(seq)s, %(hash)s, %(at)s, %(key)s, %(signature)s)",
        seq=seq,
        hash=hashed,
        at=at,
        key=KEY.public_key().public_bytes_raw(),
        signature=KEY.sign(text),
    )
    auditor.tamper("UPDATE log_heads SET signed_seq = %(seq)s WHERE workspace_id = %(w)s", seq=seq)
    write_tag(store, origin, "new")
    new = sign_head(pool, origin.workspace_id, KEY)
    report = verify(auditor.owner, workspaces=[auditor.workspace_id], checkpoints=[new])
    assert (report.checkpoints, report.finding) == (3, None)
    auditor.tamper("DELETE FROM log_checkpoints WHERE workspace_id = %(w)s AND seq = %(seq)s", seq=seq)
    assert auditor.finding().found == "none from the beginning and before 2"


def test_a_checkpoint_that_names_none_behind_one_that_does_is_found(
    auditor: Auditor, pool: Pool, store: EventStore, origin: Origin
) -> None:
    several(pool, store, origin)
    head = auditor.owner.execute(
        "SELECT hash, signed_at FROM log_checkpoints WHERE workspace_id = %s AND seq = 3", (auditor.workspace_id,)
    ).fetchone()
    assert head is not None
    text = message(workspace_id=auditor.workspace_id, seq=3, hash_hex=head[0].hex(), signed_at=timestamp(head[1]))
    auditor.tamper(
        "UPDATE log_checkpoints SET previous = NULL, signature = %(s)s WHERE workspace_id = %(w)s AND seq = 3",
        s=KEY.sign(text),
    )
    assert (auditor.finding().seq, auditor.finding().expected) == (3, "one that it names")


def test_behind_a_change_of_the_key_old_signatures_hold_and_the_change_is_seen(
    auditor: Auditor, pool: Pool, store: EventStore, origin: Origin
) -> None:
    *_, last = several(pool, store, origin)
    write_tag(store, origin, "four")
    other = Ed25519PrivateKey.generate()
    changed = sign_head(pool, origin.workspace_id, other)
    assert changed.previous == digest(last), "the new key signs what the old one signed last"
    report = verify(auditor.owner, workspaces=[auditor.workspace_id])
    assert report.finding is None
    assert report.keys == {last.key_fingerprint: 3, changed.key_fingerprint: 1}
    trusted = [last.public_key, changed.public_key]
    assert verify(auditor.owner, workspaces=[auditor.workspace_id], trusted=trusted).finding is None
    finding = verify(auditor.owner, workspaces=[auditor.workspace_id], trusted=trusted[:1]).finding
    assert finding is not None
    assert (finding.seq, finding.what.split(" signed")[0]) == (4, "key of the checkpoint")


def test_nothing_is_locked_while_a_head_is_signed_and_what_was_read_is_signed(
    auditor: Auditor, pool: Pool, store: EventStore, origin: Origin
) -> None:
    class Slow:
        """Meanwhile others write, and sign too."""

        def public_key(self) -> Ed25519PublicKey:
            return KEY.public_key()

        def sign(self, data: bytes, /) -> bytes:
            if not signed:
                write_tag(store, origin, "meanwhile")
                signed.append(sign_head(pool, origin.workspace_id, KEY))
                write_tag(store, origin, "and again")
            return KEY.sign(data)

    signed: list[Checkpoint] = []
    write_tag(store, origin, "first")
    made = sign_head(pool, origin.workspace_id, Slow())
    assert (signed[0].seq, made.seq, made.previous) == (2, 3, digest(signed[0]))
    assert verify(auditor.owner, workspaces=[auditor.workspace_id]).finding is None


def test_a_signature_that_does_not_hold_is_not_stored(pool: Pool, origin: Origin, past: Past) -> None:
    class Wrong:
        def public_key(self) -> Ed25519PublicKey:
            return KEY.public_key()

        def sign(self, data: bytes, /) -> bytes:
            return KEY.sign(data + b".")

    with pytest.raises(SigningError, match="does not hold"):
        sign_head(pool, origin.workspace_id, Wrong())
    assert sign_head(pool, origin.workspace_id, KEY).previous == GENESIS.hex()


def test_a_log_that_ends_before_its_last_checkpoint_is_not_signed(
    auditor: Auditor, pool: Pool, checkpoint: Checkpoint
) -> None:
    auditor.tamper("DELETE FROM events WHERE workspace_id = %(w)s AND seq > 6")
    auditor.chain_anew()
    with pytest.raises(LogCutError, match=f"ends at 6, before its last checkpoint at {EVENTS}"):
        sign_head(pool, auditor.workspace_id, KEY)


def test_what_is_behind_the_last_checkpoint_is_counted(
    auditor: Auditor, store: EventStore, origin: Origin, checkpoint: Checkpoint
) -> None:
    assert verify(auditor.owner, workspaces=[auditor.workspace_id]).unsigned == 0
    write_tag(store, origin, "New")
    assert verify(auditor.owner, workspaces=[auditor.workspace_id]).unsigned == 1


# Who has the database, and the key as well, against who has kept a checkpoint.


def rebuild_rows(auditor: Auditor) -> None:
    """What a tamperer does after: the rows that the log now adds up to."""
    for table in TABLES:
        rebuild(auditor.owner, table)


def sign_anew(auditor: Auditor, pool: Pool, key: Ed25519PrivateKey) -> Checkpoint:
    """What a tamperer does last: no stored checkpoint is older than the forgery."""
    auditor.tamper("DELETE FROM log_checkpoints WHERE workspace_id = %(w)s")
    auditor.tamper("UPDATE log_heads SET signed_seq = 0 WHERE workspace_id = %(w)s")
    return sign_head(pool, auditor.workspace_id, key)


class TestWhoMakesEverythingAnew:
    """In a database of their own: all rows are rebuilt, of logs that others have spoilt too."""

    @pytest.fixture(scope="class")
    @classmethod
    def owner(cls, postgres: EmbeddedPostgres) -> Iterator[Db]:
        with another_database(postgres, "made_anew") as url, connect(url) as conn:
            yield conn

    @pytest.fixture(scope="class")
    @classmethod
    def pool(cls, postgres: EmbeddedPostgres, owner: Db) -> Iterator[Pool]:
        with open_pool(postgres.url(user="daybook_app", database=owner.info.dbname), size=4) as opened:
            yield opened

    @pytest.fixture(scope="class")
    @classmethod
    def store(cls, pool: Pool) -> EventStore:
        return EventStore(pool, ROWS)

    def test_a_forged_event_in_the_place_of_the_last_is_found_by_a_kept_checkpoint(
        self, auditor: Auditor, pool: Pool, origin: Origin, checkpoint: Checkpoint
    ) -> None:
        """With its rows rebuilt and everything signed anew by the same key."""
        auditor.tamper("DELETE FROM events WHERE workspace_id = %(w)s AND seq = %(seq)s", seq=EVENTS)
        auditor.chain_anew()
        write_raw(pool, origin, ("tag", new_id(), 1, TagCreated(name="Forged", color=None, slug="forged")))
        rebuild_rows(auditor)
        sign_anew(auditor, pool, KEY)
        assert verify(auditor.owner, workspaces=[auditor.workspace_id], trusted=[checkpoint.public_key]).finding is None
        finding = auditor.finding(checkpoint)
        assert (finding.seq, finding.expected) == (EVENTS, checkpoint.hash)

    def test_an_old_event_changed_and_everything_made_anew_is_found_by_a_kept_checkpoint_or_by_the_key(
        self, auditor: Auditor, pool: Pool, checkpoint: Checkpoint
    ) -> None:
        rewrite_history(auditor)
        rebuild_rows(auditor)
        sign_anew(auditor, pool, Ed25519PrivateKey.generate())
        assert verify(auditor.owner, workspaces=[auditor.workspace_id]).finding is None
        finding = auditor.finding(checkpoint)
        assert (finding.seq, finding.expected) == (EVENTS, checkpoint.hash)
        trusting = verify(auditor.owner, workspaces=[auditor.workspace_id], trusted=[checkpoint.public_key]).finding
        assert trusting is not None
        assert (trusting.seq, trusting.expected) == (EVENTS, "one of the trusted public keys")

    def test_a_tail_that_was_cut_with_its_checkpoint_is_found_by_the_kept_one(
        self, auditor: Auditor, pool: Pool, store: EventStore, origin: Origin, checkpoint: Checkpoint
    ) -> None:
        write_tag(store, origin, "Cut off")
        kept = sign_head(pool, origin.workspace_id, KEY)
        auditor.tamper("DELETE FROM log_checkpoints WHERE workspace_id = %(w)s AND seq > %(seq)s", seq=EVENTS)
        auditor.tamper("DELETE FROM events WHERE workspace_id = %(w)s AND seq > %(seq)s", seq=EVENTS)
        auditor.tamper("UPDATE log_heads SET signed_seq = %(seq)s WHERE workspace_id = %(w)s", seq=EVENTS)
        auditor.chain_anew()
        rebuild_rows(auditor)
        assert verify(auditor.owner, workspaces=[auditor.workspace_id], checkpoints=[checkpoint]).finding is None
        finding = auditor.finding(checkpoint, kept)
        assert (finding.seq, finding.found) == (EVENTS + 1, f"a log that ends at {EVENTS}")


def test_a_workspace_of_which_nothing_is_left_is_found_by_a_kept_checkpoint(
    auditor: Auditor, postgres: EmbeddedPostgres, pool: Pool, past: Past, checkpoint: Checkpoint
) -> None:
    tenants = auditor.owner.execute(
        "SELECT DISTINCT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE a.attname = 'workspace_id' AND c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace"
    ).fetchall()
    for (table,) in tenants:
        auditor.owner.execute(f"DELETE FROM {table} WHERE workspace_id = %s".encode(), (auditor.workspace_id,))
    finding = auditor.finding(checkpoint)
    assert (finding.workspace_id, finding.what, finding.found) == (auditor.workspace_id, "head", "none")
