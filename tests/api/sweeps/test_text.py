"""Hostile text is refused by name wherever text is taken: it breaks nothing, and nothing of it is kept."""

from __future__ import annotations

import re
from typing import Any, Final

import httpx

from tests.api.sweeps.fields import Field, named, text_fields
from tests.api.sweeps.makers import Things
from tests.api.sweeps.operations import Operation, every
from tests.api.sweeps.written import Written

LONG: Final = 100_000
HOSTILE: Final = {"NUL": "nul\0unlikely", "half a pair": "\ud800unlikely", "too long": "y" * LONG}
KEPT: Final = re.compile(r"(?<!\\x00)unlikely|y{1000}")
"""What of these would show that they were kept; an error may quote their beginning, with NUL written out."""
BLANK: Final = " \t\u00a0\u2003 "
TURNING: Final = "\u202egnp.exe\u2066"
LONGEST_ANSWER: Final = 20_000
LONGEST_IN_A_URL: Final = 60_000


def sent(things: Things, op: Operation, body: Any) -> httpx.Response:
    return things.ask(things.team.anonymous if op.public else things.team.owner, op, json=body)


@every(lambda op: bool(text_fields(op)))
def test_hostile_text_is_refused_by_the_name_of_its_field(ours: Things, written: Written, op: Operation) -> None:
    before = set(written(ours.team.workspace_id))
    wrong = [
        f"{field}, {what}: {complaint}"
        for field in text_fields(op)
        for what, value in HOSTILE.items()
        if (complaint := complaint_about(ours, op, field, value)) is not None
    ]
    assert not wrong, "\n".join(wrong)
    kept = [row[:500] for row in written(ours.team.workspace_id) if row not in before and KEPT.search(row)]
    assert not kept, "\n".join(kept)


def complaint_about(things: Things, op: Operation, field: Field, value: str) -> str | None:
    """What is wrong about the answer: it broke, said everything again, or whatever else was sent did not refuse.

    Once as the example has the rest; then without each of its other fields, one of which may win over this one; and
    then with only what is required.
    """
    answers = []
    others = sorted(op.example.keys() - op.required - {field.name})
    for left_out in ([], *([other] for other in others), others):
        body = {name: found for name, found in things.body(op).items() if name not in left_out}
        answer = sent(things, op, field.within(body, value))
        answers.append(f"{answer.status_code} {answer.text[:200]}")
        if answer.status_code >= 500 or len(answer.content) > LONGEST_ANSWER:
            break
        if is_named(op, field, answer):
            return None
    return "; ".join(answers)


def is_named(op: Operation, field: Field, answer: httpx.Response) -> bool:
    """Whether it is refused, and told of that field.

    Who cannot log in is not told why, half a pair is no JSON, and a secret may be anything.
    """
    if answer.status_code == 422:
        return field.name in named(answer)
    if field.is_secret and answer.is_success:
        return True
    is_no_json = answer.status_code == 400 and "not valid JSON" in answer.text
    return is_no_json or (op.public and answer.status_code == 401)


@every(lambda op: bool(text_fields(op)))
def test_blank_text_is_not_kept_and_breaks_nothing(ours: Things, written: Written, op: Operation) -> None:
    for field in text_fields(op):
        answer = sent(ours, op, field.within(ours.body(op), BLANK))
        assert answer.status_code < 500, (str(field), answer.text)
    kept = [row for row in written(ours.team.workspace_id) if row.startswith("events ") and BLANK.strip(" \t") in row]
    assert not kept, "\n".join(kept)


@every(lambda op: bool(text_fields(op)))
def test_text_that_turns_its_reader_round_breaks_nothing(ours: Things, op: Operation) -> None:
    for field in text_fields(op):
        answer = sent(ours, op, field.within(ours.body(op), TURNING))
        assert answer.status_code < 500, (str(field), answer.text)


@every(lambda op: bool(op.taken("query")))
def test_hostile_text_in_the_query_breaks_nothing(ours: Things, op: Operation) -> None:
    """It may find nothing, or be refused by its name."""
    wrong = []
    for name in op.taken("query"):
        for value in ("nul%00inside", "%ED%A0%80half", "y" * LONGEST_IN_A_URL, "%E2%80%AEgnp", "%20", ""):
            answer = ours.ask(ours.team.owner, op, params=None, path=f"{ours.path(op)}?{name}={value}")
            if answer.status_code not in (200, 400, 404, 422):
                wrong.append(f"{name}={value[:20]}: {answer.status_code} {answer.text[:200]}")
    assert not wrong, "\n".join(wrong)


@every(lambda op: bool(op.in_path))
def test_hostile_text_in_the_path_finds_nothing(ours: Things, op: Operation) -> None:
    for name in op.in_path:
        for value in ("nul%00inside", "%ED%A0%80half", "y" * LONGEST_IN_A_URL, "%E2%80%AEgnp", "%20"):
            answer = ours.ask(ours.team.owner, op, path=ours.path(op, **{name: value}))
            assert answer.status_code in (400, 404, 422), (name, value[:20], answer.text)
