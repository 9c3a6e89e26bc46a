"""Rules of custom fields: what a definition says, and what a value of each type may be."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest

from domain.custom_field import (
    CUSTOM_FIELD,
    DEFAULT_LENGTH,
    MAX_OPTIONS,
    MAX_ORDER,
    CreateCustomField,
    CustomField,
    CustomFieldChanges,
    CustomFieldUpdated,
    DeleteCustomField,
    UpdateCustomField,
)
from domain.custom_field_type import DISPLAYED, FieldType
from domain.kernel.values import MAX_LONG_TEXT
from tests.language import given

LEVELS = ("gold", "silver", "bronze")
CONTACT_ID = "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0001"


def wanted(**fields: Any) -> CreateCustomField:
    return CreateCustomField(**{"name": "Plan", "key": "plan", "type": "text", "entity": "contact", **fields})


def defined(**fields: Any) -> CustomField:
    state = given(CUSTOM_FIELD).when(wanted(**fields)).state
    assert state is not None
    return state


class TestADefinition:
    def test_has_what_its_type_has_and_nothing_else(self) -> None:
        more = {"options": LEVELS, "allow_multiple": True, "max_length": 100}
        shown = {
            kind: (found.options, found.allow_multiple, found.max_length)
            for kind in get_args(FieldType)
            for found in (defined(type=kind, **more),)
        }
        assert shown.pop("text") == (None, False, 100)
        assert shown.pop("select") == (LEVELS, False, None)
        assert shown.pop("multi_select") == (LEVELS, True, None)
        assert shown.pop("pick_list") == (LEVELS, True, None)
        assert set(shown.values()) == {(None, False, None)}

    def test_of_text_has_at_most_255_characters_unless_it_says_otherwise(self) -> None:
        assert defined().max_length == DEFAULT_LENGTH == 255

    @pytest.mark.parametrize("key", ["", "Plan", "my plan", "1st", "_plan", "plan-a", "plän", "p" * 65, "plan\n"])
    def test_has_a_key_in_snake_case(self, key: str) -> None:
        given(CUSTOM_FIELD).when(wanted(key=key)).refused("validation_failed", field="key")

    @pytest.mark.parametrize("kind", ["select", "multi_select", "pick_list"])
    def test_of_options_needs_some(self, kind: str) -> None:
        given(CUSTOM_FIELD).when(wanted(type=kind)).refused("validation_failed", field="options")
        given(CUSTOM_FIELD).when(wanted(type=kind, options=())).refused("validation_failed", field="options")

    @pytest.mark.parametrize(
        "options", [("a", "A"), ("a", " "), ("a\nb",), tuple(map(str, range(MAX_OPTIONS + 1)))], ids=repr
    )
    def test_has_options_that_can_be_told_apart(self, options: tuple[str, ...]) -> None:
        given(CUSTOM_FIELD).when(wanted(type="select", options=options)).refused("validation_failed", field="options")

    @pytest.mark.parametrize("length", [0, -1, MAX_LONG_TEXT + 1])
    def test_has_a_length_that_texts_can_have(self, length: int) -> None:
        given(CUSTOM_FIELD).when(wanted(max_length=length)).refused("validation_failed", field="maxLength")

    @pytest.mark.parametrize("place", [-1, MAX_ORDER + 1])
    def test_its_place_is_one_that_there_can_be(self, place: int) -> None:
        given(CUSTOM_FIELD).when(wanted(sort_order=place)).refused("validation_failed", field="sortOrder")

    def test_is_for_persons_or_organizations_only_where_it_is_for_contacts(self) -> None:
        assert defined(contact_type="person").contact_type == "person"
        given(CUSTOM_FIELD).when(wanted(entity="deal", contact_type="person")).refused(
            "validation_failed", field="contactType"
        )

    def test_changes_in_what_is_given(self) -> None:
        known = wanted(type="select", options=LEVELS)
        given(CUSTOM_FIELD, known).when(UpdateCustomField(name="Plan", options=LEVELS)).nothing()
        given(CUSTOM_FIELD, known).when(UpdateCustomField(name="Level", required=True)).then(
            CustomFieldUpdated(
                changed=CustomFieldChanges(name="Level", required=True),
                previous=CustomFieldChanges(name="Plan", required=False),
            )
        )

    def test_of_another_type_has_what_that_type_has(self) -> None:
        known = wanted(type="select", options=LEVELS)
        given(CUSTOM_FIELD, known).when(UpdateCustomField(type="text")).then(
            CustomFieldUpdated(
                changed=CustomFieldChanges(type="text", options=None, max_length=255),
                previous=CustomFieldChanges(type="select", options=LEVELS, max_length=None),
            )
        )
        given(CUSTOM_FIELD, wanted()).when(UpdateCustomField(type="select")).refused(
            "validation_failed", field="options"
        )

    def test_of_an_integration_is_neither_changed_nor_deleted(self) -> None:
        known = wanted(integration_id="mailchimp")
        given(CUSTOM_FIELD, known).when(UpdateCustomField(name="Mine")).refused(
            "permission_denied", says="managed by an integration and cannot be modified"
        )
        given(CUSTOM_FIELD, known).when(DeleteCustomField()).refused(
            "permission_denied", says="managed by an integration and cannot be deleted"
        )


def test_every_type_has_a_name_for_people() -> None:
    assert set(DISPLAYED) == set(get_args(FieldType))
    assert DISPLAYED["boolean"] == "True / False"
    assert DISPLAYED["related"] == "Related Contact/Organization"


class TestAValue:
    @pytest.mark.parametrize(
        ("kind", "value", "kept"),
        [
            ("text", " a\nb ", "a\nb"),
            ("email", "Ada@Example.COM", "ada@example.com"),
            ("phone", "(415) 555-2671", "+14155552671"),
            ("phone", "+49 30 901820", "+4930901820"),
            ("number", 42, 42),
            ("number", 3.14, 3.14),
            ("number", "38", 38),
            ("number", " -1.5e3 ", -1500),
            ("date", "2024-01-15", "2024-01-15"),
            ("datetime", "2024-01-15T10:30:00Z", "2024-01-15T10:30:00Z"),
            ("datetime", "2024-01-15T10:30:00.5+02:00", "2024-01-15T08:30:00.500000Z"),
            ("boolean", True, True),
            ("boolean", "False", False),
            ("url", "https://example.com/a", "https://example.com/a"),
            ("select", "GOLD", "gold"),
            ("multi_select", ["Silver", "gold", "silver"], ["silver", "gold"]),
            ("multi_select", "gold", ["gold"]),
            ("pick_list", "gold", "gold"),
            ("related", CONTACT_ID.upper(), CONTACT_ID),
        ],
    )
    def test_is_kept_in_the_normal_form_of_its_type(self, kind: str, value: Any, kept: Any) -> None:
        found = defined(type=kind, options=LEVELS).kept(value, "US")
        assert (found, type(found)) == (kept, type(kept))

    @pytest.mark.parametrize(
        ("kind", "value"),
        [
            ("text", 5),
            ("text", ["a"]),
            ("text", "x" * 256),
            ("text", "a\0b"),
            ("email", "nobody"),
            ("phone", "12"),
            ("phone", 14155552671),
            ("number", "many"),
            ("number", True),
            ("number", "1_000"),
            ("number", "1" * 41),
            ("number", 2.0**60),
            ("number", "nan"),
            ("number", "1e999"),
            ("date", "15.1.2024"),
            ("date", "2024-02-30"),
            ("datetime", "2024-01-15T10:30:00"),
            ("datetime", "0001-01-01T00:00:00+14:00"),
            ("datetime", "today"),
            ("boolean", "yes"),
            ("boolean", 1),
            ("url", "example.com"),
            ("select", "platinum"),
            ("select", ["gold"]),
            ("multi_select", ["gold", "platinum"]),
            ("multi_select", ["gold", None]),
            ("multi_select", [1]),
            ("pick_list", ["gold"]),
            ("related", "ada"),
            ("related", 7),
        ],
    )
    def test_that_is_none_of_its_type_is_refused(self, kind: str, value: Any) -> None:
        with pytest.raises(ValueError, match="must"):
            defined(type=kind, options=LEVELS).kept(value, "US")

    @pytest.mark.parametrize("kind", get_args(FieldType))
    @pytest.mark.parametrize("value", [None, "", "  ", []])
    def test_that_is_empty_is_none(self, kind: str, value: Any) -> None:
        assert defined(type=kind, options=LEVELS).kept(value, "US") is None

    @pytest.mark.parametrize("kind", get_args(FieldType))
    def test_stays_what_it_is_when_it_is_kept_again(self, kind: str) -> None:
        field = defined(type=kind, options=LEVELS)
        values: dict[str, Any] = {
            "number": 0.5, "boolean": True, "email": "a@b.example", "phone": "+14155552671", "date": "2024-01-15",
            "datetime": "2024-01-15T10:30:00Z", "url": "https://a.example", "related": CONTACT_ID, "text": "a",
        }  # fmt: skip
        kept = field.kept(values.get(kind, "Gold"), "US")
        assert field.kept(kept, "DE") == kept

    def test_of_a_pick_list_of_several_is_a_list(self) -> None:
        field = defined(type="pick_list", options=LEVELS, allow_multiple=True)
        assert field.kept(["gold", "bronze"], "US") == ["gold", "bronze"]

    def test_of_a_phone_is_of_the_country_that_is_said(self) -> None:
        assert defined(type="phone").kept("030 901820", "DE") == "+4930901820"


def test_persons_have_no_field_of_organizations() -> None:
    class Somebody(CustomField):
        """Any state will do that has a type."""

    somebody = msgspec.convert(msgspec.to_builtins(defined()), Somebody)
    assert defined().fits("contact", somebody)
    assert not defined(entity="company").fits("contact", somebody)
    assert not defined(contact_type="person").fits("contact", somebody)
