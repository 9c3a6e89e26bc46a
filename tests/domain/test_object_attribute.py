"""Rules of attributes: what their values are kept as, and what of a definition is of its type."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from domain.object_attribute import (
    OBJECT_ATTRIBUTE,
    CreateObjectAttribute,
    ObjectAttribute,
    ObjectAttributeChanges,
    ObjectAttributeUpdated,
    UpdateObjectAttribute,
)
from tests.language import given

OF = UUID(int=1)
DEAL_ID = "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f00a0"


def made(kind: str, **more: Any) -> CreateObjectAttribute:
    return CreateObjectAttribute(**{"object_type_id": OF, "name": "A", "key": "A", "type": kind, **more})


def attribute(kind: str, **more: Any) -> ObjectAttribute:
    found = given(OBJECT_ATTRIBUTE, made(kind, **more)).state
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("currency", "value", "least", "shown"),
    [
        ("USD", 42000.5, 4200050, Decimal("42000.5")),
        ("USD", 0.29, 29, Decimal("0.29")),
        ("USD", -1, -100, -1),
        ("JPY", 1500, 1500, 1500),
        ("BHD", 1.005, 1005, Decimal("1.005")),
        ("USD", 9999999999999.99, 10**15 - 1, Decimal("9999999999999.99")),
    ],
)
def test_an_amount_is_kept_in_the_smallest_unit_and_shown_in_whole_ones(
    currency: str, value: float, least: int, shown: Decimal
) -> None:
    found = attribute("currency", currency=currency)
    assert found.kept(value, "US") == least
    assert found.shown(least) == shown


@pytest.mark.parametrize(
    ("currency", "value"),
    [
        ("USD", 1.005),
        ("JPY", 0.5),
        ("USD", "5"),
        ("USD", True),
        ("USD", [5]),
        ("USD", 1e300),
        ("USD", 10000000000000.5),
    ],
)
def test_what_is_no_amount_of_the_currency_is_refused(currency: str, value: Any) -> None:
    with pytest.raises(ValueError, match="must"):
        attribute("currency", currency=currency).kept(value, "US")


@pytest.mark.parametrize("kind", ["text", "number", "currency", "select", "multi_select", "relation", "boolean"])
@pytest.mark.parametrize("value", [None, "", "  ", []])
def test_what_is_blank_is_no_value(kind: str, value: Any) -> None:
    assert attribute(kind, options=("a",), related_to="deal").kept(value, "US") is None


def test_a_relation_is_kept_as_an_id_of_what_it_is_to() -> None:
    found = attribute("relation", related_to="deal")
    assert found.refers == "deal"
    assert found.kept(f" {DEAL_ID.upper()} ", "US") == DEAL_ID
    with pytest.raises(ValueError, match="id of a deal"):
        found.kept("Northwind", "US")


def test_what_is_not_of_its_type_is_left_out_also_when_that_changes() -> None:
    select = made("select", options=("a", "b"), currency="EUR", related_to="deal", max_length=9)
    state = given(OBJECT_ATTRIBUTE, select).state
    assert state is not None
    assert (state.currency, state.related_to, state.max_length) == (None, None, None)
    given(OBJECT_ATTRIBUTE, select).when(UpdateObjectAttribute(type="text")).then(
        ObjectAttributeUpdated(
            changed=ObjectAttributeChanges(type="text", options=None, max_length=255),
            previous=ObjectAttributeChanges(type="select", options=("a", "b"), max_length=None),
        )
    )


def test_what_is_not_acceptable_is_named() -> None:
    given(OBJECT_ATTRIBUTE).when(made("select")).refused("validation_failed", field="options")
    given(OBJECT_ATTRIBUTE).when(made("relation")).refused("validation_failed", field="relatedTo")
    given(OBJECT_ATTRIBUTE).when(made("text", key="a'b")).refused("validation_failed", field="key")
    text = given(OBJECT_ATTRIBUTE, made("text"))
    text.when(UpdateObjectAttribute(type="select")).refused("validation_failed", field="options")
    text.when(UpdateObjectAttribute(name="A")).nothing()
