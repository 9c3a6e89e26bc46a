"""An exported log is verified with nothing but the file and checkpoints kept from before."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from eventstore.append import Origin
from eventstore.chain import GENESIS, entry_hash
from eventstore.checkpoint import sign_head
from eventstore.database import Pool
from eventstore.ids import new_id
from eventstore.offline import verify_file
from eventstore.unit_of_work import EventStore
from eventstore.verify import Report
from schemas.log import Actor, Stream
from schemas.verification import Checkpoint, Finding
from tests.logs import whole_log
from tests.verify.tampering import EVENTS, Past, write_contacts, write_past

KEY = Ed25519PrivateKey.generate()
Entry = dict[str, Any]


@pytest.fixture
def lines(pool: Pool, workspace: UUID, past: Past) -> list[bytes]:
    """The log as ``GET /log`` answers it in NDJSON."""
    return [msgspec.json.encode(entry) + b"\n" for entry in whole_log(pool, workspace)]


def finding(lines: Sequence[bytes], *checkpoints: Checkpoint, after: tuple[int, bytes] = (0, GENESIS)) -> Finding:
    """The first thing wrong with the file; there must be one."""
    found = verify_file(lines, checkpoints=checkpoints, after=after).finding
    assert found is not None
    return found


def changed(lines: Sequence[bytes], number: int, change: Callable[[Entry], object]) -> list[bytes]:
    """The file with one line edited."""
    entry = json.loads(lines[number - 1])
    change(entry)
    return [*lines[: number - 1], json.dumps(entry).encode(), *lines[number:]]


def chained_anew(lines: Sequence[bytes], previous: bytes = GENESIS) -> list[bytes]:
    """The file with every hash made to fit its entry."""
    made = []
    for line in lines:
        entry = json.loads(line)
        previous = entry_hash(previous, entry)
        made.append(json.dumps(entry | {"hash": previous.hex()}).encode())
    return made


def test_an_export_verifies(lines: list[bytes]) -> None:
    steps: list[int] = []
    report = verify_file(lines, progress=lambda _, more: steps.append(more))
    assert report == Report(workspaces=1, events=EVENTS)
    assert sum(steps) == EVENTS


def test_how_a_line_is_written_does_not_matter(lines: list[bytes]) -> None:
    rewritten = [json.dumps(dict(reversed(json.loads(line).items())), indent=1).replace("\n", " ") for line in lines]
    assert verify_file([line.encode() for line in rewritten]).finding is None


def test_a_whole_number_written_with_a_fraction_is_the_same_number(lines: list[bytes]) -> None:
    """The live store's verifier finds it; a file has no one way to write a number."""
    plain = chained_anew(changed(lines, 2, lambda entry: entry.update(data={"customFields": {"n": 7}})))
    assert verify_file(plain).finding is None
    rewritten = changed(plain, 2, lambda entry: entry["data"]["customFields"].update(n=7.0))
    assert b'"n": 7.0' in rewritten[1]
    assert verify_file(rewritten).finding is None


def test_blank_lines_are_passed_over(lines: list[bytes]) -> None:
    spaced = [part for line in lines for part in (line, b"\n")]
    assert verify_file(spaced) == Report(workspaces=1, events=EVENTS)


def test_lines_are_taken_one_by_one(store: EventStore, origin: Origin, pool: Pool) -> None:
    write_contacts(store, origin, 2_000)
    entries = whole_log(pool, origin.workspace_id)
    taken = 0

    def read() -> Any:
        nonlocal taken
        for taken, entry in enumerate(entries, 1):  # noqa: B007 - looked at from outside
            yield msgspec.json.encode(entry)

    steps = []
    report = verify_file(read(), progress=lambda what, more: steps.append((what, more, taken)))
    assert report.events == len(entries) == 2_000
    assert steps == [("log", 1_000, 1_000), ("log", 1_000, 2_000), ("log", 0, 2_000)]


EDITS: dict[str, Callable[[Entry], object]] = {
    "a letter of the data": lambda entry: entry["data"].update(firstName="Trace"),
    "a field more": lambda entry: entry.update(note="x"),
    "a field more in the data": lambda entry: entry["data"].update(note=None),
    "the actor": lambda entry: entry["meta"]["actor"].update(id=None),
    "the kind of actor": lambda entry: entry["meta"]["actor"].update(type="system"),
    "the time of decision": lambda entry: entry["meta"].update(occurredAt="2020-01-01T00:00:00.000000Z"),
    "the time of recording": lambda entry: entry.update(recordedAt="2030-01-01T00:00:00.000000Z"),
    "the type": lambda entry: entry.update(type="contact.deleted"),
    "the stream": lambda entry: entry["stream"].update(type="tag"),
    "the version": lambda entry: entry.update(version=7),
    "the id": lambda entry: entry.update(id=str(new_id())),
    "the hash": lambda entry: entry.update(hash=GENESIS.hex()),
    "the hash in other letters": lambda entry: entry.update(hash=entry["hash"].upper() + " "),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_an_edited_line_is_found(lines: list[bytes], edit: Callable[[Entry], object]) -> None:
    found = finding(changed(lines, 3, edit))
    assert (found.line, found.seq, found.what) == (3, 3, "hash")


def test_a_finding_says_where(lines: list[bytes], workspace: UUID, past: Past) -> None:
    found = finding(changed(lines, 2, lambda entry: entry.update(version=7)))
    assert found.stream == Stream(type="contact", id=past.ada)
    assert str(found).startswith(
        f"workspace {workspace}, line 2, seq 2, stream contact {past.ada}, event contact.created: hash: expected "
    )


@pytest.mark.parametrize("line", [1, 4])
def test_a_missing_line_is_found(lines: list[bytes], line: int) -> None:
    found = finding([*lines[: line - 1], *lines[line:]])
    assert (found.line, found.what, found.expected, found.found) == (line, "seq", str(line), str(line + 1))


def test_a_repeated_line_is_found(lines: list[bytes]) -> None:
    found = finding([*lines[:4], lines[3], *lines[4:]])
    assert (found.line, found.what, found.expected, found.found) == (5, "seq", "5", "4")


def test_a_line_of_another_workspace_is_found(
    lines: list[bytes], store: EventStore, origin: Origin, other_workspace: UUID, pool: Pool
) -> None:
    write_past(store, Origin(other_workspace, origin.actor))
    others = [msgspec.json.encode(entry) for entry in whole_log(pool, other_workspace)]
    found = finding([*lines[:3], others[3], *lines[4:]])
    assert (found.line, found.what, found.found) == (4, "workspaceId", str(other_workspace))


def test_time_that_goes_back_is_found(lines: list[bytes]) -> None:
    back = changed(lines, 4, lambda entry: entry.update(recordedAt="2020-01-01T00:00:00.000000Z"))
    found = finding(chained_anew(back))
    assert (found.line, found.what) == (4, "recordedAt")


@pytest.mark.parametrize("nothing", [[], [b""], [b"\n", b" \n"]], ids=["no line", "an empty one", "blank ones"])
def test_an_empty_file_is_no_log(nothing: list[bytes]) -> None:
    found = finding(nothing)
    assert (found.line, found.what, found.found) == (1, "entry", "an empty file")


def test_nothing_behind_a_known_entry_is_no_mistake(lines: list[bytes]) -> None:
    end = (EVENTS, bytes.fromhex(json.loads(lines[-1])["hash"]))
    assert verify_file([], after=end) == Report()


REWRITTEN: dict[str, tuple[str, Callable[[Entry], object]]] = {
    "a version jumped over": ("version", lambda entry: entry.update(version=entry["version"] + 1)),
    "a version twice": ("version", lambda entry: entry.update(version=entry["version"] - 1)),
    "an event that nobody knows": ("event type", lambda entry: entry.update(type="contact.exploded")),
    "an event of another kind of stream": ("event type", lambda entry: entry.update(type="tag.created")),
    "a kind of stream that nobody knows": ("stream type", lambda entry: entry["stream"].update(type="rocket")),
    "data that are not the event's": ("data", lambda entry: entry["data"].update(changed="everything")),
}
"""What a tamperer may do who makes every hash fit again."""


@pytest.mark.parametrize(("what", "edit"), REWRITTEN.values(), ids=REWRITTEN)
def test_a_rewritten_line_is_found_where_it_cannot_stand(
    lines: list[bytes], past: Past, what: str, edit: Callable[[Entry], object]
) -> None:
    assert json.loads(lines[3])["type"] == "contact.updated"
    found = finding(chained_anew(changed(lines, 4, edit)))
    assert (found.line, found.seq, found.what) == (4, 4, what)
    assert found.stream is not None
    assert found.stream.id == past.ada


def test_an_id_that_stands_twice_is_found(lines: list[bytes]) -> None:
    first = json.loads(lines[1])["id"]
    found = finding(chained_anew(changed(lines, 6, lambda entry: entry.update(id=first))))
    assert (found.line, found.what, found.found) == (6, "id", f"{first}, the id of event 2")


def test_a_stream_keeps_its_kind(lines: list[bytes], past: Past) -> None:
    def elsewhere(entry: Entry) -> None:
        entry["stream"]["id"] = str(past.tag)

    found = finding(chained_anew(changed(lines, 4, elsewhere)))
    assert (found.line, found.what, found.found) == (4, "stream type", "contact")


def test_events_of_a_programs_own_kind_are_no_business_of_ours(lines: list[bytes]) -> None:
    def own(entry: Entry) -> None:
        entry.update(type="acme:visit.logged", version=7)
        entry["stream"]["type"] = "acme:visit"

    assert verify_file(chained_anew(changed(lines, EVENTS - 1, own))).finding is None


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b"{}",
        b"\xff",
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
    ],
    ids=["cut off", "a list", "nothing in it", "not UTF-8", "too deep"],
)
def test_a_line_that_is_no_entry_is_found(lines: list[bytes], line: bytes) -> None:
    found = finding([*lines[:2], line, *lines[2:]])
    assert (found.line, found.what) == (3, "entry")


def test_a_name_that_stands_twice_is_found(lines: list[bytes]) -> None:
    twice = lines[2].replace(b'"data":{', b'"data":{"status":"ARCHIVED",', 1)
    assert twice != lines[2]
    found = finding([*lines[:2], twice, *lines[3:]])
    assert (found.line, found.what, found.found) == (3, "entry", "a name that stands twice in one object")


@pytest.mark.parametrize("number", [b"NaN", b"9007199254740993", b"1e400"])
def test_a_number_that_has_no_canonical_form_is_found(lines: list[bytes], number: bytes) -> None:
    found = finding([*lines[:2], lines[2].replace(b'"data":{', b'"data":{"x":' + number + b",", 1)])
    assert (found.line, found.what) == (3, "entry")


def test_an_export_may_begin_behind_a_known_entry(lines: list[bytes]) -> None:
    known = (3, bytes.fromhex(json.loads(lines[2])["hash"]))
    assert verify_file(lines[3:], after=known) == Report(workspaces=1, events=EVENTS - 3)
    assert (finding(lines[3:], after=(3, GENESIS)).line, finding(lines[3:], after=(3, GENESIS)).what) == (1, "hash")
    assert finding(lines[4:], after=known).what == "seq"


def test_a_kept_checkpoint_proves_that_an_export_was_rewritten(
    pool: Pool, store: EventStore, origin: Origin, lines: list[bytes]
) -> None:
    checkpoint = sign_head(pool, origin.workspace_id, KEY)
    assert verify_file(lines, checkpoints=[checkpoint]) == Report(workspaces=1, events=EVENTS, checkpoints=1)
    rewritten = chained_anew(changed(lines, 3, lambda entry: entry["data"].update(firstName="Trace")))
    assert verify_file(rewritten).finding is None
    found = finding(rewritten, checkpoint)
    assert (found.seq, found.expected) == (EVENTS, checkpoint.hash)


def test_a_kept_checkpoint_proves_that_an_export_was_cut_off(pool: Pool, origin: Origin, lines: list[bytes]) -> None:
    checkpoint = sign_head(pool, origin.workspace_id, KEY)
    assert verify_file(lines[:-1]).finding is None
    assert finding(lines[:-1], checkpoint).found == f"a log that ends at {EVENTS - 1}"
    assert finding([], checkpoint).found == "a log that ends at 0"


def test_a_checkpoint_must_be_signed(pool: Pool, origin: Origin, lines: list[bytes]) -> None:
    checkpoint = sign_head(pool, origin.workspace_id, KEY)
    unsigned = msgspec.structs.replace(checkpoint, signature="00" * 64)
    assert finding(lines, unsigned).found == "one that does not hold"
    report = verify_file(lines, checkpoints=[checkpoint], trusted=["00" * 32])
    assert report.finding is not None
    assert report.finding.expected == "one of the trusted public keys"


def test_checkpoints_that_the_file_cannot_meet_are_not_counted(
    pool: Pool, store: EventStore, origin: Origin, other_workspace: UUID, lines: list[bytes]
) -> None:
    write_past(store, Origin(other_workspace, origin.actor))
    of_another = sign_head(pool, other_workspace, KEY)
    checkpoint = sign_head(pool, origin.workspace_id, KEY)
    from_before = msgspec.structs.replace(checkpoint, seq=2)
    known = (3, bytes.fromhex(json.loads(lines[2])["hash"]))
    report = verify_file(lines[3:], checkpoints=[of_another, from_before, checkpoint], after=known)
    assert report == Report(workspaces=1, events=EVENTS - 3, checkpoints=1)


def test_a_checkpoint_of_the_known_entry_is_compared_with_it(pool: Pool, workspace: UUID, store: EventStore) -> None:
    empty = sign_head(pool, workspace, KEY)
    write_past(store, Origin(workspace, Actor(type="system")))
    lines = [msgspec.json.encode(entry) for entry in whole_log(pool, workspace)]
    assert verify_file(lines, checkpoints=[empty]).checkpoints == 1
    assert finding(lines, empty, after=(0, b"x" * 32)).seq == 0
