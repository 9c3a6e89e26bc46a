"""What a search looks in of values by key: their text, once, and not more than is of use."""

from __future__ import annotations

from typing import Any

import pytest

from domain.contact import Contact
from eventstore.ids import new_id
from eventstore.rows import Current
from projections.contact import CONTACTS
from projections.table.words import MAX_OF_ALL, MAX_OF_ONE, words
from tests.projections.test_asking import START

AN_ID = "01980000-0000-7000-8000-000000000001"


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("Gold", "Gold"),
        (["hops", "malt", 7, None, True], "hops\nmalt"),
        ("2024-01-15 or later", "2024-01-15 or later"),
        ("2024-01-15", ""),
        ("2026-03-14T22:30:00Z", ""),
        ("2026-03-14T22:30:00.5Z", ""),
        (AN_ID, ""),
        ([AN_ID, "hops"], "hops"),
        (38, ""),
        (False, ""),
        (None, ""),
        ([], ""),
    ],
)
def test_text_is_looked_in_and_nothing_else(value: Any, found: str) -> None:
    assert words({"key": value}) == found


def test_a_text_that_is_under_several_keys_is_looked_in_once() -> None:
    assert words({"a": "Yes", "b": ["Yes", "No"], "c": "No"}) == "Yes\nNo"


def test_so_much_of_one_text_and_of_all_is_looked_in() -> None:
    assert words({"a": "x" * (MAX_OF_ONE + 1)}) == "x" * MAX_OF_ONE
    assert len(words({f"k{number}": f"{number}" + "x" * MAX_OF_ONE for number in range(100)})) == MAX_OF_ALL


def test_a_row_has_it_behind_its_columns_without_case_and_accents() -> None:
    contact = Contact(first_name="Ada", phone="+14155552671", custom_fields={"plan": "Größe XL", "n": 1})
    row = CONTACTS.project(Current(new_id(), contact, 1, START, START))
    assert row[-1] == "ada\n+14155552671\ngrosse xl"


def test_in_whatever_order_values_came_the_text_is_the_same() -> None:
    """As events have them, and as they were sent."""
    assert words({"score": "high", "vip": "yes"}) == words({"vip": "yes", "score": "high"}) == "high\nyes"
