"""Collects what is wrong with a command's fields, so that a caller hears of all of it at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from msgspec import UNSET, UnsetType

from domain.kernel import FieldError, Refused

T = TypeVar("T")
R = TypeVar("R")


class Check:
    """Runs normalisers over fields and remembers every refusal.

    ``field`` and ``given`` return the normalised value, or the value as it came when it was refused:
    the caller goes on, and ``done`` raises one refusal that names every field at fault.
    """

    def __init__(self) -> None:
        self.errors: list[FieldError] = []

    def fail(self, field: str, message: str) -> None:
        self.errors.append(FieldError(field=field, message=message))

    def field(self, name: str, normalise: Callable[[T], R], value: T) -> R | None:
        """``normalise(value)``; a ``ValueError``'s message is what was expected of the field."""
        try:
            return normalise(value)
        except ValueError as error:
            self.fail(name, str(error))
        except Refused as refusal:  # of what is within it
            for detail in refusal.details:
                self.fail(f"{name}.{detail.field}", detail.message)
            if not refusal.details:
                self.fail(name, refusal.message)
        return None

    def optional(self, name: str, normalise: Callable[[T], R], value: T | None) -> R | None:
        """Like ``field``; ``None`` stays ``None``."""
        return None if value is None else self.field(name, normalise, value)

    def given(self, name: str, normalise: Callable[[T], R], value: T | UnsetType | None) -> R | UnsetType | None:
        """Like ``optional``; a field that a PATCH did not name stays unset."""
        return UNSET if value is UNSET else self.optional(name, normalise, value)

    def done(self) -> None:
        if self.errors:
            names = ", ".join(error.field for error in self.errors)
            raise Refused("validation_failed", f"Not acceptable: {names}.", details=self.errors)
