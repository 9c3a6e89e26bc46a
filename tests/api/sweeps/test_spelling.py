"""Parameters are called in camelCase: what a document calls in snake_case is understood by both names, and means the same."""

from __future__ import annotations

import re
from typing import Any, Final

import pytest

from tests.api.asserting import refused
from tests.api.sweeps.operations import OPERATIONS, Operation
from tests.api.team import Team

ANOTHER: Final = re.compile(r"Another name for `(\w+)`\.")
SNAKE: Final = [
    (op, said) for op in OPERATIONS for said in op.parameters if "_" in said["name"] and said["in"] == "query"
]


def camel(name: str) -> str:
    return re.sub(r"_(\w)", lambda found: found[1].upper(), name)


TWICE: Final = [
    pytest.param(op, said, id=f"{op.id}-{said['name']}")
    for op, said in SNAKE
    if camel(said["name"]) in op.taken("query")
]


def values(said: dict[str, Any]) -> tuple[str, str]:
    """Two that the parameter may have."""
    schema = said["schema"]
    if schema.get("format") == "uuid":
        return "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0001", "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0002"
    return tuple(schema["enum"][:2]) if "enum" in schema else ("2026-04-10", "2026-04-11T10:00:00Z")


def test_whatever_has_a_name_in_snake_case_has_one_in_camel_case() -> None:
    assert len(SNAKE) > 50
    for op, said in SNAKE:
        names, other = op.taken("query"), ANOTHER.fullmatch(said["description"])
        assert camel(said["name"]) in names or (other is not None and other[1] in names), (op.id, said["name"])


def test_another_name_is_one_of_a_parameter_that_there_is() -> None:
    told = [
        (op, other[1]) for op in OPERATIONS for said in op.parameters if (other := ANOTHER.match(said["description"]))
    ]
    assert len(told) > 50
    assert all(name in op.taken("query") for op, name in told)


@pytest.mark.parametrize(("op", "said"), TWICE)
class TestEachOfBothNames:
    def test_is_taken_alone_or_with_the_same_beside_it(self, team: Team, op: Operation, said: dict[str, Any]) -> None:
        one, _ = values(said)
        names = (said["name"], camel(said["name"]))
        for given in ({names[0]: one}, {names[1]: one}, dict.fromkeys(names, one)):
            assert team.owner.get(op.path, params=given).status_code == 200

    def test_is_refused_by_its_own_name(self, team: Team, op: Operation, said: dict[str, Any]) -> None:
        for name in (said["name"], camel(said["name"])):
            refused(team.owner.get(op.path, params={name: "none"}), 400, name)

    def test_contradicts_the_other_where_it_says_something_else(
        self, team: Team, op: Operation, said: dict[str, Any]
    ) -> None:
        names = (said["name"], camel(said["name"]))
        answer = team.owner.get(op.path, params=dict(zip(names, values(said), strict=True)))
        error = refused(answer, 400, says="must not be given beside")
        assert error["details"][0]["field"] in names
