"""The signed heads of a bundle are chained: one that is missing, or was made anew, is found and located."""

from __future__ import annotations

from uuid import UUID

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from eventstore.append import Origin
from eventstore.bundle import making, verifying
from eventstore.chain import GENESIS
from eventstore.checkpoint import digest, fingerprint, message_of, sign_head
from eventstore.database import Pool
from eventstore.offline import verify_file
from eventstore.unit_of_work import EventStore
from schemas.verification import Checkpoint, Finding
from tests.logs import whole_log
from tests.verify.bundles import checkpoints_of, exported, remade, unpacked, verified
from tests.verify.tampering import Auditor
from tests.verify.test_checkpoint import write_tag

KEY = Ed25519PrivateKey.generate()
OTHER = Ed25519PrivateKey.generate()
TRUSTED = [KEY.public_key().public_bytes_raw().hex()]
HEADS = [2, 4, 6, 8]
"""The events that heads are signed of, each two behind the one before."""


@pytest.fixture
def heads(pool: Pool, store: EventStore, origin: Origin) -> list[Checkpoint]:
    """Of a log of eight events."""
    made = []
    for number in range(1, 9):
        write_tag(store, origin, f"tag {number}")
        if number in HEADS:
            made.append(sign_head(pool, origin.workspace_id, KEY))
    return made


@pytest.fixture
def bundle(pool: Pool, workspace: UUID, heads: list[Checkpoint]) -> bytes:
    whole = exported(pool, workspace)
    assert checkpoints_of(unpacked(whole)) == heads
    return whole


def signed_anew(checkpoint: Checkpoint, key: Ed25519PrivateKey = OTHER, previous: str | None = None) -> Checkpoint:
    """The same head as who holds another key signs it; behind another one if wanted."""
    public = key.public_key().public_bytes_raw()
    unsigned = msgspec.structs.replace(
        checkpoint,
        public_key=public.hex(),
        key_fingerprint=fingerprint(public),
        previous=previous or checkpoint.previous,
    )
    return msgspec.structs.replace(unsigned, signature=key.sign(message_of(unsigned)).hex())


def finding(bundle: bytes, *kept: Checkpoint, **how: object) -> Finding:
    found = verified(bundle, checkpoints=kept, **how).report.finding
    assert found is not None
    return found


class TestThoseInTheBundle:
    def test_a_whole_chain_verifies(self, bundle: bytes) -> None:
        found = verified(bundle, trusted=TRUSTED)
        assert (found.verdict, found.report.checkpoints) == ("intact", len(HEADS))

    @pytest.mark.parametrize("gone", [1, 2])
    def test_one_that_is_missing_in_the_middle_is_found_where_it_was(
        self, bundle: bytes, heads: list[Checkpoint], gone: int
    ) -> None:
        before, missing, behind = heads[gone - 1 : gone + 2]
        found = finding(remade(bundle, checkpoints=[*heads[:gone], *heads[gone + 1 :]]))
        assert (found.seq, found.expected) == (behind.seq, f"one with digest {digest(missing)}")
        assert found.found == f"none after {before.seq} and before {behind.seq}"

    def test_the_first_of_a_bundle_of_the_whole_log_is_found_missing(
        self, bundle: bytes, heads: list[Checkpoint]
    ) -> None:
        found = finding(remade(bundle, checkpoints=heads[1:]))
        assert (found.seq, found.found) == (4, "none from the beginning and before 4")

    @pytest.mark.parametrize("since", [2, 3, 4, 5, 8])
    def test_a_bundle_that_begins_between_two_verifies(
        self, pool: Pool, workspace: UUID, heads: list[Checkpoint], since: int
    ) -> None:
        stretch = exported(pool, workspace, since=str(since))
        assert checkpoints_of(unpacked(stretch)) == [head for head in heads if head.seq >= since - 1]
        assert verified(stretch, trusted=TRUSTED).verdict == "intact"
        assert verified(stretch, checkpoints=heads, trusted=TRUSTED).verdict == "intact"

    def test_one_missing_in_the_middle_of_a_stretch_is_found(
        self, pool: Pool, workspace: UUID, heads: list[Checkpoint]
    ) -> None:
        stretch = exported(pool, workspace, since="4")
        found = finding(remade(stretch, checkpoints=[heads[1], heads[3]]))
        assert (found.seq, found.found) == (8, "none after 4 and before 8")

    def test_a_bundle_with_the_newest_only_verifies(
        self, pool: Pool, workspace: UUID, heads: list[Checkpoint], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(making, "MAX_CHECKPOINTS", 3)
        monkeypatch.setattr(verifying, "MAX_CHECKPOINTS", 3)
        cut = exported(pool, workspace)
        assert checkpoints_of(unpacked(cut)) == heads[1:]
        assert verified(cut, checkpoints=heads, trusted=TRUSTED).verdict == "intact"

    def test_one_signed_anew_by_another_key_is_found_by_the_next(self, bundle: bytes, heads: list[Checkpoint]) -> None:
        other = remade(bundle, checkpoints=[heads[0], signed_anew(heads[1]), *heads[2:]])
        found = finding(other)
        assert (found.seq, found.expected) == (6, f"one with digest {digest(heads[1])}")
        assert found.found == "none after 4 and before 6"

    def test_with_trusted_keys_the_key_is_found_where_it_signed(self, bundle: bytes, heads: list[Checkpoint]) -> None:
        other = remade(bundle, checkpoints=[heads[0], signed_anew(heads[1]), *heads[2:]])
        found = finding(other, trusted=TRUSTED)
        assert (found.seq, found.expected) == (4, "one of the trusted public keys")

    def test_the_last_signed_anew_is_told_by_its_key_and_found_by_the_trusted(
        self, bundle: bytes, heads: list[Checkpoint]
    ) -> None:
        """No other head follows that would contradict it: so who does not say whom they trust is told who signed."""
        last = signed_anew(heads[-1])
        other = remade(bundle, checkpoints=[*heads[:-1], last])
        found = verified(other)
        assert found.verdict == "intact"
        assert found.report.keys == {heads[0].key_fingerprint: 3, last.key_fingerprint: 1}
        assert (finding(other, trusted=TRUSTED).seq, finding(other, heads[-1]).found) == (8, "another")


class TestThoseThatWereKept:
    @pytest.mark.parametrize("kept", [[0], [3], [0, 1], [0, 2], [1, 3], [0, 1, 2, 3]])
    def test_any_of_them_verify(self, bundle: bytes, heads: list[Checkpoint], kept: list[int]) -> None:
        found = verified(bundle, checkpoints=[heads[place] for place in kept], trusted=TRUSTED)
        assert found.verdict == "intact"

    def test_one_that_the_bundle_does_not_have_is_found(self, bundle: bytes, heads: list[Checkpoint]) -> None:
        anew = [heads[0]]
        for head in heads[2:]:
            anew.append(signed_anew(head, KEY, digest(anew[-1])))
        other = remade(bundle, checkpoints=anew)
        assert verified(other, trusted=TRUSTED).verdict == "intact"
        found = finding(other, heads[1], trusted=TRUSTED)
        assert (found.seq, found.found) == (4, "none")
        assert found.what.startswith("bundled checkpoint, of which one signed at ")

    def test_one_of_which_the_bundle_has_another_is_found(self, bundle: bytes, heads: list[Checkpoint]) -> None:
        found = finding(bundle, signed_anew(heads[1], KEY, previous="11" * 32), trusted=TRUSTED)
        assert (found.seq, found.found) == (4, "another")

    def test_one_from_before_a_stretch_that_is_no_checkpoint_at_all_is_passed_over(
        self, pool: Pool, workspace: UUID, heads: list[Checkpoint]
    ) -> None:
        odd = msgspec.structs.replace(heads[0], public_key="no hex", signature="nor this")
        stretch = exported(pool, workspace, since="5")
        assert verified(remade(stretch, checkpoints=[odd, *heads[1:]])).verdict == "intact"
        assert verified(stretch, checkpoints=[odd]).verdict == "intact"

    def test_one_signed_since_the_bundle_was_made_verifies(self, bundle: bytes, heads: list[Checkpoint]) -> None:
        unsigned = remade(bundle, checkpoints=heads[:-1])
        assert verified(unsigned, checkpoints=[heads[-1]]).verdict == "intact"

    def test_one_signed_since_must_go_on_where_the_bundle_ends(self, bundle: bytes, heads: list[Checkpoint]) -> None:
        unsigned = remade(bundle, checkpoints=heads[:-1])
        tampered = signed_anew(heads[-1], KEY, previous=digest(heads[1]))
        found = finding(unsigned, tampered, trusted=TRUSTED)
        assert (found.seq, found.found) == (8, "none after 6 and before 8")

    @pytest.mark.parametrize("key", [KEY, OTHER], ids=["the same key", "another key"])
    def test_two_that_contradict_each_other_are_found_beside_a_file(
        self, pool: Pool, workspace: UUID, heads: list[Checkpoint], key: Ed25519PrivateKey
    ) -> None:
        lines = [msgspec.json.encode(entry) for entry in whole_log(pool, workspace)]
        assert verify_file(lines, checkpoints=[heads[0], heads[2], heads[3]]).finding is None
        first = signed_anew(heads[2], key, previous=GENESIS.hex())
        found = verify_file(lines, checkpoints=[heads[0], first]).finding
        assert found is not None
        assert (found.seq, found.found) == (6, "none after 2 and before 6")
        twice = verify_file(lines, checkpoints=[heads[2], first]).finding
        assert twice is not None
        assert (twice.seq, twice.found) == (6, "another")

    def test_neighbours_must_follow_each_other(self, pool: Pool, store: EventStore, origin: Origin) -> None:
        made = []
        for name in ("one", "two"):
            write_tag(store, origin, name)
            made.append(sign_head(pool, origin.workspace_id, KEY))
        lines = [msgspec.json.encode(entry) for entry in whole_log(pool, origin.workspace_id)]
        assert verify_file(lines, checkpoints=made).finding is None
        tampered = signed_anew(made[0])
        found = verify_file(lines, checkpoints=[tampered, made[1]]).finding
        assert found is not None
        assert (found.seq, found.expected) == (2, f"one with digest {digest(made[0])}")

    @pytest.mark.parametrize("tampered", [0, 1, 3])
    def test_one_that_is_not_as_it_is_stored_is_found(
        self, auditor: Auditor, heads: list[Checkpoint], tampered: int
    ) -> None:
        found = auditor.finding(signed_anew(heads[tampered], KEY, previous="11" * 32))
        assert (found.seq, found.found) == (HEADS[tampered], "another")

    def test_one_behind_those_stored_is_found_though_it_follows_them(
        self, auditor: Auditor, heads: list[Checkpoint]
    ) -> None:
        auditor.tamper("DELETE FROM log_checkpoints WHERE workspace_id = %(w)s AND seq = 8")
        assert heads[3].previous == digest(heads[2])
        assert (auditor.finding(heads[3]).seq, auditor.finding(heads[3]).found) == (8, "none")
