"""A postal address: a few lines that belong together."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from domain.kernel import Value
from domain.kernel.fields import Kept, kept
from domain.kernel.types import Line


class PostalAddress(Value, forbid_unknown_fields=True):
    """Where letters go to."""

    street: Annotated[Line, Meta(description="Street and number.")] | None = None
    city: Annotated[Line, Meta(description="City.")] | None = None
    state: Annotated[Line, Meta(description="State or region.")] | None = None
    zip: Annotated[Line, Meta(description="Postal code.")] | None = None
    country: Annotated[Line, Meta(description="Country.")] | None = None


def _address(given: PostalAddress) -> PostalAddress | None:
    found = PostalAddress(**kept(given))
    return found if any(msgspec.structs.astuple(found)) else None


Address = Annotated[PostalAddress, Kept(_address)]
"""Given anew as a whole; one in which nothing is given is none."""
