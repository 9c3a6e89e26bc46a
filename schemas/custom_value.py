"""Custom values on the wire."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from domain.custom_value import CustomValueDetails
from domain.kernel import JSON, Value
from schemas.wire.words import CreatedAt, Id, UpdatedAt, Version


class NewCustomValue(Value, forbid_unknown_fields=True):
    """What a token is to stand for; a number, true or false as its text."""

    value: Annotated[str | int | float | bool, Meta(description="What stands in the place of the token.")]


class CustomValueView(CustomValueDetails, kw_only=True):
    """A custom value."""

    id: Id
    token: Annotated[str, Meta(description="How messages name it.")]
    created_at: CreatedAt
    updated_at: UpdatedAt
    version: Version

    example: ClassVar[JSON] = {
        "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0120",
        "key": "sender",
        "value": "Olga of Acme",
        "token": "{{custom_values.sender}}",
        "createdAt": "2026-03-15T10:30:00.123456Z",
        "updatedAt": "2026-03-15T10:30:00.123456Z",
        "version": 1,
    }
