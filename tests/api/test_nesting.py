"""JSON that is nested without end: an answer that names the field, at every door."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.wire.reading import MAX_DEPTH, TooDeepError, check_depth
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
