"""Columns of a table of companies, as people head them and fill them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from domain.company_mapping import COMPANIES, size
from domain.importing.columns import check_needed, recognised
from domain.kernel import Refused

DATA = Path(__file__).parent.parent / "data"


def test_the_columns_of_a_real_file_are_recognised() -> None:
    with (DATA / "organizations.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert recognised(COMPANIES, header, rows) == {
        "Index": None,
        "Organization Id": "custom.Organization Id",
        "Name": "name",
        "Website": "domain",
        "Country": "address.country",
        "Description": "custom.Description",
        "Founded": "custom.Founded",
        "Industry": "industry",
        "Number of employees": "size",
        "UpdatedAt": "custom.UpdatedAt",
    }


def test_a_column_of_words_that_are_no_size_is_a_custom_field() -> None:
    assert recognised(COMPANIES, ["Name", "Size"], [["Acme", "XL"]]) == {"Name": "name", "Size": "custom.Size"}


@pytest.mark.parametrize(
    ("cell", "kept"),
    [
        ("1", "1-10"), ("10", "1-10"), ("11", "11-50"), ("200", "51-200"), ("500", "201-500"), ("1,113", "500+"),
        (" 51-200 ", "51-200"), ("500+", "500+"),
    ],
)  # fmt: skip
def test_a_number_of_people_is_of_a_size(cell: str, kept: str) -> None:
    assert size(cell) == kept


@pytest.mark.parametrize("cell", ["0", "-3", "many", "1.5", "9" * 10, "٣"])
def test_what_is_no_number_of_people_is_refused(cell: str) -> None:
    with pytest.raises(ValueError, match="must be 1-10, 11-50"):
        size(cell)


def test_parts_of_an_address_are_named_and_no_others() -> None:
    assert COMPANIES.target_of("address.zip") == "address.zip"
    with pytest.raises(ValueError, match=r"must be one of address.city, address.country"):
        COMPANIES.target_of("address.planet")
    with pytest.raises(ValueError, match=r"must be a company's field, address.city, .*, address.zip or custom.<key>"):
        COMPANIES.target_of("plan")


def test_a_table_without_names_is_refused() -> None:
    with pytest.raises(Refused, match="has no column for name, and a company must have one"):
        check_needed(COMPANIES, {"Town": "address.city"}, ())
