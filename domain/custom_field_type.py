"""The types that custom fields have, and what a value of each may be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, Protocol
from uuid import UUID

from domain.kernel import times, values
from domain.kernel.values import CustomValue, Scalar

FieldType = Literal[
    "text", "email", "phone", "number", "date", "datetime", "boolean", "url",
    "select", "multi_select", "pick_list", "related",
]  # fmt: skip

DISPLAYED: Final[dict[FieldType, str]] = {
    "text": "Text",
    "email": "Email",
    "phone": "Phone",
    "number": "Number",
    "date": "Date",
    "datetime": "Datetime",
    "boolean": "True / False",
    "url": "URL",
    "select": "Select",
    "multi_select": "Multi Select",
    "pick_list": "Pick List",
    "related": "Related Contact/Organization",
}
"""By type, what people are shown."""

SELECTS: Final = frozenset({"select", "multi_select", "pick_list"})
_TRUTHS: Final = {"true": True, "false": False}
_LONGEST_NUMBER: Final = 40


class Typed(Protocol):
    """What a definition says of its values."""

    @property
    def type(self) -> str: ...
    @property
    def options(self) -> tuple[str, ...] | None: ...
    @property
    def allow_multiple(self) -> bool: ...
    @property
    def max_length(self) -> int | None: ...


def refers_to(kind: FieldType) -> str | None:
    """The kind of thing whose id a value of this type is."""
    return "contact" if kind == "related" else None


def kept_value(field: Typed, value: CustomValue, region: str) -> CustomValue:
    """The value as it is kept, ``None`` for none; raises ``ValueError`` with what was expected.

    What comes as text, as from a table, is read: ``"38"`` is a number. ``region`` is the country of a phone number that
    is written without a country code.
    """
    if is_blank(value):
        return None
    if field.type in SELECTS:
        return _selected(field, value)
    if field.type == "phone":
        return values.phone(_line(value), region)[0]
    if field.type == "text":
        return _text(value, field.max_length)
    return _KEPT[field.type](value)


def is_blank(value: CustomValue) -> bool:
    """Whether it stands for no value."""
    return value is None or (isinstance(value, str) and not value.strip()) or value == []


def _line(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text")  # noqa: TRY004 - the caller's value, not a type of ours
    return value


def _text(value: Any, limit: int | None) -> str | None:
    found = values.long_text(_line(value))
    if found is not None and limit is not None and len(found) > limit:
        raise ValueError(f"must have at most {limit} characters")
    return found


def _number(value: Any) -> Scalar:
    if isinstance(value, str) and len(value) <= _LONGEST_NUMBER and value.isascii() and "_" not in value:
        try:
            value = float(value) if any(letter in value for letter in ".eE") else int(value)
        except ValueError:
            raise ValueError("must be a number") from None
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError("must be a number")  # noqa: TRY004 - the caller's value, not a type of ours
    return values.number(value)


def _boolean(value: Any) -> Scalar:
    found = _TRUTHS.get(value.strip().lower()) if isinstance(value, str) else value
    if not isinstance(found, bool):
        raise ValueError("must be true or false")  # noqa: TRY004 - the caller's value, not a type of ours
    return found


def _moment(value: Any) -> str:
    """A time as it is in UTC; with a fraction only where a second has one."""
    return times.read(_line(value)).isoformat().replace("+00:00", "Z")


def id_of(value: Any, noun: str) -> str:
    try:
        return str(UUID(_line(value).strip()))
    except ValueError:
        raise ValueError(f"must be the id of a {noun}") from None


def _selected(field: Typed, value: CustomValue) -> CustomValue:
    """The options as the definition spells them: one, or of those that take several each once, in the order given."""
    known = {values.folded(option): option for option in field.options or ()}
    if not field.allow_multiple and isinstance(value, list):
        raise ValueError("must be one of its options, not a list")
    given = value if isinstance(value, list) else _entries(field, value)
    found: dict[Scalar, None] = {}
    for entry in given:
        option = known.get(values.folded(entry.strip())) if isinstance(entry, str) else None
        if option is None:
            raise ValueError(f"must be of its options: {', '.join(list(known.values())[:10])}")
        found[option] = None
    return list(found) if field.allow_multiple else next(iter(found))


def _entries(field: Typed, value: Scalar) -> Sequence[Scalar]:
    """The entries of what is no list itself: where there may be several, text can stand for them, as in a table."""
    listed = values.text_list(value) if field.allow_multiple and isinstance(value, str) else None
    return [value] if listed is None else listed


_KEPT: Final[dict[str, Callable[[Any], CustomValue]]] = {
    "email": lambda value: values.email(_line(value)),
    "number": _number,
    "date": lambda value: values.day(_line(value)),
    "datetime": _moment,
    "boolean": _boolean,
    "url": lambda value: values.web_url(_line(value)),
    "related": lambda value: id_of(value, "contact"),
}
