"""From a row to what callers see of it."""

from __future__ import annotations

from typing import Any, TypeVar

from msgspec.structs import asdict

from domain.kernel import Value
from eventstore.rows import Current

V = TypeVar("V", bound=Value)


def shown(view: type[V], current: Current[Any], **more: Any) -> V:
    """The fields of the state, the row's own (``id``, ``version`` and times), and ``more`` in place of any of these."""
    own: dict[str, Any] = {
        "id": current.id,
        "created_at": current.created_at,
        "updated_at": current.updated_at,
        "version": current.version,
    }
    return view(**(asdict(current.state) | own | more))
