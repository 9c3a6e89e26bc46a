"""What columns are taken for."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given as any_of
from hypothesis import strategies as st

from domain.contact_mapping import ORGANIZATIONS, PEOPLE
from domain.importing.columns import MAX_COLUMNS, given, headers, recognised
from domain.kernel import Refused, values

DATA = Path(__file__).parent.parent / "data"


def of_file(name: str) -> dict[str, str | None]:
    with (DATA / name).open(newline="") as file:
        first, *rows = csv.reader(file)
    return recognised(PEOPLE, headers(first), rows)


def one(header: str, *cells: str, fixed: tuple[str, ...] = ()) -> str | None:
    return recognised(PEOPLE, [header], [[cell] for cell in cells], fixed=fixed)[header]


class TestRecognised:
    def test_leads_as_a_crm_exports_them(self) -> None:
        assert of_file("leads.csv") == {
            "Index": None,
            "Account Id": "custom.Account Id",
            "Lead Owner": "custom.Lead Owner",
            "First Name": "firstName",
            "Last Name": "lastName",
            "Company": "company",
            "Phone 1": "phone",
            "Phone 2": "custom.Phone 2",
            "Email 1": "email",
            "Email 2": "custom.Email 2",
            "Website": "website",
            "Source": "source",
            "Deal Stage": "custom.Deal Stage",
            "Notes": "notes",
        }

    def test_customers_as_a_shop_exports_them(self) -> None:
        found = of_file("customers.csv")
        assert (found["Email"], found["City"], found["Country"]) == ("email", "city", "country")
        assert found["Subscription Date"] == "custom.Subscription Date"
        assert found["Index"] is None

    @pytest.mark.parametrize(
        ("header", "field"),
        [
            ("E-mail", "email"),
            ("EMAIL ADDRESS", "email"),
            ("e_mail", "email"),
            ("E-mail 1 - Value", "email"),
            ("firstName", "firstName"),
            ("first_name", "firstName"),
            ("Given Name", "firstName"),
            ("Surname", "lastName"),
            ("Full Name", "name"),
            ("Téléphone", "phone"),
            ("Telephone", "phone"),
            ("Mobile Phone", "phone"),
            ("Organisation", "company"),
            ("Account Name", "company"),
            ("companyId", "companyId"),
            ("Job-Title", "jobTitle"),
            ("Lead Source", "source"),
            ("Web Page", "website"),
            ("Mailing Zip/Postal Code", "zipcode"),
            ("State/Region", "state"),
            ("Labels", "tags"),
            ("Do not call", "dnc"),
            ("custom.plan", "custom.plan"),
            ("customFields.plan", "custom.plan"),
            ("communicationPreferences.sms", "communicationPreferences.sms"),
        ],
    )
    def test_a_header_in_any_way_of_writing_it(self, header: str, field: str) -> None:
        assert one(header) == field

    def test_of_several_columns_for_one_field_the_plainest_is_it_and_none_is_lost(self) -> None:
        found = recognised(PEOPLE, ["Mobile", "Email 2", "Phone", "Work Email"], [])
        assert found == {
            "Mobile": "custom.Mobile",
            "Email 2": "custom.Email 2",
            "Phone": "phone",
            "Work Email": "email",
        }

    def test_a_whole_name_beside_its_parts_is_kept_as_it_is(self) -> None:
        assert recognised(PEOPLE, ["Name", "Last Name"], []) == {"Name": "custom.Name", "Last Name": "lastName"}

    def test_the_name_of_organizations_is_the_company(self) -> None:
        assert recognised(ORGANIZATIONS, ["Name"], []) == {"Name": "company"}
        assert recognised(ORGANIZATIONS, ["Name", "Company"], []) == {
            "Name": "custom.Name",
            "Company": "company",
        }

    @pytest.mark.parametrize(
        ("header", "cells", "field"),
        [
            ("Status", ("active", "", "Archived"), "status"),
            ("Status", ("active", "won"), "custom.Status"),
            ("Type", ("person", "Company"), "type"),
            ("Type", ("lead",), "custom.Type"),
            ("Unsubscribed", ("yes", "no", ""), "globallyUnsubscribed"),
            ("Unsubscribed", ("last week",), "custom.Unsubscribed"),
            ("Birthday", ("1990-02-01", "1.2.1990"), "birthday"),
            ("Birthday", ("02/01/1990",), "custom.Birthday"),
            ("Language", ("en", "pt-BR"), "language"),
            ("Language", ("English (UK)",), "custom.Language"),
            ("Company ID", ("0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0090", ""), "companyId"),
            ("Company ID", ("0015e00001",), "custom.Company ID"),
        ],
    )
    def test_a_column_of_another_kind_than_its_header_says_is_a_custom_field(
        self, header: str, cells: tuple[str, ...], field: str
    ) -> None:
        assert one(header, *cells) == field

    def test_a_field_that_is_the_same_everywhere_takes_no_column(self) -> None:
        assert one("Source", fixed=("source",)) == "custom.Source"
        assert one("Plan", fixed=("custom.Plan",)) == "custom.Plan 2"

    @pytest.mark.parametrize(
        ("header", "cells", "field"),
        [
            ("Index", ("1", "2", "3"), None),
            ("#", ("0", "1", "2"), None),
            ("", ("1",), None),
            ("Index", ("1", "3", "4"), "custom.Index"),
            ("Index", ("7", "8"), "custom.Index"),
            ("Score", ("1", "2", "3"), "custom.Score"),
        ],
    )
    def test_a_column_that_only_numbers_the_rows_is_left_out(
        self, header: str, cells: tuple[str, ...], field: str | None
    ) -> None:
        assert one(header, *cells) == field

    def test_a_header_that_is_no_key_is_made_into_one(self) -> None:
        found = recognised(PEOPLE, ["Phone (mobile)", "Phone [mobile]", "_id", "$$$", "x" * 80], [])
        assert list(found.values()) == [
            "custom.Phone mobile",
            "custom.Phone mobile 2",
            "custom.id",
            "custom.Column 4",
            "custom." + "x" * 60,
        ]

    def test_rows_may_be_shorter_than_the_header(self) -> None:
        assert recognised(PEOPLE, ["Email", "Status"], [["a@example.com"], []]) == {
            "Email": "email",
            "Status": "status",
        }

    @any_of(st.lists(st.text(max_size=30), min_size=1, max_size=12))
    def test_every_column_has_a_place_of_its_own(self, cells: list[str]) -> None:
        columns = headers(cells)
        assert len(set(columns)) == len(cells)
        found = list(recognised(PEOPLE, columns, [[f"text {place}" for place in cells]]).values())
        assert None not in found
        assert len(set(found)) == len(cells)
        for target in found:
            if target is not None and target.startswith("custom."):
                values.custom_key(target.removeprefix("custom."))


class TestHeaders:
    def test_are_trimmed_named_by_place_and_numbered(self) -> None:
        assert headers([" Email ", "", "Email", "a\n b"]) == ["Email", "Column 2", "Email 2", "a b"]


class TestGiven:
    def test_columns_that_are_not_named_are_left_out(self) -> None:
        assert given(PEOPLE, {"A": "email", "B": ""}, ["A", "B", "C"], complete=True) == {
            "A": "email",
            "B": None,
            "C": None,
        }

    def test_fields_may_be_named_in_the_words_of_any_document(self) -> None:
        mapping = {"A": "first_name", "B": "customFields.plan", "C": "custom.b.c", "D": "tags", "E": "tags", "F": None}
        assert list(given(PEOPLE, mapping, list("ABCDEF"), complete=True).values()) == [
            "firstName", "custom.plan", "custom.b.c", "tags", "tags", None,
        ]  # fmt: skip

    def test_all_that_is_wrong_is_said_at_once(self) -> None:
        mapping = {
            "A": "nickname",
            "B": "email",
            "C": "email",
            "D": "name",
            "E": "firstName",
            "F": "custom.$",
            "Z": "phone",
        }
        with pytest.raises(Refused) as caught:
            given(PEOPLE, mapping, list("ABCDEF"), complete=True)
        assert {detail.field: detail.message for detail in caught.value.details} == {
            "mapping.A": "must be a contact's field, name, tags or custom.<key>",
            "mapping.C": "fills email, as another column does",
            "mapping.E": "is a whole name beside a part of it",
            "mapping.F": "must be a key of 1 to 64 letters, digits, '_', '.', '-' or spaces",
            "mapping.Z": "is not a column of the table",
        }

    def test_rows_need_not_have_every_column(self) -> None:
        assert given(PEOPLE, {"A": "email", "Z": "phone"}, ["A"], complete=False) == {"A": "email", "Z": "phone"}

    def test_more_columns_than_a_table_may_have_are_refused_as_one(self) -> None:
        with pytest.raises(Refused) as caught:
            given(PEOPLE, {f"custom {n}": f"custom.{n}" for n in range(MAX_COLUMNS + 1)}, [], complete=False)
        assert [detail.field for detail in caught.value.details] == ["mapping"]
