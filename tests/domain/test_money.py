"""Rules of money: whole numbers of the smallest unit, decimals on the wire, and nothing lost between the two."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.kernel.money import EXPONENTS, Money, currency, money, not_negative, rounded
from domain.kernel.values import MAX_SAFE_INTEGER

encode = msgspec.json.Encoder(decimal_format="number").encode


@pytest.mark.parametrize(
    ("written", "code", "amount", "shown"),
    [
        ("42000", "USD", 4_200_000, b"42000"),
        ("42000.5", "usd", 4_200_050, b"42000.50"),
        ("0.10", "EUR", 10, b"0.10"),
        ("1e3", "JPY", 1_000, b"1000"),
        ("1.125", "KWD", 1_125, b"1.125"),
        ("-0", "USD", 0, b"0"),
        ("90071992547409.91", "USD", MAX_SAFE_INTEGER, b"90071992547409.91"),
        ("1.50" + "0" * 100, "USD", 150, b"1.50"),
        ("0e-999999", "USD", 0, b"0"),
    ],
)
def test_an_amount_is_kept_in_the_smallest_unit_and_shown_in_whole_ones(
    written: str, code: str, amount: int, shown: bytes
) -> None:
    kept = money(Decimal(written), code)
    assert kept == Money(amount=amount, currency=code.upper())
    assert encode(kept.decimal) == shown


@pytest.mark.parametrize(
    ("written", "code", "said"),
    [
        ("0.001", "USD", "at most 2 decimals"),
        ("1.5", "JPY", "at most 0 decimals"),
        ("1.0001", "KWD", "at most 3 decimals"),
        ("1." + "0" * 60 + "1", "USD", "at most 2 decimals"),
        ("1e-999999", "USD", "at most 2 decimals"),
        ("90071992547409.92", "USD", "between -90071992547409.91 and 90071992547409.91"),
        ("9007199254740992", "JPY", "between -9007199254740991 and"),
        ("1e999999", "USD", "between"),
        ("NaN", "USD", "between"),
        ("Infinity", "USD", "between"),
        ("1", "XXX", "ISO 4217"),
    ],
)
def test_what_is_no_amount_of_a_currency_is_refused(written: str, code: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        money(Decimal(written), code)


@given(st.integers(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER), st.sampled_from(sorted(EXPONENTS)))
def test_nothing_is_lost_on_the_way_over_the_wire(amount: int, code: str) -> None:
    kept = Money(amount=amount, currency=code)
    assert money(msgspec.json.decode(encode(kept.decimal), type=Decimal), code) == kept


def test_a_currency_has_none_two_or_three_decimals() -> None:
    assert {EXPONENTS[code] for code in ("JPY", "USD", "KWD")} == {0, 2, 3}
    assert {len(code) for code in EXPONENTS} == {3}


@pytest.mark.parametrize("code", ["", "US", "USDX", "usx", "$"])
def test_a_code_that_is_no_currency_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match="ISO 4217"):
        currency(code)


def test_less_than_nothing_is_refused_where_it_makes_no_sense() -> None:
    assert not_negative(Decimal(0)) == 0
    assert not_negative(Decimal("-0")) == 0
    with pytest.raises(ValueError, match="negative"):
        not_negative(Decimal("-0.01"))


@pytest.mark.parametrize(
    ("amount", "code", "shown"),
    [("1.125", "USD", "1.12"), ("1.135", "USD", "1.14"), ("2.5", "JPY", "2"), ("3", "KWD", "3")],
)
def test_a_share_is_rounded_to_what_there_is_halves_to_the_even(amount: str, code: str, shown: str) -> None:
    assert str(rounded(Decimal(amount), code)) == shown
