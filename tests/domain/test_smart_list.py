"""Rules of smart lists."""

from __future__ import annotations

import pytest

from domain.kernel.filter import Group
from domain.smart_list import MAX_COLUMNS, SMART_LIST, CreateSmartList, SmartListCreated
from tests.language import given

ALL = Group(match="all")


def test_the_names_of_its_columns_are_kept_in_order() -> None:
    command = CreateSmartList(name="All", query=ALL, columns=(" name ", "email"))
    given(SMART_LIST).when(command).then(SmartListCreated(name="All", query=ALL, columns=("name", "email")))


@pytest.mark.parametrize("columns", [("name",) * (MAX_COLUMNS + 1), (" ",), ("x" * 300,)])
def test_columns_that_are_too_many_or_no_names_are_refused(columns: tuple[str, ...]) -> None:
    given(SMART_LIST).when(CreateSmartList(name="All", query=ALL, columns=columns)).refused(
        "validation_failed", field="columns"
    )
