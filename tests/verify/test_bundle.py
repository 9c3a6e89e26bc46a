"""A bundle is verified with nothing but itself and what was kept from before: what is wrong with it is said, and where."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from uuid import UUID

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from eventstore.append import Origin
from eventstore.bundle import cloudevent, making
from eventstore.bundle.contents import DECLARATION, KEYS, MANIFEST, Declaration, Manifest
from eventstore.bundle.verifying import TooLargeError
from eventstore.chain import canonical, entry_hash
from eventstore.checkpoint import message, sign_head
from eventstore.database import Pool
from eventstore.ids import new_id
from eventstore.unit_of_work import EventStore
from schemas.log import LogEntry
from schemas.verification import Checkpoint, Finding
from tests.logs import whole_log
from tests.verify.bundles import (
    NOW,
    chained,
    checkpoints_of,
    ending,
    entries_of,
    exported,
    remade,
    tarred,
    unpacked,
    verified,
)
from tests.verify.tampering import EVENTS, Past, write_contacts, write_past

KEY = Ed25519PrivateKey.generate()
TRUSTED = [KEY.public_key().public_bytes_raw().hex()]


@pytest.fixture
def checkpoint(pool: Pool, workspace: UUID, past: Past) -> Checkpoint:
    return sign_head(pool, workspace, KEY)


@pytest.fixture
def bundle(pool: Pool, workspace: UUID, checkpoint: Checkpoint) -> bytes:
    """Nine events and a signed head of the last."""
    return exported(pool, workspace)


def finding(bundle: bytes, **how: object) -> Finding:
    found = verified(bundle, **how)
    assert found.verdict == "tampered", found
    assert found.report.finding is not None
    return found.report.finding


def lacks(bundle: bytes, **how: object) -> str:
    found = verified(bundle, **how)
    assert found.verdict == "incomplete", found
    assert found.incomplete is not None
    return found.incomplete


def signed_anew(entries: list[LogEntry], key: Ed25519PrivateKey, of: Checkpoint) -> Checkpoint:
    """A head of these entries as another key signs it."""
    last = entries[-1]
    said = message(workspace_id=of.workspace_id, seq=last.seq, hash_hex=last.hash, signed_at=of.signed_at)
    public_key = key.public_key().public_bytes_raw().hex()
    return Checkpoint(
        workspace_id=of.workspace_id,
        seq=last.seq,
        hash=last.hash,
        signed_at=of.signed_at,
        public_key=public_key,
        signature=key.sign(said).hex(),
    )


class TestWhatIsInIt:
    def test_a_bundle_verifies(self, bundle: bytes) -> None:
        found = verified(bundle, trusted=TRUSTED)
        assert (found.verdict, found.report.events, found.report.checkpoints) == ("intact", EVENTS, 1)

    def test_the_log_can_be_made_again_from_it_to_the_byte(self, bundle: bytes, pool: Pool, workspace: UUID) -> None:
        forms = [canonical(msgspec.json.encode(entry)) for entry in entries_of(unpacked(bundle))]
        assert forms == [canonical(msgspec.json.encode(entry)) for entry in whole_log(pool, workspace)]

    def test_the_same_range_is_the_same_bytes(self, bundle: bytes, pool: Pool, workspace: UUID) -> None:
        assert exported(pool, workspace) == bundle

    def test_its_files_are_in_order_of_name(self, bundle: bytes) -> None:
        assert list(unpacked(bundle)) == sorted(unpacked(bundle))

    def test_the_manifest_says_what_is_there(self, bundle: bytes, workspace: UUID, checkpoint: Checkpoint) -> None:
        files = unpacked(bundle)
        said = msgspec.json.decode(files[MANIFEST], type=Manifest)
        assert said.declaration == msgspec.json.decode(files[DECLARATION], type=Declaration)
        declared = said.declaration
        assert (declared.workspace_id, declared.first, declared.last) == (workspace, 1, EVENTS)
        assert (declared.last_hash, declared.log_end) == (checkpoint.hash, EVENTS)
        assert declared.software.startswith("daybook ")
        assert (said.types["contact.created"].events, said.types["contact.created"].schema) == (
            2, "contact.created.json",
        )  # fmt: skip
        assert [(file.name, file.bytes) for file in said.files] == [
            (name, len(content)) for name, content in files.items() if name != MANIFEST
        ]
        assert json.loads(files[KEYS]) == {"publicKeys": TRUSTED}

    def test_parts_are_bounded_and_together_the_whole(
        self, store: EventStore, origin: Origin, pool: Pool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write_contacts(store, origin, 1_000)
        monkeypatch.setattr(making, "PART_EVENTS", 400)
        by_count = exported(pool, origin.workspace_id)
        monkeypatch.setattr(making, "PART_BYTES", 20_000)
        by_size = exported(pool, origin.workspace_id)
        assert [name for name in unpacked(by_count) if name.startswith("events/")] == [
            f"events/0000000{number}.ndjson.gz" for number in (1, 2, 3)
        ]
        assert len(unpacked(by_size)) > len(unpacked(by_count))
        for bundle in (by_count, by_size):
            assert (verified(bundle).verdict, verified(bundle).report.events) == ("intact", 1_000)

    @pytest.mark.usefixtures("checkpoint")
    def test_a_stretch_of_the_log_verifies(self, pool: Pool, workspace: UUID) -> None:
        middle = exported(pool, workspace, since="3", until="7")
        found = verified(middle)
        assert (found.verdict, found.report.events) == ("intact", 5)
        assert [entry.seq for entry in entries_of(unpacked(middle))] == [3, 4, 5, 6, 7]
        assert checkpoints_of(unpacked(middle)) == []
        end = exported(pool, workspace, since="7")
        assert verified(end, trusted=TRUSTED).verdict == "intact"

    def test_a_time_divides_the_log_in_two(self, bundle: bytes, pool: Pool, workspace: UUID) -> None:
        at = entries_of(unpacked(bundle))[2].recorded_at
        before, behind = exported(pool, workspace, until=at), exported(pool, workspace, since=at)
        seqs = [entry.seq for part in (before, behind) for entry in entries_of(unpacked(part))]
        assert seqs == list(range(1, EVENTS + 1))

    @pytest.mark.parametrize("number", range(EVENTS))
    def test_each_event_is_a_cloudevent(self, bundle: bytes, workspace: UUID, number: int) -> None:
        entry = entries_of(unpacked(bundle))[number]
        event = json.loads(cloudevent.written(entry))
        assert all(re.fullmatch("[a-z0-9]{1,20}", name) for name in event)
        assert event["specversion"] == "1.0"
        assert event["source"] == f"/workspaces/{workspace}"
        assert event["subject"] == f"{entry.stream.type}/{entry.stream.id}"
        assert event["type"] == entry.type
        assert int(event["sequence"]) == entry.seq
        assert event["data"] == json.loads(bytes(entry.data))
        simple = [value for name, value in event.items() if name != "data"]
        assert all((isinstance(value, str) and value) or isinstance(value, int) for value in simple)
        assert entry_hash(bytes.fromhex(entries_of(unpacked(bundle))[number - 1].hash) if number else bytes(32), entry)


class TestTampering:
    def test_one_changed_byte_anywhere_is_found(self, bundle: bytes) -> None:
        """Whether of data, of sums, of the archive or of what fills it up."""
        passed = []
        for place in range(0, len(bundle), 13):
            changed = bytearray(bundle)
            changed[place] ^= 0x01
            if verified(bytes(changed), trusted=TRUSTED).verdict == "intact":
                passed.append(place)
        assert passed == []

    def test_one_changed_byte_of_an_event_is_found_where_it_is(self, bundle: bytes) -> None:
        found = finding(remade(bundle, lambda entries: changed(entries, 3)))
        assert (found.seq, found.what) == (3, "hash")

    def test_a_sum_is_of_what_is_there(self, bundle: bytes) -> None:
        files = unpacked(bundle)
        other = unpacked(remade(bundle, part_size=4))
        files["events/00000001.ndjson.gz"] = other["events/00000001.ndjson.gz"]
        found = finding(tarred(files))
        assert found.what == "manifest, file 4"

    def test_a_removed_event_is_found(self, bundle: bytes) -> None:
        found = finding(remade(bundle, lambda entries: [*entries[:3], *entries[4:]]))
        assert (found.seq, found.what, found.expected, found.found) == (5, "seq", "4", "5")

    def test_two_swapped_events_are_found(self, bundle: bytes) -> None:
        found = finding(remade(bundle, lambda entries: [*entries[:3], entries[4], entries[3], *entries[5:]]))
        assert (found.seq, found.what, found.expected) == (5, "seq", "4")

    def test_two_swapped_and_renumbered_events_are_found(self, bundle: bytes) -> None:
        def swapped(entries: list[LogEntry]) -> list[LogEntry]:
            one, two = entries[3], entries[4]
            entries[3:5] = [msgspec.structs.replace(two, seq=4), msgspec.structs.replace(one, seq=5)]
            return entries

        found = finding(remade(bundle, swapped))
        assert (found.seq, found.what) == (4, "hash")

    def test_an_inserted_event_is_found_by_the_checkpoint_in_the_bundle(self, bundle: bytes) -> None:
        found = finding(remade(bundle, inserted, declaration=ending(inserted(entries_of(unpacked(bundle))))))
        assert (found.seq, found.expected) == (EVENTS, checkpoints_of(unpacked(bundle))[0].hash)
        assert "rewritten after event 0 and up to 9" in found.found

    def test_one_signed_anew_is_found_by_the_trusted_key(self, bundle: bytes, checkpoint: Checkpoint) -> None:
        entries = inserted(entries_of(unpacked(bundle)))
        forged = signed_anew(entries, Ed25519PrivateKey.generate(), checkpoint)
        other = remade(bundle, inserted, checkpoints=[forged], declaration=ending(entries))
        assert verified(other).verdict == "intact"
        found = finding(other, trusted=TRUSTED)
        assert (found.seq, found.expected) == (EVENTS + 1, "one of the trusted public keys")

    def test_one_without_checkpoints_is_proved_by_no_trusted_key(self, bundle: bytes, checkpoint: Checkpoint) -> None:
        entries = inserted(entries_of(unpacked(bundle)))
        other = remade(bundle, inserted, checkpoints=[], declaration=ending(entries))
        assert verified(other).verdict == "intact"
        assert lacks(other, trusted=TRUSTED) == "no head signed with a trusted key covers events 1 to 10"
        assert finding(other, checkpoints=[checkpoint]).seq == EVENTS

    def test_a_cut_tail_is_found_by_the_checkpoint_in_the_bundle(self, bundle: bytes) -> None:
        entries = entries_of(unpacked(bundle))[:-2]
        found = finding(remade(bundle, lambda _: entries, declaration=ending(entries)))
        assert (found.seq, found.found) == (EVENTS, "a log that ends at 7")

    def test_a_cut_tail_is_found_by_a_kept_checkpoint(self, bundle: bytes, checkpoint: Checkpoint) -> None:
        entries = entries_of(unpacked(bundle))[:-2]
        other = remade(bundle, lambda _: entries, checkpoints=[], declaration=ending(entries))
        assert verified(other).verdict == "intact"
        assert finding(other, checkpoints=[checkpoint]).found == "a log that ends at 7"

    def test_a_cut_tail_of_a_bundle_made_before_is_not_hidden(self, bundle: bytes, checkpoint: Checkpoint) -> None:
        entries = entries_of(unpacked(bundle))[:-2]

        def earlier(said: Declaration) -> Declaration:
            return msgspec.structs.replace(ending(entries)(said), made_at="2020-01-01T00:00:00.000000Z")

        other = remade(bundle, lambda _: entries, checkpoints=[], declaration=earlier)
        expected = "there is a kept head of event 9, and the bundle ends with 7"
        assert lacks(other, checkpoints=[checkpoint]) == expected

    def test_events_that_are_declared_and_not_there_are_missed(self, bundle: bytes) -> None:
        other = remade(bundle, lambda entries: entries[:-2], checkpoints=[])
        assert lacks(other) == "events 8 to 9, which are declared, are missing"

    def test_events_behind_those_declared_are_found(self, bundle: bytes) -> None:
        entries = entries_of(unpacked(bundle))[:-1]
        assert finding(remade(bundle, declaration=ending(entries))).seq == EVENTS

    def test_data_that_are_no_event_s_are_found(self, bundle: bytes) -> None:
        def odd(entries: list[LogEntry]) -> list[LogEntry]:
            entries[1] = msgspec.structs.replace(entries[1], data=msgspec.Raw(b'{"firstName":7}'))
            return chained(entries)

        entries = odd(entries_of(unpacked(bundle)))
        found = finding(remade(bundle, odd, checkpoints=[], declaration=ending(entries)))
        assert (found.seq, found.what) == (2, "data")

    @pytest.mark.parametrize("lost", ["DECLARATION", "previous_hash", "workspace_id"])
    def test_the_declaration_is_held_to(self, bundle: bytes, lost: str) -> None:
        edits: dict[str, Callable[[Declaration], Declaration]] = {
            "DECLARATION": lambda said: msgspec.structs.replace(said, first=2),
            "previous_hash": lambda said: msgspec.structs.replace(said, previous_hash="11" * 32),
            "workspace_id": lambda said: msgspec.structs.replace(said, workspace_id=new_id()),
        }
        assert finding(remade(bundle, declaration=edits[lost])).seq == 1


def changed(entries: list[LogEntry], seq: int) -> list[LogEntry]:
    data = msgspec.Raw(bytes(entries[seq - 1].data).replace(b"ACTIVE", b"ARCHIVED"))
    assert bytes(data) != bytes(entries[seq - 1].data)
    return [*entries[: seq - 1], msgspec.structs.replace(entries[seq - 1], data=data), *entries[seq:]]


def inserted(entries: list[LogEntry]) -> list[LogEntry]:
    """With an event more of a contact's own in the middle, and all behind it chained anew."""
    stream = msgspec.structs.replace(entries[2].stream, id=UUID(int=77))
    forged = msgspec.structs.replace(entries[2], id=UUID(int=78), stream=stream)
    return chained([*entries[:3], forged, *entries[3:]])


class TestIncomplete:
    def test_a_file_cut_off_anywhere_is_incomplete(self, bundle: bytes) -> None:
        assert len(bundle) > 5_000
        wrong = {at for at in range(0, len(bundle), 97) if verified(bundle[:at]).verdict != "incomplete"}
        assert wrong == set()

    def test_a_cut_off_bundle_says_how_far_it_goes(self, bundle: bytes) -> None:
        parts = remade(bundle, part_size=4)
        at = parts.index(b"events/00000003") + 600
        found = verified(parts[:at])
        assert (found.incomplete, found.report.events) == ("it ends within events/00000003.ndjson.gz", 8)

    @pytest.mark.parametrize(("number", "first"), [(1, 1), (2, 5), (3, 9)])
    def test_a_missing_part_is_named(self, bundle: bytes, number: int, first: int) -> None:
        files = unpacked(remade(bundle, part_size=4))
        del files[f"events/{number:08d}.ndjson.gz"]
        said = lacks(tarred(files))
        assert said.startswith(f"events/{number:08d}.ndjson.gz is missing")
        assert verified(tarred(files)).report.events == first - 1

    @pytest.mark.parametrize("name", ["bundle.json", "checkpoint-keys.json", "checkpoints.ndjson", "manifest.json"])
    def test_each_other_file_is_missed_too(self, bundle: bytes, name: str) -> None:
        files = unpacked(bundle)
        del files[name]
        assert lacks(tarred(files)).startswith(f"{name} is missing")

    def test_an_empty_file_is_incomplete(self) -> None:
        assert lacks(b"")


def test_more_events_than_wanted_are_refused_before_they_are_read(bundle: bytes) -> None:
    with pytest.raises(TooLargeError, match="it has 9 events, more than the 8"):
        verified(bundle, max_events=8)


def test_checkpoints_of_others_say_nothing_about_it(
    bundle: bytes, pool: Pool, store: EventStore, origin: Origin, other_workspace: UUID
) -> None:
    write_past(store, Origin(other_workspace, origin.actor))
    assert verified(bundle, checkpoints=[sign_head(pool, other_workspace, KEY)]).verdict == "intact"


def test_it_is_made_at_a_time_and_by_somebody(bundle: bytes) -> None:
    said = msgspec.json.decode(unpacked(bundle)[DECLARATION], type=Declaration)
    assert said.made_at == "2036-01-01T00:00:00.000000Z"
    assert said.made_by.type == "system"
    assert NOW.year == 2036
    assert io.BytesIO(bundle).read(11) == b"bundle.json"
