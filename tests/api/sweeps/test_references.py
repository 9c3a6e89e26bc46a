"""An id that is sent must be that of a thing which is there, in this workspace, and of the right kind."""

from __future__ import annotations

import re
from typing import Any, Final, get_args
from uuid import uuid4

import httpx
import pytest

from domain.object_attribute import Related
from eventstore.definitions import Remembered
from eventstore.references import References
from projections.catalogue import ROWS, TABLES
from tests.api.sweeps.fields import Field, named, references
from tests.api.sweeps.makers import Things
from tests.api.sweeps.operations import OPERATIONS, Operation, every
from tests.api.sweeps.written import Written

REFERRING = every(lambda op: bool(references(op)))

ENDS: Final = {op.in_path[-1]: op for op in OPERATIONS if op.method == "DELETE" and op.path.endswith("Id}")}
"""By the name of its id, what ends a thing."""
FEW: Final = {"pipeline"}
"""What so few refer to that their end takes no job: the stages of a pipeline."""
OF_TWO: Final = frozenset({"dismissDuplicates", "mergeContacts", "undoContactMerge"})
"""What takes another than the one in the path, or two at once, which the tests of it see to."""
ROW_TABLES: Final = {table.table for table in TABLES}
STILL_KNOWN: Final = {ROWS[kind].table for kind in ("user", "api_key", "call")}
"""Where a user who was removed stays: who they were, and what they did."""


def with_reference(things: Things, op: Operation, field: Field, value: Any) -> httpx.Response:
    return things.ask(things.team.owner, op, json=field.within(things.body(op), value))


def is_refused(field: Field, answer: httpx.Response) -> bool:
    """Told by the field's name; or, where something is to be taken away, that there is no such thing."""
    return field.name in named(answer) if answer.status_code == 422 else answer.status_code == 404


@REFERRING
def test_an_id_of_theirs_or_of_nothing_is_refused_by_the_name_of_its_field(
    ours: Things, theirs: Things, written: Written, op: Operation
) -> None:
    before = written(theirs.team.workspace_id)
    wrong = [
        f"{field}, {kind}: {answer.status_code} {answer.text[:200]}"
        for field in references(op)
        for kind, value in {"nothing": str(uuid4()), **theirs.ids()}.items()
        if not is_refused(field, answer := with_reference(ours, op, field, value))
    ]
    assert not wrong, "\n".join(wrong)
    assert written(theirs.team.workspace_id) == before
    foreign = set(theirs.ids().values())
    kept = [row[:500] for row in written(ours.team.workspace_id) if any(value in row for value in foreign)]
    assert not kept, "\n".join(kept)


@every(lambda op: bool(references(op)) and op.id not in OF_TWO)
def test_only_an_id_of_the_right_kind_is_taken(ours: Things, op: Operation) -> None:
    """Of our own: one kind is, so the refusals above are for the sake of whose it is; the others are not."""
    for field in references(op):
        things = ours.anew()
        taken = {kind for kind, value in things.ids().items() if with_reference(things, op, field, value).is_success}
        assert len(taken) == 1, (str(field), taken)


@REFERRING
def test_null_is_taken_where_the_document_says_so(ours: Things, op: Operation) -> None:
    for field in references(op):
        answer = with_reference(ours, op, field, None)
        assert answer.is_success == field.nullable, (str(field), answer.text)
        assert answer.is_success or field.name in named(answer), (str(field), answer.text)


@every(lambda op: op.makes and bool(references(op)))
def test_what_has_ended_is_not_referred_to_any_more(ours: Things, written: Written, op: Operation) -> None:
    """Whoever referred to it has let go, or is gone too; or it does not end as long as somebody does."""
    things = ours.anew()
    for field in references(op):
        for kind, end in ENDS.items():
            if with_reference(things, op, field, things[kind]).is_success:
                ended = things.ask(things.team.owner, end)
                assert ended.status_code in (204, 409), ended.text
                asked = ROW_TABLES - (STILL_KNOWN if kind == "userId" else set())
                rows = [row for row in written(things.team.workspace_id) if row.partition(" ")[0] in asked]
                referring = [row[:500] for row in rows if things[kind] in row]
                assert bool(referring) == (ended.status_code == 409), (str(field), referring)
                things = ours.anew()


@pytest.mark.parametrize("op", [pytest.param(op, id=op.id) for op in ENDS.values()])
def test_the_end_of_what_others_refer_to_is_said_to_be_a_job_where_they_are_many(op: Operation) -> None:
    kind = re.sub(r"(?<=[a-z])[A-Z]", lambda found: "_" + found[0].lower(), op.in_path[-1]).removesuffix("_id")
    many = [found.to for _, found in References(ROWS).to(kind) if found.to.on_end != "refuse"]
    by_values = kind in Remembered(ROWS).kinds or kind in get_args(Related)
    assert ("202" in op.says["responses"]) == ((bool(many) or by_values) and kind not in FEW)


@pytest.mark.parametrize(
    ("op", "name"),
    [
        pytest.param(op, parameter["name"], id=f"{op.id}-{parameter['name']}")
        for op in OPERATIONS
        for parameter in op.parameters
        if parameter["in"] == "query"
        and op.id != "proveLogEntry"  # which is of one entry: 404 where there is none
        and "uuid" in (parameter["schema"].get("format"), parameter["schema"].get("items", {}).get("format"))
    ],
)
def test_to_filter_by_an_id_of_theirs_finds_as_little_as_by_one_of_nothing(
    ours: Things, theirs: Things, op: Operation, name: str
) -> None:
    nothing = ours.ask(ours.team.owner, op, params={name: str(uuid4())})
    assert nothing.status_code == 200, nothing.text
    for value in theirs.ids().values():
        answer = ours.ask(ours.team.owner, op, params={name: value})
        assert answer.content == nothing.content
    if nothing.headers["content-type"].startswith("text/csv"):
        assert nothing.content.count(b"\n") == 1, "only the names of its columns"
    else:
        assert not nothing.json()["data"]
