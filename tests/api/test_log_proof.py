"""That an entry is in the log is proved to who has a signed head, and a proof that was tampered with is not one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from click.testing import CliRunner, Result

from daybook.cli import daybook
from eventstore import proof as proving
from eventstore.chain import GENESIS
from eventstore.proof import check_proof
from eventstore.verify import MismatchError
from schemas.verification import Proof
from tests.api.asserting import ok, refused
from tests.api.team import Team, created


@pytest.fixture
def signed(team: Team) -> dict[str, Any]:
    """The signed head of a log in which more was written before and after."""
    for _ in range(3):
        team.owner.tag()
    team.owner.contact(firstName="Grace", customFields={"score": 0.1, "ö": "\U0001f600", "n": 1e-7})
    head = created(team.owner.post("/log/checkpoints"))
    team.owner.tag()
    return head


def proof(team: Team, **asked: Any) -> dict[str, Any]:
    found: dict[str, Any] = ok(team.owner.get("/log/proof", params=asked))["data"]
    return found


def as_proof(found: dict[str, Any]) -> Proof:
    return msgspec.json.decode(json.dumps(found), type=Proof)


def test_every_entry_up_to_a_signed_head_is_proved(team: Team, signed: dict[str, Any]) -> None:
    entries = ok(team.owner.get("/log?limit=1000"))["data"][: signed["seq"]]
    for entry in entries:
        found = proof(team, seq=entry["seq"])
        assert (found["entry"], found["checkpoint"]) == (entry, signed)
        assert len(found["leaves"]) == signed["seq"] - entry["seq"]
        check_proof(as_proof(found), [signed["publicKey"]])
    assert proof(team, seq=1)["previousHash"] == GENESIS.hex()
    assert proof(team, seq=2)["previousHash"] == entries[0]["hash"]
    assert proof(team, seq=len(entries))["leaves"] == []


def test_an_event_is_proved_by_its_id(team: Team, signed: dict[str, Any]) -> None:
    entry = ok(team.owner.get("/log?limit=3"))["data"][-1]
    assert proof(team, eventId=entry["id"]) == proof(team, seq=entry["seq"])
    refused(team.owner.get(f"/log/proof?eventId={uuid4()}"), 404)


def test_the_next_signed_head_is_the_one_that_is_led_to(team: Team, signed: dict[str, Any]) -> None:
    later = created(team.owner.post("/log/checkpoints"))
    assert proof(team, seq=1)["checkpoint"] == signed
    assert proof(team, seq=later["seq"])["checkpoint"] == later


def test_what_is_not_signed_yet_cannot_be_proved(team: Team, signed: dict[str, Any]) -> None:
    answer = team.owner.get(f"/log/proof?seq={signed['seq'] + 1}")
    refused(answer, 409, says="POST /log/checkpoints")
    created(team.owner.post("/log/checkpoints"))
    proof(team, seq=signed["seq"] + 1)
    refused(team.owner.get(f"/log/proof?seq={signed['seq'] + 2}"), 404)


def test_a_proof_has_no_more_links_than_it_may(
    team: Team, signed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proving, "MAX_LINKS", 2)
    refused(team.owner.get(f"/log/proof?seq={signed['seq'] - 3}"), 409, says="a proof has 2 at most")
    proof(team, seq=signed["seq"] - 2)


@pytest.mark.parametrize("query", ["", "?seq=1&eventId=01980000-0000-7000-8000-000000000001"])
def test_one_entry_is_asked_for(team: Team, query: str) -> None:
    refused(team.owner.get(f"/log/proof{query}"), 422, "seq")


@pytest.mark.parametrize(("query", "field"), [("seq=0", "seq"), ("seq=x", "seq"), ("eventId=1", "eventId")])
def test_what_is_no_place_in_a_log_is_refused(team: Team, query: str, field: str) -> None:
    refused(team.owner.get(f"/log/proof?{query}"), 400, field)


def test_who_sees_only_what_is_theirs_is_given_no_proof(team: Team, signed: dict[str, Any]) -> None:
    refused(team.limited.get("/log/proof?seq=1"), 403)
    refused(team.key("contacts:read").get("/log/proof?seq=1"), 403, says="log:read")
    ok(team.key("log:read").get("/log/proof?seq=1"))


def test_another_workspace_proves_nothing_of_this_one(team: Team, others: Team, signed: dict[str, Any]) -> None:
    entry = ok(team.owner.get("/log?limit=1"))["data"][0]
    refused(others.owner.get(f"/log/proof?eventId={entry['id']}"), 404)


TAMPERED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "the entry's data": (lambda found: found["entry"]["data"].update(name="Other"), "hash"),
    "who did it": (lambda found: found["entry"]["meta"]["actor"].update(type="system", id=None), "hash"),
    "the entry's hash": (lambda found: found["entry"].update(hash="00" * 32), "hash"),
    "the hash before": (lambda found: found.update(previousHash="01" * 32), "hash"),
    "a link": (lambda found: found["leaves"].__setitem__(0, "00" * 32), "checkpoint signed"),
    "a link gone": (lambda found: found["leaves"].pop(), "links"),
    "two links swapped": (lambda found: found["leaves"].reverse(), "checkpoint signed"),
    "no hex": (lambda found: found["leaves"].__setitem__(0, "x"), "proof"),
    "the checkpoint's hash": (lambda found: found["checkpoint"].update(hash="00" * 32), "signature"),
    "the checkpoint's time": (
        lambda found: found["checkpoint"].update(signedAt="2026-03-15T10:30:00.000000Z"),
        "signature",
    ),
    "the checkpoint's seq": (
        lambda found: (
            found["checkpoint"].update(seq=found["checkpoint"]["seq"] + 1),
            found["leaves"].append("00" * 32),
        ),
        "signature",
    ),
    "another workspace": (lambda found: found["entry"].update(workspaceId=str(uuid4())), "workspace"),
}


@pytest.mark.parametrize(("tamper", "what"), TAMPERED.values(), ids=TAMPERED)
def test_a_proof_that_was_tampered_with_is_found(
    team: Team, signed: dict[str, Any], tamper: Callable[[dict[str, Any]], object], what: str
) -> None:
    found = proof(team, seq=signed["seq"] - 3)
    check_proof(as_proof(found))
    tamper(found)
    with pytest.raises(MismatchError) as raised:
        check_proof(as_proof(found))
    assert raised.value.finding.what.startswith(what)


def typed(*words: str) -> Result:
    return CliRunner().invoke(daybook, ["audit", "verify-proof", *words])


def test_a_proof_is_checked_by_a_command_that_needs_nothing_else(
    team: Team, signed: dict[str, Any], tmp_path: Path
) -> None:
    answer, alone, wrong = tmp_path / "answer.json", tmp_path / "proof.json", tmp_path / "wrong.json"
    found = proof(team, seq=signed["seq"] - 1)
    answer.write_text(json.dumps({"data": found}))
    alone.write_text(json.dumps(found))
    for path in (answer, alone):
        done = typed(str(path), "--trusted", signed["keyFingerprint"])
        assert done.exit_code == 0, done.output
        assert f"the log whose head {signed['seq']} was signed at {signed['signedAt']}" in done.output
    assert "do you trust that key?" in typed(str(alone)).output
    assert typed(str(alone), "--trusted", "00" * 32).exit_code == 1
    found["entry"]["type"] = "tag.deleted"
    wrong.write_text(json.dumps(found))
    done = typed(str(wrong))
    assert (done.exit_code, done.output.startswith("WRONG: ")) == (1, True)
    assert typed(str(alone), "--trusted", "x").exit_code == 2


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"data": 1}', b"x", b'{"\xff": 1}', b"[" * 100_000])
def test_what_is_no_proof_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "proof.json"
    path.write_bytes(content)
    assert "that is no proof" in str(typed(str(path)).exception)
