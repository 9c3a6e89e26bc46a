"""JSON that is nested without end: an answer that names the field, at every door."""

from __future__ import annotations

import json
import threading
import time
from contextlib import suppress
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.wire.reading import MAX_DEPTH, MAX_VALUES, TooDeepError, check_depth
from tests.api.asserting import refused
from tests.api.team import Team

IMPORT = "/contacts/import"
DEPTHS = pytest.mark.parametrize("depth", [MAX_DEPTH, 500, 1_000, 100_000])
"""Of a value within a document: one level too deep, what the decoder takes, and what it does not."""

values = st.recursive(
    st.none() | st.integers() | st.text("ab[]{}\"'\\,: \n", max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('a"[}', max_size=3), inner, max_size=3),
    max_leaves=12,
)


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


def deep(value: Any) -> int:
    """How many lists and objects are within one another."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(deep, inner), default=0)


def post(team: Team, path: str, body: str) -> Any:
    return team.owner.ask("POST", path, content=body, headers={"content-type": "application/json"})


@DEPTHS
@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/contacts", '{"firstName": "Ada", "customFields": {"a": %s}}', "customFields"),
        ("/contacts", "[%s]", "body"),
        ("/tags", '{"name": %s}', "name"),
        (IMPORT, '{"contacts": [{"firstName": "Ada", "customFields": {"a": %s}}]}', "contacts"),
        (IMPORT, '{"rows": [{"First Name": "Ada"}, {"First Name": %s}]}', "rows"),
        (IMPORT, '{"constantValues": {"custom.a": %s}, "rows": [{"First Name": "Ada"}]}', "constantValues"),
        (IMPORT, '{"mapping": {}, "more" : %s}', "more"),
    ],
)
def test_a_body_that_is_nested_too_deeply_is_refused_by_its_field(
    team: Team, path: str, body: str, field: str, depth: int
) -> None:
    refused(post(team, path, body % nested(depth)), 422, field, says=f"must be nested at most {MAX_DEPTH} deep")


@DEPTHS
@pytest.mark.parametrize("option", ["constantValues", "mapping", "tags"])
def test_so_is_an_option_of_a_form(team: Team, option: str, depth: int) -> None:
    answer = team.owner.ask(
        "POST", IMPORT, files={"file": ("a.csv", b"First Name\nAda\n", "text/csv")}, data={option: f"[{nested(depth)}]"}
    )
    refused(answer, 422, option, says=f"must be nested at most {MAX_DEPTH} deep")


def test_what_is_deep_and_broken_is_no_json(team: Team) -> None:
    refused(post(team, "/contacts", '{"firstName": "Ada", "customFields": ' + "[" * 100), 400, says="not valid JSON")


def test_what_holds_very_many_values_is_refused_before_it_is_read(team: Team) -> None:
    for many in ("[],", '"",', "0,"):
        body = '{"rows": [{"First Name": [' + many * (MAX_VALUES + 1) + "0]}]}"
        refused(post(team, IMPORT, body), 422, "body", says=f"must hold at most {MAX_VALUES} values")


def test_commas_in_text_are_no_values() -> None:
    check_depth(json.dumps([["a,[{"] * 40] * 40 + ['"' * 5 + "," * MAX_VALUES]).encode())


@pytest.mark.parametrize("piece", [b"[],", b'{"a":"b"},'])
def test_other_threads_go_on_while_a_document_is_looked_at(piece: bytes) -> None:
    """None of the steps takes most of the time; at best, as a busy machine may stop all threads for a while."""
    document = b'{"rows":[' + piece * (15_000_000 // len(piece)) + b"0]}"
    assert min(longest_wait(document) for _ in range(3)) < 0.4


def longest_wait(document: bytes) -> float:
    """How long another thread waits to go on while a document is looked at, as a part of the time that this takes."""
    over, seen = threading.Event(), [time.perf_counter()]

    def go_on() -> None:
        while not over.is_set():
            time.sleep(0.001)
            seen.append(time.perf_counter())

    other = threading.Thread(target=go_on)
    other.start()
    with suppress(msgspec.ValidationError):
        check_depth(document)
    over.set()
    other.join()
    return max(later - sooner for sooner, later in pairwise(seen)) / (seen[-1] - seen[0])


@given(value=values, levels=st.integers(0, MAX_DEPTH + 3))
def test_depth_is_that_of_lists_and_objects_not_of_brackets_in_text(value: Any, levels: int) -> None:
    for _ in range(levels):
        value = [["["], value, {"]": '"'}]
    document = json.dumps(value).encode()
    if deep(value) <= MAX_DEPTH:
        check_depth(document)
    else:
        with pytest.raises(TooDeepError):
            check_depth(document)
