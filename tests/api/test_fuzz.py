"""Whatever is sent to any operation, the answer is documented, and never a failure of ours."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from application.calling.services import Services
from tests.api.sweeps.operations import DOCUMENT, Operation, every, resolved
from tests.api.team import API, Member, Team

TEXTS = st.text(max_size=20) | st.sampled_from(
    ["", "\0", "null", "-1", "0", "9" * 40, "VIP", "a@example.com", "2026-03-15"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@dataclass(frozen=True)
class Crowd:
    owner: Member
    ids: list[str]
    """Of contacts and of a tag, for operations that take one and for those that take the other."""


@pytest.fixture
def crowd(services: Services, http: httpx.Client) -> Crowd:
    """A workspace with something in it."""
    team = Team(services, http)
    contacts = [team.owner.contact(firstName=f"C{number}", tags=["VIP"]) for number in range(3)]
    return Crowd(team.owner, [contact["id"] for contact in contacts] + [contacts[0]["tagDetails"][0]["id"]])


def bodies(operation: dict[str, Any]) -> st.SearchStrategy[Any]:
    """The example with some of its fields, or fields that the schema has, replaced by anything."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return st.none()
    fields = sorted(resolved(content["schema"])["properties"])
    changed = st.dictionaries(st.sampled_from(fields), JSON, max_size=4)
    return JSON | changed | changed.map(lambda some: {**content["example"], **some})


def queries(operation: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    names = [found["name"] for found in operation["parameters"] if found.get("in") == "query"]
    if not names:
        return st.dictionaries(TEXTS, TEXTS, max_size=1)
    # Waiting for the log to grow would only be slow.
    return st.dictionaries(
        st.sampled_from([name for name in names if name != "wait"]), TEXTS | st.lists(TEXTS), max_size=4
    )


def headers() -> st.SearchStrategy[dict[bytes, bytes]]:
    names = [b"if-match", b"if-none-match", b"idempotency-key", b"x-request-id", b"accept", b"x-workspace-id"]
    # What HTTP itself does not allow in a header never arrives.
    values = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=12).map(str.encode)
    return st.dictionaries(st.sampled_from(names), values | st.sampled_from([b'"1"', b"*", b"\xe4"]), max_size=2)


@every(lambda op: op.id != "logOut")  # which would end the session that all ask with
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_the_answer_is_documented(crowd: Crowd, op: Operation, data: st.DataObject) -> None:
    ids = st.sampled_from(crowd.ids) | st.uuids().map(str)
    filled = API + re.sub(r"{\w+}", lambda _: data.draw(ids), op.path)
    answer = crowd.owner.http.request(
        op.method,
        filled,
        params=data.draw(queries(op.says)),
        json=data.draw(bodies(op.says)),
        headers={b"authorization": f"Bearer {crowd.owner.token}".encode(), **data.draw(headers())},
    )
    unkept = answer.status_code == 503 and "asOf" in answer.url.params  # no worker keeps the past
    assert answer.status_code < 500 or answer.status_code == 502 or unkept, answer.text
    assert str(answer.status_code) in op.says["responses"].keys() | {"404"}, (answer.status_code, answer.text)
    if answer.status_code >= 400:
        assert answer.json()["error"]["code"] in DOCUMENT["info"]["description"]
