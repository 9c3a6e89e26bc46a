"""The one place where a value is normalised, whichever door it came in by.

Every function takes what a caller sent and returns what is kept, or raises ``ValueError`` with what was expected.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import msgspec
import phonenumbers
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from domain.kernel.characters import is_line, is_text, is_unseen, without_direction

MAX_TEXT: Final = 255
MAX_LONG_TEXT: Final = 20_000
MAX_CUSTOM_FIELDS: Final = 200
MAX_LIST: Final = 100
MAX_EXTENSION: Final = 20
MAX_WRITTEN_PHONE: Final = 100
MAX_PREFERENCES: Final = 100
MAX_LABEL: Final = 63
MAX_LABELS: Final = 20
MAX_URL: Final = 2000
MAX_LOCAL: Final = 64
"""Of an e-mail address: of each part between dots behind the @, and of all before it (RFC 1035, RFC 5321)."""
MAX_WRITTEN_EMAIL: Final = 1000
"""More than any that is still valid when it is put in its normal form."""
MAX_LANGUAGE: Final = 35
"""What RFC 5646 (section 4.4.1) asks everybody to keep."""
MAX_SAFE_INTEGER: Final = 2**53 - 1
"""The largest whole number that every JSON reader keeps exact (RFC 8259, section 6)."""

_COLOR = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})\Z")
_SLUG_GAP = re.compile(r"[^a-z0-9]+")
_GAP = re.compile(r"\W+")
_END_OF_HOST = re.compile(r"[/?#:]")
_KEY = re.compile(r"[^\W_][\w .\-]{0,63}\Z")
_LABEL = re.compile(r"[^\W_](?:[\w\-]{0,61}[^\W_])?\Z")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z")
_PLAIN_EMAIL = re.compile(
    r"[A-Za-z0-9]++(?:[._+\-][A-Za-z0-9]++)*+@((?:[A-Za-z0-9]++(?:-[A-Za-z0-9]++)*+\.)++[A-Za-z]{2,63})\Z"
)
"""What nearly all addresses look like: valid as they are, but for lengths and the names that nobody can have."""
_PLAIN_URL = re.compile(r"https?://[A-Za-z0-9.\-]*[A-Za-z0-9](?:/[!-~]*)?\Z")
"""Scheme, host and path in plain characters: nothing about it needs to be taken apart."""
_NORTH_AMERICAN = re.compile(
    r"(\+1[ .\-]?|001[ .\-]?)?\(?([2-9][0-9]{2})\)?[ .\-]?([0-9]{3})[ .\-]?([0-9]{4})(?: ?x([0-9]{1,7}))?\Z"
)
"""Ten digits as they are written in North America: possible whatever they are, so nothing has to be looked up."""

_written: Final = msgspec.json.Encoder().encode
_texts: Final = msgspec.json.Decoder(list[str]).decode

WEB: Final = ("https", "http")

T = TypeVar("T")
R = TypeVar("R")
Scalar = str | int | float | bool | None
CustomValue = Scalar | list[Scalar]


def text(value: str, limit: int = MAX_TEXT) -> str:
    """One line, trimmed, inner white space kept; 1 to ``limit`` characters."""
    kept = value.strip()
    if not kept:
        raise ValueError("must not be empty")
    if len(kept) > limit:
        raise ValueError(f"must have at most {limit} characters")
    if is_unseen(kept):
        raise ValueError("must have something to be seen")
    if not is_line(kept):
        raise ValueError("must be one line without control characters")
    return kept


def text_or_none(value: str) -> str | None:
    """``text``, where white space alone means that there is no value."""
    return text(value) if value.strip() else None


def long_text(value: str) -> str | None:
    """Free text of up to 20,000 characters; line breaks are kept."""
    kept = value.strip()
    if len(kept) > MAX_LONG_TEXT:
        raise ValueError(f"must have at most {MAX_LONG_TEXT} characters")
    if not is_text(kept):
        raise ValueError("must not contain control characters")
    return kept or None


def email(value: str) -> str:
    """An e-mail address, lower case: addresses that differ in case reach the same person everywhere that matters."""
    kept = value.strip()
    if len(kept) > MAX_WRITTEN_EMAIL:
        raise ValueError("must be a valid e-mail address (it is too long)")
    plain = _PLAIN_EMAIL.match(kept)
    if plain is not None and len(plain[1]) <= MAX_LABEL and plain.start(1) - 1 <= MAX_LOCAL:
        address = kept.lower()
        if address.rpartition(".")[2] not in SPECIAL_USE_DOMAIN_NAMES:
            return address
    try:
        found = validate_email(kept, check_deliverability=False, strict=True)
    except EmailNotValidError as error:
        raise ValueError(f"must be a valid e-mail address ({error})") from None
    return found.normalized.lower()


def email_or_none(value: str) -> str | None:
    return email(value) if value.strip() else None


def phone(value: str, region: str = "US") -> tuple[str, str | None]:
    """``(number in E.164, extension or None)`` of a number as people write it.

    A number without a country code is taken to be of ``region`` (ISO 3166-1 alpha-2); a leading ``00`` is the
    international prefix. The number must be possible by length and country code; it need not be in use.
    """
    return _phone(value.strip(), region)


# The caches keep only what was acceptable, and so nothing that is long.
@lru_cache(maxsize=4096)
def _phone(written: str, region: str) -> tuple[str, str | None]:
    plain = _NORTH_AMERICAN.match(written)
    if plain is not None and (plain[1] or region == "US"):
        return f"+1{plain[2]}{plain[3]}{plain[4]}", plain[5]
    if written.startswith("00"):
        written = "+" + written[2:]
    try:
        number = phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException:
        raise ValueError("must be a phone number, such as +14155552671") from None
    if not phonenumbers.is_possible_number(number):
        raise ValueError("must be a possible phone number, such as +14155552671")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), number.extension


def written_phone(value: str) -> str | None:
    """A phone number as it was written: a line of up to 100 characters that may hold one; empty means none.

    Address books put marks of direction around a number that is copied out of them; they are no part of it.
    """
    return text(without_direction(value), MAX_WRITTEN_PHONE) if value.strip() else None


def phone_region(value: str) -> str:
    """The country (ISO 3166-1 alpha-2) that a phone number without a country code is taken to be of."""
    kept = value.strip().upper()
    if kept not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError("must be a two-letter country code, such as US or DE")
    return kept


def slug(value: str) -> str:
    """Lower case letters and digits joined by hyphens: ``"Q2 Campaign!"`` → ``"q2-campaign"``.

    Names without any Latin letter or digit keep their own letters, so that no two of them share a slug.
    """
    plain = _SLUG_GAP.sub("-", folded(value)).strip("-")
    return plain or _GAP.sub("-", value.casefold()).strip("-") or value.strip()


def folded(value: str) -> str:
    """For comparing, sorting and searching: without accents and case."""
    if value.isascii():
        return value.lower()
    parts = unicodedata.normalize("NFKD", value)
    return "".join([letter for letter in parts if not unicodedata.combining(letter)]).casefold()


def color(value: str) -> str:
    kept = value.strip()
    if not _COLOR.match(kept):
        raise ValueError("must be a hex colour, such as #1a7f37")
    return kept


def language(value: str) -> str | None:
    """A BCP 47 language tag, such as ``en`` or ``pt-BR``; empty means none."""
    kept = value.strip()
    if len(kept) > MAX_LANGUAGE:
        raise ValueError(f"must have at most {MAX_LANGUAGE} characters")
    if kept and not _LANGUAGE.match(kept):
        raise ValueError("must be a language tag, such as en or pt-BR")
    return kept or None


def day(value: str) -> str | None:
    """A calendar date, ``YYYY-MM-DD``; empty means none."""
    kept = value.strip()
    if not kept:
        return None
    try:
        return date.fromisoformat(kept).isoformat()
    except ValueError:
        raise ValueError("must be a date, such as 2026-03-15") from None


def domain_or_none(value: str) -> str | None:
    """A domain, lower case, of one or taken out of a URL: ``https://Acme.example/beer`` → ``acme.example``; empty means none."""
    kept = value.strip()
    if not kept:
        return None
    if len(kept) > MAX_URL:
        raise ValueError(f"must have at most {MAX_URL} characters")
    host = kept.partition("//")[2] if "//" in kept else kept
    labels = _END_OF_HOST.split(host, maxsplit=1)[0].lower().removesuffix(".").split(".")
    if not 2 <= len(labels) <= MAX_LABELS or not all(_LABEL.match(label) for label in labels):
        raise ValueError("must be a domain, such as acme.example.com")
    return ".".join(labels)


def moment(value: datetime) -> datetime:
    """A time that says its zone, in UTC."""
    if value.tzinfo is None:
        raise ValueError("must have a time zone, such as 2027-01-31T00:00:00Z")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("must be in the years 1 to 9999 of UTC") from None


def markdown(value: str) -> str:
    """Text of up to 20,000 characters, as it stands: white space means something in Markdown; not white space alone."""
    if len(value) > MAX_LONG_TEXT:
        raise ValueError(f"must have at most {MAX_LONG_TEXT} characters")
    if not is_text(value):
        raise ValueError("must not contain control characters")
    if not value.strip() or is_unseen(value):
        raise ValueError("must have something to be seen")
    return value


def web_url(value: str, schemes: Sequence[str] = WEB, limit: int = MAX_URL) -> str:
    """An absolute URL with a host and one of ``schemes``, without user information."""
    kept = value.strip()
    wanted = f"must be an absolute {' or '.join(schemes)} URL"
    if len(kept) <= limit and schemes is WEB and _PLAIN_URL.match(kept):
        return kept
    if len(kept) > limit or any(letter.isspace() for letter in kept) or not is_line(kept):
        raise ValueError(wanted)
    try:
        parts = urlsplit(kept)
        port = parts.port
    except ValueError:
        raise ValueError(wanted) from None
    if parts.scheme not in schemes or not parts.hostname or port == 0:
        raise ValueError(wanted)
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not contain a user name or password")
    return kept


def extension_or_none(value: str) -> str | None:
    """What to dial after a phone number: a line of up to 20 characters; empty means nothing."""
    return text(value, MAX_EXTENSION) if value.strip() else None


def web_url_or_none(value: str) -> str | None:
    """``web_url``, where white space alone means that there is none."""
    return web_url(value) if value.strip() else None


def custom_key(value: str) -> str:
    """A custom field's key: 1 to 64 letters, digits, ``_ . -`` or spaces, beginning with a letter or digit.

    Characters beyond the basic plane are refused: RFC 8785 sorts keys by UTF-16 unit, and without them that is
    the same as by code point.
    """
    return _custom_key(value.strip())


@lru_cache(maxsize=4096)
def _custom_key(value: str) -> str:
    kept = unicodedata.normalize("NFC", value).strip()
    if not _KEY.match(kept) or any(letter > "\uffff" for letter in kept):
        raise ValueError("must be a key of 1 to 64 letters, digits, '_', '.', '-' or spaces")
    return kept


def number(value: float) -> int | float:
    """A number that survives every JSON reader: finite, at most 2^53-1 in size, whole ones as integers."""
    if not abs(value) <= MAX_SAFE_INTEGER:  # nor is NaN
        raise ValueError(f"must be a number between -{MAX_SAFE_INTEGER} and {MAX_SAFE_INTEGER}")
    return int(value) if float(value).is_integer() else value


def _scalar(value: Any) -> Scalar:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, str):
        return long_text(value) or ""
    raise ValueError("must be text, a number, true, false, null or a list of these")


def custom_value(value: Any) -> CustomValue:
    """A custom field's value: text, number, boolean, null, or a list of up to 100 of these."""
    if isinstance(value, str):
        return long_text(value) or ""
    if isinstance(value, list):
        if len(value) > MAX_LIST:
            raise ValueError(f"must have at most {MAX_LIST} entries")
        return [_scalar(entry) for entry in value]
    return _scalar(value)


def list_text(entries: Sequence[Scalar]) -> str:
    """A list where there is room for text alone: as JSON."""
    return _written(entries).decode()


def text_list(value: str) -> list[str] | None:
    """The list of texts that a text stands for as JSON, ``None`` where it stands for none."""
    if not value.lstrip().startswith("["):
        return None
    try:
        return _texts(value)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def custom_fields(values: Mapping[str, Any]) -> dict[str, CustomValue]:
    """Custom fields by key, in order of key. A null value is kept: in a PATCH it takes the field away."""
    if len(values) > MAX_CUSTOM_FIELDS:
        raise ValueError(f"must have at most {MAX_CUSTOM_FIELDS} fields")
    return _by_key(values, custom_value)


def preferences(values: Mapping[str, str | None]) -> dict[str, str | None]:
    """A small map from text to text, such as communication preferences; null as in custom fields."""
    if len(values) > MAX_PREFERENCES:
        raise ValueError(f"must have at most {MAX_PREFERENCES} entries")
    return _by_key(values, lambda value: None if value is None else text(value))


def metadata(values: Mapping[str, str]) -> dict[str, str]:
    """A small map from text to text of any length that text may have, in order of key."""
    if len(values) > MAX_PREFERENCES:
        raise ValueError(f"must have at most {MAX_PREFERENCES} entries")
    return _by_key(values, lambda value: long_text(value) or "")


def _by_key(values: Mapping[str, T], normalise: Callable[[T], R]) -> dict[str, R]:
    kept: dict[str, R] = {}
    for key in sorted(values):
        try:
            kept[custom_key(key)] = normalise(values[key])
        except ValueError as error:
            raise ValueError(f"{key[:64]!r} {error}") from None
    return kept
