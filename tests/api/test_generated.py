"""Requests generated from the OpenAPI document, to every operation: no failure of ours, no answer that is not documented.

What is sent is what the document asks for or breaks it, with ids in the path of things that are there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from application.calling.services import Services
from daybook.embedded import EmbeddedPostgres
from tests.api.sweeps.makers import Things
from tests.api.sweeps.operations import DOCUMENT, Operation, every
from tests.api.team import API, Team

SCHEMA: Final = schemathesis.openapi.from_dict(DOCUMENT)
AS_DOCUMENTED: Final = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
WAITING: Final = frozenset({"wait", "minSeq"})
"""Parameters with which an answer takes its time."""
OF_OTHERS: Final = 502
"""The one failure that is not ours: of the receiver of a webhook."""
NOT_YET: Final = 503
"""As of a moment that the past has not been kept up to: no worker keeps it here."""

_EXHAUSTIVE: Final = 200
_QUICK: Final = 3


def generated(examples: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@dataclass(frozen=True)
class Asking:
    """Things of a workspace, and who may do everything with them."""

    things: Things
    session: requests.Session


def asking(services: Services, http: httpx.Client, postgres: EmbeddedPostgres) -> Iterator[Asking]:
    """In a workspace of its own, by a key: other than a session of its owner, logging out does not end it."""
    things = Things(Team(services, http), postgres)
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {things.team.key('*').token}"
        yield Asking(things, session)


reading = pytest.fixture(scope="module")(asking)
commanding = pytest.fixture(scope="module")(asking)
apart = pytest.fixture(asking)


def ask(server: str, session: requests.Session, things: Things, op: Operation, data: st.DataObject) -> None:
    operation = SCHEMA[API + op.path][op.method]
    known = {name: things[name] for name in op.in_path} if data.draw(st.booleans()) else None
    mode = data.draw(st.sampled_from(GenerationMode))
    case: Any = data.draw(operation.as_strategy(mode, path_parameters=known))
    case.query = {name: value for name, value in (case.query or {}).items() if name not in WAITING}
    if data.draw(st.booleans()):
        case.headers.pop("X-Workspace-Id", None)
    response = case.call(base_url=server, session=session)
    if op.method == "DELETE" and response.status_code < HTTPStatus.BAD_REQUEST:
        things.forget(op.in_path[-1])
    failures = {OF_OTHERS, NOT_YET} if "asOf" in case.query else {OF_OTHERS}
    assert response.status_code < 500 or response.status_code in failures, case.as_curl_command()
    case.validate_response(response, checks=AS_DOCUMENTED)


@every(lambda op: op.method == "GET")
@generated(_QUICK)
@given(data=st.data())
def test_a_few_reads_are_answered_as_documented(
    server: str, reading: Asking, op: Operation, data: st.DataObject
) -> None:
    ask(server, reading.session, reading.things, op, data)


@every(lambda op: op.method != "GET")
@generated(_QUICK)
@given(data=st.data())
def test_a_few_commands_are_answered_as_documented(
    server: str, commanding: Asking, op: Operation, data: st.DataObject
) -> None:
    """To things that none has been sent to: many end them."""
    ask(server, commanding.session, commanding.things.anew(), op, data)


@pytest.mark.slow
@pytest.mark.timeout(600)
@every()
@generated(_EXHAUSTIVE)
@given(data=st.data())
def test_many_are_answered_as_documented(server: str, apart: Asking, op: Operation, data: st.DataObject) -> None:
    """Each in a workspace of its own: so many calls of all would reach a workspace's limits."""
    ask(server, apart.session, apart.things, op, data)
