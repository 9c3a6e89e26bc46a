"""Rules of custom values: what a token is, what it stands for, and how texts are filled in."""

from __future__ import annotations

import pytest

from domain.custom_value import (
    CUSTOM_VALUE,
    MAX_RENDERED,
    MAX_VALUE,
    CreateCustomValue,
    CustomValueChanges,
    CustomValueUpdated,
    UpdateCustomValue,
    named_in,
    rendered,
    token,
)
from tests.language import given

KNOWN = {"sender": "Olga", "Sender": "somebody else", "empty": "", "loop": "{{custom_values.sender}}", "a-b_1": "x"}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Yours, {{custom_values.sender}}", "Yours, Olga"),
        ("{{ custom_values.sender }} and {{custom_values.Sender}}", "Olga and somebody else"),
        ("[{{custom_values.empty}}]", "[]"),
        ("{{custom_values.a-b_1}}{{custom_values.a-b_1}}", "xx"),
        ("{{{custom_values.sender}}}", "{Olga}"),
        ("no token at all", "no token at all"),
        ("", ""),
    ],
)
def test_what_tokens_stand_for_is_put_in_their_place(written: str, expected: str) -> None:
    assert rendered(written, KNOWN) == expected


@pytest.mark.parametrize(
    "written",
    [
        "{{custom_values.unknown}}",
        "{{contact.firstName}}",
        "{{custom_values.}}",
        "{{custom_values.sender",
        "{custom_values.sender}",
        "{{custom_values.se nder}}",
        "{{custom_values." + "x" * 65 + "}}",
    ],
)
def test_what_stands_for_nothing_stays_as_it_is_written(written: str) -> None:
    assert rendered(written, KNOWN) == written


def test_what_is_filled_in_is_not_looked_at_again() -> None:
    assert rendered("{{custom_values.loop}}", KNOWN) == "{{custom_values.sender}}"


def test_the_keys_that_a_text_names_are_known_without_filling_it_in() -> None:
    assert named_in("{{custom_values.a}} {{ custom_values.b }} {{custom_values.a}} {{contact.c}}") == {"a", "b"}


def test_a_text_cannot_be_blown_up_by_its_tokens() -> None:
    value = "x" * MAX_VALUE
    assert len(rendered(token("v") * (MAX_RENDERED // MAX_VALUE), {"v": value})) == MAX_RENDERED
    with pytest.raises(ValueError, match="at most 1000000 characters"):
        rendered(token("v") * (MAX_RENDERED // MAX_VALUE) + "!", {"v": value})


@pytest.mark.parametrize("key", ["", " ", "a b", "a.b", "-a", "_a", "é", "a" * 65, "a\n"])
def test_what_no_token_could_name_is_refused(key: str) -> None:
    given(CUSTOM_VALUE).when(CreateCustomValue(key=key, value="x")).refused("validation_failed", field="key")


def test_a_value_has_a_limit_and_may_be_empty() -> None:
    given(CUSTOM_VALUE).when(CreateCustomValue(key="a", value="x" * (MAX_VALUE + 1))).refused(
        "validation_failed", field="value", says="at most 5000"
    )
    state = given(CUSTOM_VALUE).when(CreateCustomValue(key="a", value=" ")).state
    assert state is not None
    assert state.value == ""


def test_a_value_that_is_the_same_is_no_event() -> None:
    known = CreateCustomValue(key="a", value="x")
    given(CUSTOM_VALUE, known).when(UpdateCustomValue(value="x ")).nothing()
    given(CUSTOM_VALUE, known).when(UpdateCustomValue(value="y")).then(
        CustomValueUpdated(changed=CustomValueChanges(value="y"), previous=CustomValueChanges(value="x"))
    )
