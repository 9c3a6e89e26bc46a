"""Personal fields: what of an event tells of a person. It is sealed in the log with a key of that person's.

``Annotated[Line, PERSONAL]`` stands where the field is declared. Whom an event is about follows from its stream: a person's
own, or one whose state refers to a person before or behind the event; where it is about another besides, a field of its
own says so (``OF_PERSON``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import NoneType
from typing import Any, Final, TypeGuard, get_args, get_origin

import msgspec

from domain.kernel import JSON
from domain.kernel.fields import annotated, said

ERASED: Final = "[erased]"
"""What stands for text that cannot be read any more and that there must be; other values are null, maps empty."""


@dataclass(frozen=True)
class Personal:
    """The value tells of a person."""


@dataclass(frozen=True)
class OfPerson:
    """The id is that of a person whom the event is about, beside those that its stream tells of."""


PERSONAL: Final = Personal()
OF_PERSON: Final = OfPerson()

Tree = Mapping[str, Any]
"""By wire name: of a personal field what stands for it when it cannot be read, of a struct that has some its own tree."""


@cache
def personal(kind: type[msgspec.Struct]) -> Tree:
    """The personal fields of an event, and of the structs in it."""
    found: dict[str, Any] = {}
    for _, wire, annotation in annotated(kind):
        if any(said(annotation, Personal)):
            found[wire] = _mask(annotation)
        elif inner := next((tree for part in _structs(annotation) if (tree := personal(part))), None):
            found[wire] = inner
    return found


@cache
def others(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    """The fields of an event, by Python name, with ids of persons whom it is about besides."""
    return tuple(name for name, _, annotation in annotated(kind) if any(said(annotation, OfPerson)))


def _mask(annotation: Any) -> Any:
    kinds = set(_plain(annotation))
    if NoneType in kinds:
        return None
    return {} if dict in kinds else ERASED


def _plain(annotation: Any) -> list[Any]:
    """The types that a value may have, without what is said of them and of what is in them."""
    if hasattr(annotation, "__metadata__"):
        return _plain(get_args(annotation)[0])
    origin = get_origin(annotation)
    if origin in (dict, list, tuple):
        return [origin]
    return [kind for inner in get_args(annotation) for kind in _plain(inner)] or [annotation]


def _structs(annotation: Any) -> list[type[msgspec.Struct]]:
    return [kind for kind in _plain(annotation) if isinstance(kind, type) and issubclass(kind, msgspec.Struct)]


def taken(data: JSON, tree: Tree) -> JSON:
    """Takes what is personal out of an event's data, and answers it; what is not set tells nothing and stays."""
    found: JSON = {}
    for name in [name for name in data if name in tree]:
        value, inner = data[name], tree[name]
        if not value and value in _NOTHING:
            continue
        if not _has_some(inner):
            found[name] = data.pop(name)
        elif part := taken(value, inner):
            found[name] = part
    return found


def _has_some(inner: Any) -> TypeGuard[dict[str, Any]]:
    """Whether this is the tree of a struct, not what stands for a value."""
    return bool(inner) and type(inner) is dict


_NOTHING: Final[tuple[Any, ...]] = (None, {}, "")


def put_back(data: JSON, part: JSON, tree: Tree) -> None:
    """The reverse of ``taken``."""
    for name, value in part.items():
        inner = tree.get(name)
        if _has_some(inner) and isinstance(data.get(name), dict):
            put_back(data[name], value, inner)
        else:
            data[name] = value


def paths(part: JSON, tree: Tree, before: str = "") -> list[str]:
    """The names of what was taken, dotted, in order."""
    found: list[str] = []
    for name, value in part.items():
        inner = tree.get(name)
        if _has_some(inner):
            found += paths(value, inner, f"{before}{name}.")
        else:
            found.append(f"{before}{name}")
    return sorted(found)


def mask(data: JSON, path: str, tree: Tree) -> None:
    """Puts what stands for a value that cannot be read in its place."""
    name, _, rest = path.partition(".")
    inner = tree.get(name)
    if rest:
        mask(data.setdefault(name, {}), rest, inner if isinstance(inner, Mapping) else {})
    else:
        data[name] = dict(inner) if isinstance(inner, Mapping) else inner
