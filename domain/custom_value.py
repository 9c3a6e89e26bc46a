"""A custom value: a text of the workspace's own that its messages name by a token, ``{{custom_values.sender}}``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Final

from msgspec import UNSET, Meta, UnsetType

from domain.kernel import Command, Event, State, Value, values
from domain.kernel.fields import Kept
from domain.kernel.record import record

MAX_VALUE: Final = 5_000
MAX_RENDERED: Final = 1_000_000
"""Characters of a text with its tokens filled in."""

_KEY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_\-]{0,63}\Z")
_TOKEN: Final = re.compile(r"\{\{[ ]{0,4}custom_values\.([A-Za-z0-9][A-Za-z0-9_\-]{0,63})[ ]{0,4}\}\}")


def key(value: str) -> str:
    """1 to 64 letters of ASCII, digits, ``_`` or ``-``, beginning with a letter or digit; its case counts."""
    if not _KEY.match(value):
        raise ValueError("must be 1 to 64 letters, digits, '_' or '-', beginning with a letter or digit")
    return value


def text(value: str) -> str:
    """What a token stands for: up to 5,000 characters, line breaks included; it may be nothing."""
    found = values.long_text(value) or ""
    if len(found) > MAX_VALUE:
        raise ValueError(f"must have at most {MAX_VALUE} characters")
    return found


Key = Annotated[str, Kept(key), Meta(description="What its token names it by.")]
Text = Annotated[str, Kept(text), Meta(description="What stands in the place of the token.")]


class CustomValueDetails(Value):
    key: Key
    value: Text


class CustomValueChanges(Value):
    """What can change of a custom value."""

    value: Text | UnsetType = UNSET


class CustomValue(CustomValueDetails, State):
    """What a token stands for."""


class CreateCustomValue(CustomValueDetails, Command):
    """A token to make."""


class UpdateCustomValue(CustomValueChanges, Command):
    """What it is to stand for from now on."""


class DeleteCustomValue(Command):
    """Its token stands for nothing any more."""


class CustomValueCreated(CustomValueDetails, Event, name="custom_value.created", action="created"):
    """A token was made."""


class CustomValueUpdated(Event, name="custom_value.updated", action="updated"):
    """The token stands for something else."""

    changed: CustomValueChanges
    previous: CustomValueChanges


class CustomValueDeleted(Event, name="custom_value.deleted", action="deleted"):
    """What it stood for is in the events before."""


CUSTOM_VALUE = record(
    "custom_value",
    state=CustomValue,
    create=CreateCustomValue,
    update=UpdateCustomValue,
    delete=DeleteCustomValue,
    created=CustomValueCreated,
    updated=CustomValueUpdated,
    deleted=CustomValueDeleted,
)


def token(name: str) -> str:
    """How a text names the value with this key."""
    return f"{{{{custom_values.{name}}}}}"


def named_in(written: str) -> frozenset[str]:
    """The keys that the tokens of a text name."""
    return frozenset(_TOKEN.findall(written))


def rendered(written: str, known: Mapping[str, str]) -> str:
    """The text with its tokens filled in; a token that stands for nothing stays as it is written.

    What is filled in is not looked at again. Raises ``ValueError`` when it becomes too long.
    """
    parts: list[str] = []
    size = 0
    for part in _parts(written, known):
        size += len(part)
        if size > MAX_RENDERED:
            raise ValueError(f"must have at most {MAX_RENDERED} characters with its tokens filled in")
        parts.append(part)
    return "".join(parts)


def _parts(written: str, known: Mapping[str, str]) -> Iterator[str]:
    end = 0
    for found in _TOKEN.finditer(written):
        yield written[end : found.start()]
        yield known.get(found[1], found[0])
        end = found.end()
    yield written[end:]
