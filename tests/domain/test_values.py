"""How values are normalised, and what is not acceptable."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Any, get_args, get_origin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.kernel import types, values
from domain.kernel.fields import Kept
from domain.kernel.values import MAX_SAFE_INTEGER

NOT_OF_A_LINE = ("\u2028", "\u2029", "\x85", "\x9f", "\u202a", "\u202e", "\u2066", "\u2069", "\ufffe", "\uffff", "\ufdd0")  # fmt: skip


@pytest.mark.parametrize(
    ("normalise", "given_value", "kept"),
    [
        (values.text, "  two  words ", "two  words"),
        (values.text, "x" * 255, "x" * 255),
        (values.text_or_none, " \t ", None),
        (values.text, "e\u0301 \U0001f469\u200d\U0001f467", "e\u0301 \U0001f469\u200d\U0001f467"),
        (values.text, "\u05e9\u05dc\u05d5\u05dd\u200f", "\u05e9\u05dc\u05d5\u05dd\u200f"),
        (values.long_text, "two\u2028lines \u202eback\u202c", "two\u2028lines \u202eback\u202c"),
        (values.written_phone, "\u202a+1 415 555 2671\u202c", "+1 415 555 2671"),
        (values.email, "a" * 64 + "@engine.org", "a" * 64 + "@engine.org"),
        (values.long_text, " line\n\tline ", "line\n\tline"),
        (values.long_text, "\n", None),
        (values.email, " Ada.Lovelace@Engine.ORG ", "ada.lovelace@engine.org"),
        (values.email, "ada+crm@engine.org", "ada+crm@engine.org"),
        (values.email, "ädä@bücher.example.org", "ädä@bücher.example.org"),
        (values.email_or_none, " ", None),
        (values.color, " #1A7f37 ", "#1A7f37"),
        (values.color, "#ABC", "#ABC"),
        (values.language, "pt-BR", "pt-BR"),
        (values.language, "", None),
        (values.day, "2024-02-29", "2024-02-29"),
        (values.day, " ", None),
        (values.web_url, " https://engine.org/a?b#c ", "https://engine.org/a?b#c"),
        (values.web_url, "http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        (values.custom_key, " plan.type-1_a b ", "plan.type-1_a b"),
        (values.custom_key, "e\u0301t\u00e9", "\u00e9t\u00e9"),
        (values.custom_value, 3.0, 3),
        (values.custom_value, -0.0, 0),
        (values.custom_value, 0.1, 0.1),
        (values.custom_value, MAX_SAFE_INTEGER, MAX_SAFE_INTEGER),
        (values.custom_value, True, True),
        (values.custom_value, None, None),
        (values.custom_value, " text ", "text"),
        (values.custom_value, "", ""),
        (values.custom_value, [" a ", 1, None, False], ["a", 1, None, False]),
        (values.preferences, {"sms": " never ", "email": None}, {"email": None, "sms": "never"}),
    ],
)
def test_kept(normalise: Callable[[Any], Any], given_value: Any, kept: Any) -> None:
    found = normalise(given_value)
    assert found == kept
    assert type(found) is type(kept)


@pytest.mark.parametrize(
    ("normalise", "refused", "says"),
    [
        (values.text, "", "must not be empty"),
        (values.text, "x" * 256, "at most 255"),
        (values.text, "two\nlines", "one line"),
        (values.text, "nul\x00", "control characters"),
        (values.text, "\u200b", "something to be seen"),
        (values.text_or_none, "\u200b \u2060\ufe0f", "something to be seen"),
        (values.written_phone, "\u202a\u202c", "must not be empty"),
        (values.email_or_none, "\u200b", "valid e-mail address"),
        *((values.text, f"a{mark}b", "one line without control characters") for mark in NOT_OF_A_LINE),
        *((values.web_url, f"https://engine.org/{mark}b", "absolute https or http URL") for mark in NOT_OF_A_LINE),
        (values.preferences, {"sms": "never\u202e"}, "'sms' must be one line"),
        (values.long_text, "a\uffff", "control characters"),
        (values.email, "a" * 65 + "@engine.org", "too long"),
        (values.email, "\u00e9" * 65 + "@engine.org", "too long"),
        (values.email, "a" * 100_000, "too long"),
        (values.language, "en" + "-abcdefgh" * 4, "at most 35"),
        (values.long_text, "x" * 20_001, "at most 20000"),
        (values.long_text, "nul\x00", "control characters"),
        (values.email, "ada", "valid e-mail address"),
        (values.email, "ada@engine", "valid e-mail address"),
        (values.email, "ada@engine.org, bob@engine.org", "valid e-mail address"),
        (values.email, "ada@engine.org\x00", "valid e-mail address"),
        (values.email, "a" * 250 + "@engine.org", "valid e-mail address"),
        (values.color, "red", "hex colour"),
        (values.color, "#12345", "hex colour"),
        (values.color, "#123456\n#", "hex colour"),
        (values.language, "english!", "language tag"),
        (values.day, "2023-02-29", "must be a date"),
        (values.day, "15.3.2026", "must be a date"),
        (values.web_url, "engine.org", "absolute https or http URL"),
        (values.web_url, "https://engine.org:99999/", "absolute https or http URL"),
        (values.web_url, "https://[::1", "absolute https or http URL"),
        (values.web_url, "https://engine.org/" + "x" * 2000, "absolute https or http URL"),
        (values.custom_key, "", "must be a key"),
        (values.custom_key, "$bytes", "must be a key"),
        (values.custom_key, "x" * 65, "must be a key"),
        (values.custom_key, "\U00010400", "must be a key"),
        (values.custom_key, "a\n", None),
        (values.custom_value, math.nan, "must be a number"),
        (values.custom_value, math.inf, "must be a number"),
        (values.custom_value, MAX_SAFE_INTEGER + 1, "must be a number"),
        (values.custom_value, 10**400, "must be a number"),
        (values.custom_value, {"a": 1}, "must be text, a number"),
        (values.custom_value, [[1]], "must be text, a number"),
        (values.custom_value, [1] * 101, "at most 100 entries"),
        (values.custom_value, "nul\x00", "control characters"),
        (values.custom_fields, {f"f{number}": 1 for number in range(201)}, "at most 200 fields"),
        (values.custom_fields, {"plan": {"a": 1}}, "'plan' must be text"),
        (values.custom_fields, {"": 1}, "'' must be a key"),
        (values.preferences, {"sms": ""}, "'sms' must not be empty"),
        (values.preferences, {f"f{number}": "x" for number in range(101)}, "at most 100 entries"),
    ],
)
def test_refused(normalise: Callable[[Any], Any], refused: Any, says: str | None) -> None:
    if says is None:  # trimmed, and acceptable then
        assert normalise(refused) == refused.strip()
        return
    with pytest.raises(ValueError, match=says):
        normalise(refused)


@pytest.mark.parametrize(
    ("written", "region", "number", "extension"),
    [
        ("(415) 555-2671", "US", "+14155552671", None),
        ("+1-415-555-2671 x89", "US", "+14155552671", "89"),
        ("0049 30 901820", "US", "+4930901820", None),
        ("030/90 18 20", "DE", "+4930901820", None),
        ("+44 (0)20 7031 3000", "US", "+442070313000", None),
    ],
)
def test_a_phone_number_is_kept_in_e164(written: str, region: str, number: str, extension: str | None) -> None:
    assert values.phone(written, region) == (number, extension)


@pytest.mark.parametrize("wrong", ["call me", "12", "+999 123 456 789", "", "+1" + "4" * 300])
def test_what_is_no_phone_number_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"such as \+14155552671"):
        values.phone(wrong)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Q2 Campaign!", "q2-campaign"),
        ("Großkunden & Öffentliche", "grosskunden-offentliche"),
        ("東京", "東京"),
        ("!!!", "!!!"),
    ],
)
def test_a_slug_is_readable_in_a_url(name: str, slug: str) -> None:
    assert values.slug(name) == slug


@given(st.text())
def test_a_slug_is_never_empty_where_the_text_is_not(text: str) -> None:
    assert bool(values.slug(text)) == bool(text.strip())


@given(st.text())
def test_folding_is_done_once(text: str) -> None:
    assert values.folded(values.folded(text)) == values.folded(text)


def test_folded_text_is_without_accents_and_case() -> None:
    assert values.folded("Ángel STRAßEﬁ") == "angel strassefi"


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
@pytest.mark.parametrize(
    "normalise",
    [
        values.text_or_none, values.long_text, values.email_or_none, values.color, values.language, values.day,
        values.web_url, values.custom_key, lambda text: values.phone(text)[0],
    ],
)  # fmt: skip
def test_what_is_kept_is_kept_again(normalise: Callable[[Any], Any], text: str) -> None:
    try:
        kept = normalise(text)
    except ValueError:
        return
    assert kept is None or normalise(kept) == kept


LONG = 100_000
LONGEST = {"Text": values.MAX_LONG_TEXT, "Url": values.MAX_URL}
"""Of each type of text, the most characters that are kept; of the others a line."""
PLAUSIBLE = (
    "x" * LONG, "1" * LONG, "-1" * LONG, "en" + "-abcdefgh" * LONG, "a." * LONG + "com", "a@" + "b." * LONG + "org",
    "a" * LONG + "@engine.org", "https://a.example/" + "x" * LONG, "+1415" + "5" * LONG, "#" + "f" * LONG,
    "2026-03-15" + "0" * LONG, "2026-03-15" + " " * LONG + "x", "e\u0301" * LONG,
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "keep"),
    [
        (name, said.keep)
        for name, kind in vars(types).items()
        if get_origin(kind) is Annotated and get_args(kind)[0] is str
        for said in get_args(kind)[1:]
        if isinstance(said, Kept)
    ],
)
def test_no_type_keeps_text_of_any_length(name: str, keep: Callable[[str], str | None]) -> None:
    """Whatever a type's values look like, there is a most that is kept of them."""
    for text in PLAUSIBLE:
        try:
            kept = keep(text)
        except ValueError:
            continue
        assert len(kept or "") <= LONGEST.get(name, values.MAX_TEXT), (name, text[:30])
