"""An import is one more door: what cannot be written through the others cannot be written through it, in any form."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Final
from uuid import uuid4

import httpx
import pytest

from tests.api.asserting import refused
from tests.api.sweeps.fields import Field, named, text_fields
from tests.api.sweeps.makers import Things
from tests.api.sweeps.operations import OPERATIONS, Operation
from tests.api.sweeps.test_text import HOSTILE, KEPT
from tests.api.sweeps.written import Written

COLUMN: Final = "Hostile"

NO_JSON: Final = "The body is not valid JSON"

Form = Callable[[Things, Operation, str, str], httpx.Response]
"""Imports one thing: the example's, with text in a field of this name."""


MADE_OF: Final[dict[str, Callable[[Things], dict[str, str]]]] = {
    "importCompanies": lambda things: {"name": things.word()},
    "importContacts": lambda things: {"email": f"{things.word()}@example.com"},
    "importDeals": lambda things: {
        "name": things.word(),
        "pipelineId": things["pipelineId"],
        "stageId": things["stageId"],
    },
}
"""By import, the fields of one that is not there already, and that can be made of these."""


def _example(op: Operation, things: Things, but: str = "") -> tuple[dict[str, str], dict[str, str]]:
    """A row by column, and the mapping of its columns; without what it refers to by the field that is put there instead."""
    fields = {name: value for name, value in MADE_OF[op.id](things).items() if name != but or not name.endswith("Id")}
    return {f"Its {name}": value for name, value in fields.items()}, {f"Its {name}": name for name in fields}


def as_object(things: Things, op: Operation, name: str, value: str) -> httpx.Response:
    row, mapping = _example(op, things, name)
    thing = {field: row[column] for column, field in mapping.items()} | {name: value}
    return things.ask(things.team.owner, op, json={op.path.split("/")[1]: [thing]})


def as_mapped_row(things: Things, op: Operation, name: str, value: str) -> httpx.Response:
    row, mapping = _example(op, things, name)
    return things.ask(
        things.team.owner, op, json={"rows": [{**row, COLUMN: value}], "mapping": {**mapping, COLUMN: name}}
    )


def as_line_of_a_file(things: Things, op: Operation, name: str, value: str) -> httpx.Response:
    row, mapping = _example(op, things, name)
    options = {"mapping": json.dumps({**mapping, COLUMN: name})}
    return _file(things, op, [*row, COLUMN], [*row.values(), value], **options)


def _file(things: Things, op: Operation, header: list[str], line: list[str], **options: str) -> httpx.Response:
    text = io.StringIO()
    csv.writer(text).writerows([header, line])
    content, headers = text.getvalue().encode(errors="surrogatepass"), {"content-type": "text/csv; charset=utf-8"}
    return things.ask(things.team.owner, op, content=content, headers=headers, params=options)


def as_constant(things: Things, op: Operation, name: str, value: str) -> httpx.Response:
    row, mapping = _example(op, things, name)
    return things.ask(things.team.owner, op, json={"rows": [row], "mapping": mapping, "constantValues": {name: value}})


FORMS: Final[list[Form]] = [as_object, as_mapped_row, as_line_of_a_file, as_constant]
IMPORTS: Final = [
    (op, made) for op in OPERATIONS for made in OPERATIONS if made.makes and op.path == f"{made.path}/import"
]
"""Each import, with the operation that makes one of what it imports."""

IN_EVERY_FORM = pytest.mark.parametrize(
    ("form", "op", "made"),
    [pytest.param(form, op, made, id=f"{op.id}-{form.__name__}") for op, made in IMPORTS for form in FORMS],
)


def fields_of(made: Operation) -> list[Field]:
    """Those that a cell of text can be of."""
    return [field for field in text_fields(made) if len(field.way) == 1]


def is_refused(field: Field, answer: httpx.Response) -> bool:
    """As a whole, for the sake of the field or of what leads to it; or the row alone, by the field's name."""
    if answer.status_code == 422:
        return bool(named(answer) & {field.name, "mapping", "constantValues", "file"})
    if answer.status_code != 200:
        return False
    found = answer.json()["data"]
    return found["errorCount"] == found["total"] == 1 and field.name in {error["field"] for error in found["errors"]}


@IN_EVERY_FORM
def test_hostile_text_is_refused(ours: Things, written: Written, form: Form, op: Operation, made: Operation) -> None:
    before = set(written(ours.team.workspace_id))
    wrong = [
        f"{field}, {what}: {answer.status_code} {answer.text[:300]}"
        for field in fields_of(made)
        for what, value in HOSTILE.items()
        if not is_refused(field, answer := form(ours, op, field.name, value)) and NO_JSON not in answer.text
    ]
    assert not wrong, "\n".join(wrong)
    kept = [row[:500] for row in written(ours.team.workspace_id) if row not in before and KEPT.search(row)]
    assert not kept, "\n".join(kept)


@pytest.mark.parametrize("op", [pytest.param(op, id=op.id) for op, _ in IMPORTS])
def test_hostile_names_of_columns_are_refused(ours: Things, written: Written, op: Operation) -> None:
    """Over a file and in rows, where nothing says what they are for."""
    before = set(written(ours.team.workspace_id))
    for value in (HOSTILE["NUL"], HOSTILE["too long"]):
        row, _ = _example(op, ours)
        refused(ours.ask(ours.team.owner, op, json={"rows": [{**row, value: "x"}]}), 422, "rows")
        refused(_file(ours, op, [*row, value], [*row.values(), "x"]), 422, "file")
    kept = [line[:500] for line in written(ours.team.workspace_id) if line not in before and KEPT.search(line)]
    assert not kept, "\n".join(kept)


@IN_EVERY_FORM
def test_an_id_of_theirs_of_nothing_or_no_id_at_all_is_refused(
    ours: Things, theirs: Things, written: Written, form: Form, op: Operation, made: Operation
) -> None:
    values = {"nothing": str(uuid4()), "no id": "not an id", **theirs.ids()}
    wrong = [
        f"{field}, {what}: {answer.status_code} {answer.text[:300]}"
        for field in fields_of(made)
        if field.is_reference
        for what, value in values.items()
        if not is_refused(field, answer := form(ours, op, field.name, value))
    ]
    assert not wrong, "\n".join(wrong)
    created = [row for row in written(ours.team.workspace_id) if not row.startswith(("jobs ", "job_"))]
    foreign = set(theirs.ids().values())
    assert not [row[:500] for row in created if any(value in row for value in foreign)]


@IN_EVERY_FORM
def test_only_an_id_of_the_right_kind_is_taken(ours: Things, form: Form, op: Operation, made: Operation) -> None:
    for field in fields_of(made):
        if field.is_reference:
            taken = {
                kind
                for kind, value in ours.ids().items()
                if form(ours, op, field.name, value).json().get("data", {}).get("created")
            }
            assert len(taken) == 1, (str(field), taken)
