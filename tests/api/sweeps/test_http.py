"""HTTP itself, as every operation speaks it: methods, media types, headers, versions."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from api.http.middleware import MAX_HEADERS
from tests.api.asserting import refused
from tests.api.sweeps.makers import Things
from tests.api.sweeps.operations import OPERATIONS, Operation, every
from tests.api.sweeps.test_stale import version_of
from tests.api.sweeps.written import Written

OF_THE_MOMENT = {"date", "x-request-id", "ratelimit", "content-length"}


def who(things: Things, op: Operation) -> Any:
    return things.team.anonymous if op.public else things.team.owner


def methods_at(path: str) -> set[str]:
    """What the document says can be done at a path, and what can be done wherever that is."""
    documented = {op.method for op in OPERATIONS if op.path == path}
    return documented | {"OPTIONS"} | ({"HEAD"} if "GET" in documented else set())


def allowed(answer: httpx.Response) -> set[str]:
    return {method.strip() for method in answer.headers["allow"].split(",")}


@every(lambda op: op.method == "GET")
def test_head_is_answered_as_get_without_the_body(ours: Things, op: Operation) -> None:
    path, params = ours.path(op), ours.params(op)
    got, head = (ours.team.owner.ask(method, path, params=params) for method in ("GET", "HEAD"))
    assert head.status_code == got.status_code == 200
    assert head.content == b""
    assert head.headers.keys() == got.headers.keys()
    assert {name: head.headers[name] for name in head.headers if name not in OF_THE_MOMENT} == {
        name: got.headers[name] for name in got.headers if name not in OF_THE_MOMENT
    }


@every()
def test_options_and_a_method_that_is_not_allowed_name_those_that_are(ours: Things, op: Operation) -> None:
    path, there = ours.path(op), methods_at(op.path)
    asked = ours.team.anonymous.ask("OPTIONS", path)
    assert (asked.status_code, asked.content) == (204, b"")
    assert allowed(asked) == there
    for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} - there:
        wrong = ours.team.owner.ask(method, path)
        assert wrong.status_code == 405
        assert allowed(wrong) == there


@every()
def test_no_answer_is_kept_or_guessed_at(ours: Things, op: Operation) -> None:
    for member in (ours.team.anonymous, ours.team.viewer):
        answer = ours.ask(member, op, json={"madeUp": 1})
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"


@every(lambda op: op.method == "GET")
def test_an_id_is_the_first_that_is_said_of_a_thing(ours: Things, op: Operation) -> None:
    answer = ours.team.owner.ask("GET", ours.path(op), params=ours.params(op))
    data = answer.json().get("data") if answer.headers["content-type"] == "application/json" else None
    for found in data if isinstance(data, list) else [data]:
        if isinstance(found, dict) and "id" in found:
            assert next(iter(found)) == "id"


@every()
def test_headers_without_end_are_refused(ours: Things, op: Operation) -> None:
    answer = ours.ask(who(ours, op), op, headers={"x-much": "y" * MAX_HEADERS})
    refused(answer, 431, says=str(MAX_HEADERS))


@every(lambda op: op.body is not None)
@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "application/json; charset=utf-16"},
        {"content-type": "application/json;charset=ISO-8859-1"},
        {"content-type": 'application/json; boundary=x; charset="utf-32"'},
        {"content-type": "application/json-patch+json"},
        {"content-type": "application/vnd.api+json"},
        {"content-type": "application/jsonl"},
        {"content-encoding": "gzip"},
    ],
    ids=str,
)
def test_a_body_that_would_be_misread_is_not_read(
    ours: Things, written: Written, op: Operation, headers: dict[str, str]
) -> None:
    before = written(ours.team.workspace_id)
    refused(ours.ask(who(ours, op), op, headers=headers), 415, says="application/json")
    assert written(ours.team.workspace_id) == before


@every(lambda op: op.body is not None)
def test_a_name_that_is_there_twice_is_refused(ours: Things, written: Written, op: Operation) -> None:
    name = next(iter(op.example))
    whole = json.dumps(ours.body(op))
    before = written(ours.team.workspace_id)
    spelled = f"\\u{ord(name[0]):04x}{name[1:]}"
    first = json.dumps(ours.body(op)[name])
    for again in (name, spelled):
        twice = f'{{"{again}": {first}, {whole[1:]}'.encode()
        answer = ours.ask(who(ours, op), op, content=twice, headers={"content-type": "application/json"})
        refused(answer, 400, name, says="once")
    assert written(ours.team.workspace_id) == before


@every(lambda op: bool(op.taken("query")))
def test_a_parameter_is_given_once_or_takes_several_values(ours: Things, op: Operation) -> None:
    for parameter in op.parameters:
        if parameter["in"] == "query":
            name = parameter["name"]
            answer = ours.team.owner.ask(op.method, f"{ours.path(op)}?{name}=1&{name}=1")
            if parameter["schema"].get("type") == "array":
                assert "once" not in answer.text
            else:
                refused(answer, 400, name, says="must be given once")


@every(lambda op: "sort" in op.taken("query"))
def test_what_can_be_sorted_by_is_said_and_true(ours: Things, op: Operation) -> None:
    params = ours.params(op)
    wrong = ours.ask(ours.team.owner, op, params={**params, "sort": "madeUp"})
    said = refused(wrong, 422, "sort", says="must be one of")["details"][0]["message"]
    for field in said.removeprefix("must be one of ").partition(", or ")[0].split(", "):
        for sort in (field, f"-{field}"):
            answer = ours.ask(ours.team.owner, op, params={**params, "sort": sort})
            assert answer.status_code == 200, (sort, answer.text)


@every(lambda op: "If-Match" in op.taken("header"))
@pytest.mark.parametrize("tags", ['W/"{}"', '"v{}"', '"{}", W/"x"', '"0{}"', '""', 'W/"{}", "{}0"'])
def test_a_tag_that_is_weak_or_of_others_matches_nothing(
    ours: Things, written: Written, op: Operation, tags: str
) -> None:
    things = ours.anew()
    now = version_of(things, op)
    before = written(things.team.workspace_id)
    version = now + 1 if tags.startswith('"{}"') else now
    refused(things.ask(things.team.owner, op, headers={"if-match": tags.replace("{}", str(version))}), 412)
    assert written(things.team.workspace_id) == before


@every(lambda op: "If-Match" in op.taken("header"))
@pytest.mark.parametrize("garbage", ["{}", "'{}'", '"{}', '"{}" "{}"', "*, *", '*, "{}"', 'w/"{}"', '"{}"; x', ""])
def test_what_is_no_tag_is_malformed(ours: Things, written: Written, op: Operation, garbage: str) -> None:
    before = written(ours.team.workspace_id)
    version = str(version_of(ours, op))
    refused(ours.ask(ours.team.owner, op, headers={"if-match": garbage.replace("{}", version)}), 400, says="If-Match")
    assert written(ours.team.workspace_id) == before


@every(lambda op: "If-Match" in op.taken("header"))
@pytest.mark.parametrize("tags", ["*", '"99", "{}"', '"{}","99"', ', "a,b" ,W/"{}", "{}",'])
def test_one_of_several_tags_is_enough(ours: Things, op: Operation, tags: str) -> None:
    things = ours.anew()
    version = str(version_of(things, op))
    answer = things.ask(things.team.owner, op, headers={"if-match": tags.replace("{}", version)})
    assert answer.is_success, answer.text
