"""What is wrong with a body is told at once: every field by its name, and what would be right where there is a choice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from tests.api.asserting import refused
from tests.api.sweeps.fields import named
from tests.api.sweeps.makers import Things
from tests.api.sweeps.operations import DOCUMENT, Operation, every, resolved
from tests.api.team import Member
from tests.json_schema import validator


def who(things: Things, op: Operation) -> Member:
    return things.team.anonymous if op.public else things.team.owner


def properties(op: Operation) -> Mapping[str, Any]:
    assert op.body is not None
    found: Mapping[str, Any] = resolved(op.body["schema"])["properties"]
    return found


def unlike(schema: Mapping[str, Any]) -> list[Any]:
    """Something that the schema does not allow; nothing where it allows anything."""
    check = validator(dict(schema), components=DOCUMENT["components"])
    tried: tuple[Any, ...] = (True, [], {})
    return [value for value in tried if not check.is_valid(value)][:1]


def choices(schema: Mapping[str, Any]) -> list[str]:
    return [word for word in schema.get("enum", ()) if word is not None]


def told(error: dict[str, Any]) -> set[str]:
    """The words that an error about one field says it must be of."""
    (detail,) = error["details"]
    return set(detail["message"].removeprefix("must be one of ").split(", "))


@every(lambda op: op.body is not None)
def test_every_field_at_fault_is_named_at_once(ours: Things, op: Operation) -> None:
    """Unknown ones, missing ones, and all others as something that they are not."""
    unknown = {"madeUp": 1, "madeUpToo": None}
    wrong = {name: value for name, schema in properties(op).items() for value in unlike(schema)}
    answer = ours.ask(who(ours, op), op, json={**wrong, **unknown})
    refused(answer, 422)
    assert named(answer) >= wrong.keys() | unknown.keys()
    bare = ours.ask(who(ours, op), op, json=unknown)
    assert named(bare) == op.required | unknown.keys()


@every(lambda op: op.body is not None and any(choices(resolved(schema)) for schema in properties(op).values()))
def test_where_there_is_a_choice_of_words_they_are_told(ours: Things, op: Operation) -> None:
    for name, schema in properties(op).items():
        if words := choices(resolved(schema)):
            answer = ours.ask(who(ours, op), op, json={**ours.body(op), name: "madeUp"})
            assert told(refused(answer, 422, name)) == set(words)


def questions(op: Operation) -> Iterator[tuple[str, list[str]]]:
    """The parameters in its query that are a choice of words, and the words."""
    for parameter in op.parameters:
        schema = parameter["schema"]
        if parameter["in"] == "query" and (words := choices(schema) or choices(schema.get("items", {}))):
            yield parameter["name"], words


@every(lambda op: any(questions(op)))
def test_so_are_they_in_a_query(ours: Things, op: Operation) -> None:
    for name, words in questions(op):
        answer: httpx.Response = ours.ask(ours.team.owner, op, params={**ours.params(op), name: "madeUp"})
        assert told(refused(answer, 400, name)) == set(words)
