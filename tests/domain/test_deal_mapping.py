"""How the columns and cells of a table of deals are read."""

from __future__ import annotations

from decimal import Decimal

import pytest

from domain.deal_mapping import DEALS, amount, share
from domain.importing.columns import recognised


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("42000.5", "42000.5"),
        (" $42,000.50 ", "42000.50"),
        ("1,234,567", "1234567"),
        ("7 €", "7"),
        ("0.", "0"),
        ("-3", "-3"),
    ],
)
def test_an_amount_is_read_as_it_is_written(cell: str, value: str) -> None:
    assert amount(cell) == Decimal(value)


@pytest.mark.parametrize("cell", ["", "much", "1.234,56", "1,23", "12,34,567", "1e9", "NaN", "1" * 41, "$", "4 2"])
def test_what_can_be_read_in_several_ways_or_in_none_is_refused(cell: str) -> None:
    with pytest.raises(ValueError, match="must be an amount"):
        amount(cell)


@pytest.mark.parametrize(("cell", "value"), [("0.55", 0.55), ("55%", 0.55), ("100 %", 1), ("1", 1), ("0", 0)])
def test_a_probability_is_a_part_or_a_percentage(cell: str, value: float) -> None:
    assert share(cell) == value


@pytest.mark.parametrize("cell", ["55", "101%", "-1", "likely", "9" * 41])
def test_what_is_no_probability_is_refused(cell: str) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        share(cell)


def test_columns_are_recognised_by_the_headers_that_people_write() -> None:
    headers = ["Deal Name", "Amount", "Currency", "Pipeline", "Deal Stage", "Close Date", "Contact Email", "Region"]
    assert recognised(DEALS, headers, []) == dict(
        zip(
            headers,
            ["name", "value", "currency", "pipeline", "stage", "expectedCloseDate", "contact", "custom.Region"],
            strict=True,
        )
    )


def test_a_column_of_other_things_is_no_field_for_its_header_alone() -> None:
    assert recognised(DEALS, ["Name", "Status"], [["A", "qualified"]]) == {"Name": "name", "Status": "custom.Status"}
    assert recognised(DEALS, ["Name", "Amount"], [["A", "a lot"]]) == {"Name": "name", "Amount": "custom.Amount"}
