"""What is plain is normalised in a short way, to the very same as in the long one."""

from __future__ import annotations

from urllib.parse import urlsplit

import phonenumbers
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.kernel import values

letters = st.sampled_from("abzABZ019")
parts = st.text(letters, min_size=1, max_size=70)
joined = st.lists(parts, min_size=1, max_size=3)


@st.composite
def addresses(draw: st.DrawFn) -> str:
    local = draw(st.sampled_from([".", "_", "+", "-", "..", "@", "'"])).join(draw(joined))
    labels = [draw(st.sampled_from(["-", "--", "_", ""])).join(draw(joined)) for _ in range(draw(st.integers(1, 3)))]
    ending = draw(
        st.sampled_from(["com", "co.uk", "test", "invalid", "local", "localhost", "onion", "x", "123", "c0m"])
    )
    return f"{local}@{'.'.join(labels)}.{ending}"


@settings(max_examples=1000)
@given(addresses())
def test_an_email_address_is_what_the_library_says(address: str) -> None:
    try:
        expected = validate_email(address, check_deliverability=False, strict=True).normalized.lower()
    except EmailNotValidError:
        with pytest.raises(ValueError, match="valid e-mail address"):
            values.email(address)
    else:
        assert values.email(address) == expected


@st.composite
def numbers(draw: st.DrawFn) -> str:
    def digits(most: int) -> str:
        return draw(st.text(st.sampled_from("0123456789"), min_size=most, max_size=most))

    def gap() -> str:
        return draw(st.sampled_from(["", " ", "-", ".", "/"]))

    country = draw(st.sampled_from(["", "+1", "001", "1", "+44", "0"])) + gap()
    area = draw(st.sampled_from(["{}", "({})", "({}", "{})"])).format(digits(3))
    extension = draw(st.sampled_from(["", " x", "x", " ext. "]))
    behind = extension + digits(draw(st.integers(1, 8))) if extension else ""
    return f"{country}{area}{gap()}{digits(3)}{gap()}{digits(4)}{behind}"


def in_the_long_way(written: str, region: str) -> tuple[str, str | None] | None:
    try:
        number = phonenumbers.parse(f"+{written[2:]}" if written.startswith("00") else written, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), number.extension


@settings(max_examples=2000)
@given(numbers(), st.sampled_from(["US", "US", "DE", "GB", "BR", "AR"]))
def test_a_phone_number_is_what_the_library_says(written: str, region: str) -> None:
    expected = in_the_long_way(written.strip(), region)
    if expected is None:
        with pytest.raises(ValueError, match="phone number"):
            values.phone(written, region)
    else:
        assert values.phone(written, region) == expected


@given(
    st.sampled_from(["http://", "https://", "HTTP://", "ftp://", ""]),
    st.text(st.sampled_from("aB9.-:@/?#[]% é"), max_size=12),
)
def test_a_plain_url_is_one_with_a_host(scheme: str, rest: str) -> None:
    try:
        kept = values.web_url(scheme + rest)
    except ValueError:
        return
    parts = urlsplit(kept)
    assert kept == (scheme + rest).strip()
    assert parts.scheme in values.WEB
    assert parts.hostname
    assert parts.username is None


def test_what_is_not_acceptable_is_not_remembered() -> None:
    before = values._custom_key.cache_info().currsize
    for number in range(100):
        with pytest.raises(ValueError, match="must be a key"):
            values.custom_key(f"${number}" * 50)
    assert values._custom_key.cache_info().currsize == before
