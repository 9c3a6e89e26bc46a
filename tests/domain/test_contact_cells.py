"""How cells are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from domain import contact_cells
from domain.contact_cells import READERS
from domain.contact_mapping import PEOPLE
from domain.importing import cells
from domain.importing.fields import RowReader


@pytest.mark.parametrize(
    ("read", "cell", "value"),
    [
        (cells.boolean, " Yes ", True),
        (cells.boolean, "x", True),
        (cells.boolean, "0", False),
        (contact_cells.contact_type, "Organisation", "organization"),
        (contact_cells.contact_type, "individual", "person"),
        (READERS["status"], "archived", "ARCHIVED"),
        (READERS["assignedTo"], "0198C6F2-7d3a-7c4e-9b1f-2a6d5e8f0001", UUID("0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0001")),
        (cells.day, "1990-02-01", "1990-02-01"),
        (cells.day, "1990/2/1", "1990-02-01"),
        (cells.day, "1.2.1990", "1990-02-01"),
        (cells.website, "acme.com", "https://acme.com"),
        (cells.website, "www.acme.co.uk/about?x=1", "https://www.acme.co.uk/about?x=1"),
        (cells.website, "http://acme.com", "http://acme.com"),
        (cells.website, "none", "none"),
        (cells.address, "1 Main St \r\n Apt 4", "1 Main St, Apt 4"),
        (cells.one_line, "a\n\nb", "a b"),
        (cells.names, "a; b,c , ,d", ["a", "b", "c", "d"]),
    ],
)
def test_what_people_write(read: Callable[[str], Any], cell: str, value: Any) -> None:
    assert read(cell) == value


@pytest.mark.parametrize(
    ("field", "cell", "says"),
    [
        ("dnc", "maybe", "yes or no"),
        ("type", "lead", "person or organization"),
        ("status", "won", "ACTIVE, INACTIVE or ARCHIVED"),
        ("assignedTo", "Ada", "id of a member"),
        ("birthday", "02/01/1990", "must be a date"),
        ("birthday", "31.2.1990", "must be a date"),
        ("language", "English!", "language tag"),
    ],
)
def test_what_cannot_be_read_says_what_was_expected(field: str, cell: str, says: str) -> None:
    row = RowReader(PEOPLE, [field]).read([cell])
    assert row.fields == {}
    assert [(error.field, says in error.message) for error in row.errors] == [(field, True)]


def test_every_reader_is_of_a_field() -> None:
    assert READERS.keys() <= contact_cells.CELLS.keys()


class TestRow:
    READER = RowReader(
        PEOPLE, ["firstName", "notes", None, "custom.plan", "tags", "communicationPreferences.sms", "tags", "name"]
    )

    def test_has_a_value_for_each_cell_that_is_not_empty(self) -> None:
        row = self.READER.read(["Ada\nMaria", "one\ntwo", "left out", "gold", "a,b", "never", "c", "Ada L"])
        assert row.fields == {
            "first_name": "Ada Maria",
            "notes": "one\ntwo",
            "custom_fields": {"plan": "gold"},
            "communication_preferences": {"sms": "never"},
        }
        assert (row.tags, row.whole, row.errors) == (["a", "b", "c"], "Ada L", [])

    def test_an_empty_cell_is_no_value(self) -> None:
        row = self.READER.read(["", " ", "", "\t", "", "\n", "", " "])
        assert (row.fields, row.tags, row.whole, row.errors) == ({}, [], None, [])

    def test_may_be_shorter_than_the_header(self) -> None:
        assert self.READER.read(["Ada"]).fields == {"first_name": "Ada"}

    def test_may_not_have_more_in_it_than_the_table_has_columns(self) -> None:
        assert self.READER.read(["Ada", *[""] * 12]).errors == []
        (error,) = self.READER.read(["Ada", *[""] * 9, "lost"]).errors
        assert (error.field, error.message) == ("row", "has 11 cells, and the table has 8 columns")
