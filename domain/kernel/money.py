"""Money: a whole number of the smallest unit of its currency. On the wire it is a decimal number, and never a float."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Context, Decimal, Inexact, InvalidOperation
from functools import cache
from typing import Annotated, Any, Final, get_args

import msgspec
from msgspec import Meta

from domain.kernel import Value
from domain.kernel.fields import Kept, annotated
from domain.kernel.values import MAX_SAFE_INTEGER

_TWO: Final = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC"
    " CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES"
    " KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR"
    " NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT"
    " TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG"
)
_NONE: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE: Final = "BHD IQD JOD KWD LYD OMR TND"

EXPONENTS: Final = {
    code: exponent for codes, exponent in ((_NONE, 0), (_TWO, 2), (_THREE, 3)) for code in codes.split()
}
"""By currency (ISO 4217): how many decimals it has."""

_EXACTLY: Final = Context(prec=40, traps=[Inexact, InvalidOperation])
_LONGEST: Final = len(str(MAX_SAFE_INTEGER))
"""Digits before the point, of a number that is looked at any closer."""


def currency(value: str) -> str:
    """A currency's code of ISO 4217, in capitals."""
    kept = value.strip().upper()
    if kept not in EXPONENTS:
        raise ValueError("must be a currency code of ISO 4217, such as USD")
    return kept


Currency = Annotated[str, Kept(currency), Meta(description="The currency, by its ISO 4217 code: `USD`.")]
Amount = Decimal
"""An amount on the wire, in whole units of its currency: 42000.5 for $42,000.50."""


class Money(Value):
    """An amount of money."""

    amount: Annotated[int, Meta(description="In the currency's smallest unit: 4200050 for $42,000.50.")]
    currency: Currency

    @property
    def decimal(self) -> Amount:
        """As it goes over the wire: with the currency's decimals where there are any, else a whole number."""
        return _plain(_EXACTLY.scaleb(Decimal(self.amount), -EXPONENTS[self.currency]))

    def told(self, name: str) -> dict[str, Any]:
        """As callers know it: the amount in whole units under its name, and beside it the currency."""
        return {name: self.decimal, "currency": self.currency}


@cache
def amounts(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    """The fields that are money, of a kind of thing and of what it is made of, by the names that callers use."""
    found = [name for _, wire, annotation in annotated(kind) for name in _amounts(wire, annotation)]
    return tuple(dict.fromkeys(found))


def _amounts(wire: str, annotation: Any) -> Iterator[str]:
    if annotation is Money:
        yield wire
    elif isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        yield from amounts(annotation)
    else:
        yield from (name for inner in get_args(annotation) for name in _amounts(wire, inner))


def _plain(amount: Amount) -> Amount:
    whole = amount.to_integral_value()
    return whole if whole == amount else amount


def rounded(amount: Amount, code: str) -> Amount:
    """The next amount that there is in a currency, halves to the even one."""
    return _plain(amount.quantize(Decimal((0, (1,), -EXPONENTS[code]))))


def money(amount: Amount, code: str) -> Money:
    """So many whole units of a currency. Raises ``ValueError`` for what has more decimals than it, or is too large."""
    code = currency(code)
    exponent = EXPONENTS[code]
    if not amount.is_finite() or amount.adjusted() >= _LONGEST:
        raise ValueError(_too_large(exponent))
    try:
        least = int(_EXACTLY.scaleb(_EXACTLY.quantize(amount, Decimal((0, (1,), -exponent))), exponent))
    except (Inexact, InvalidOperation):
        raise ValueError(f"must have at most {exponent} decimals, as {code} has") from None
    if abs(least) > MAX_SAFE_INTEGER:
        raise ValueError(_too_large(exponent))
    return Money(amount=least, currency=code)


def _too_large(exponent: int) -> str:
    most = Money(amount=MAX_SAFE_INTEGER, currency=next(c for c, e in EXPONENTS.items() if e == exponent)).decimal
    return f"must be a number between -{most} and {most}"


def not_negative(amount: Amount) -> Amount:
    """Of what can only be there or not."""
    if amount.is_signed() and not amount.is_zero():
        raise ValueError("must not be negative")
    return amount
