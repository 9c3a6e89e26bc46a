"""Signed heads of the log over HTTP."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from application import log_checkpoint
from domain.kernel import Refused
from eventstore.checkpoint import SigningError, digest, fingerprint, signature_holds
from schemas.verification import Checkpoint
from tests.api.asserting import ok, refused
from tests.api.team import Team, created


def sign(team: Team) -> dict[str, Any]:
    return created(team.owner.post("/log/checkpoints"))


def test_the_head_is_signed_as_it_is(team: Team) -> None:
    team.owner.tag()
    checkpoint = sign(team)
    last = ok(team.owner.get("/log"))["data"][-1]
    assert (checkpoint["seq"], checkpoint["hash"]) == (last["seq"], last["hash"])
    assert checkpoint["workspaceId"] == str(team.workspace_id)
    assert signature_holds(msgspec.convert(checkpoint, Checkpoint))
    assert not signature_holds(msgspec.convert({**checkpoint, "seq": checkpoint["seq"] + 1}, Checkpoint))


def test_a_head_is_signed_once(team: Team) -> None:
    assert sign(team) == sign(team)


def test_who_only_reads_the_log_signs_nothing(team: Team) -> None:
    for somebody in (team.member, team.limited, team.viewer, team.key("log:read")):
        refused(somebody.post("/log/checkpoints"), 403, says="log:write")
    assert team.owner.listed("/log/checkpoints") == []
    for somebody in (team.admin, team.key("log:write"), team.owner):
        created(somebody.post("/log/checkpoints"))


def test_they_are_listed_newest_first_in_pages(team: Team, others: Team) -> None:
    made = []
    for _ in range(3):
        team.owner.tag()
        made.append(sign(team))
    sign(others)
    assert team.owner.listed("/log/checkpoints") == made[::-1]
    answer = ok(team.owner.get("/log/checkpoints?page=2&limit=2"))
    assert answer == {
        "data": [made[0]],
        "meta": {"page": 2, "limit": 2, "total": 3, "totalPages": 2, "nextCursor": None},
    }


def test_they_are_read_to_the_end_by_cursor(team: Team) -> None:
    made = []
    for _ in range(3):
        team.owner.tag()
        made.append(sign(team))
    first = ok(team.owner.get("/log/checkpoints?limit=2"))
    team.owner.tag()
    sign(team)
    second = ok(team.owner.get("/log/checkpoints", params={"limit": 2, "cursor": first["meta"]["nextCursor"]}))
    assert first["data"] + second["data"] == made[::-1]
    assert second["meta"] == {"page": 1, "limit": 2, "total": 4, "totalPages": 2, "nextCursor": None}


@pytest.mark.parametrize("query", ["cursor=x", "sort=seq"])
def test_nothing_is_pretended(team: Team, query: str) -> None:
    refused(team.owner.get(f"/log/checkpoints?{query}"), 400, query.partition("=")[0])


def test_a_signed_head_is_among_the_deliveries_of_who_asked_for_it(team: Team) -> None:
    made = created(
        team.owner.post("/webhooks", {"url": "https://example.com/hook", "events": ["log.checkpoint_signed", "log.*"]})
    )
    checkpoint = sign(team)
    sign(team)
    path = f"/webhooks/{made['id']}/deliveries"
    (delivery,) = team.owner.listed(path)
    assert (delivery["eventType"], delivery["seq"]) == ("log.checkpoint_signed", checkpoint["seq"])
    assert team.owner.listed(f"{path}?event=log.checkpoint_signed") == [delivery]
    assert ok(team.owner.get(f"{path}/{delivery['id']}"))["data"] == {**delivery, "attempts": []}


def test_checkpoints_name_their_key_and_the_one_before(team: Team) -> None:
    first = sign(team)
    team.owner.tag()
    second = sign(team)
    assert first["keyFingerprint"] == second["keyFingerprint"] == fingerprint(bytes.fromhex(first["publicKey"]))
    assert (first["previous"], second["previous"]) == ("00" * 32, digest(msgspec.convert(first, Checkpoint)))


def test_a_head_that_cannot_be_signed_is_said_to_be_unavailable_and_why(team: Team) -> None:
    def fail(_: bytes) -> bytes:
        raise SigningError("the command that signs ended with 3")

    broken = SimpleNamespace(public_key=Ed25519PrivateKey.generate().public_key, sign=fail)
    with pytest.raises(Refused, match=r"The log could not be signed: the command that signs ended with 3\.") as raised:
        log_checkpoint.sign(team.services.pool, team.workspace_id, broken)
    assert raised.value.code == "unavailable"
