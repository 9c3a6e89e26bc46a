"""What a partial update changes: the fields named, kept only where they differ from what is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET

from domain.kernel import State, Value

V = TypeVar("V", bound=Value)
S = TypeVar("S", bound=State)


def named(value: msgspec.Struct) -> dict[str, Any]:
    """The fields that were given, by Python name."""
    fields = zip(value.__struct_fields__, msgspec.structs.astuple(value), strict=True)
    return {name: found for name, found in fields if found is not UNSET}


def begun(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What something begins with: there is no key of a map to be taken away yet."""
    return {
        name: {key: one for key, one in value.items() if one is not None} if isinstance(value, dict) else value
        for name, value in fields.items()
    }


def difference(wanted: Mapping[str, Any], state: State) -> tuple[dict[str, Any], dict[str, Any]]:
    """``(changed, previous)``: of the wanted fields, those that differ, and what they were.

    Maps are compared key by key; a wanted value of ``None`` takes a key away.
    """
    changed: dict[str, Any] = {}
    previous: dict[str, Any] = {}
    for name, new in wanted.items():
        old = getattr(state, name)
        if isinstance(old, dict) and isinstance(new, dict):
            keys = [key for key, value in new.items() if not _same(old.get(key), value)]
            if keys:
                changed[name] = {key: new[key] for key in keys}
                previous[name] = {key: old.get(key) for key in keys}
        elif new != old:
            changed[name] = new
            previous[name] = old
    return changed, previous


def _same(old: Any, new: Any) -> bool:
    """Equal on the wire: Python takes ``True`` for ``1``."""
    return old == new and msgspec.json.encode(old) == msgspec.json.encode(new)


def applied(state: S, changed: Value) -> S:
    """The state with the changes in it: fields replaced, maps merged, keys with ``None`` taken away."""
    fields = named(changed)
    for name, new in fields.items():
        old = getattr(state, name)
        if isinstance(old, dict) and isinstance(new, dict):
            fields[name] = {key: value for key, value in {**old, **new}.items() if value is not None}
    return msgspec.structs.replace(state, **fields)
