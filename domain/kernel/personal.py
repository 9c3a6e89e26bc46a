"""Personal fields: what of an event tells of a person. It is sealed in the log with a key of that person's.

``Annotated[Line, PERSONAL]`` stands where the field is declared. Whom an event is about follows from its stream: a person's
own, or one whose state refers to a person before or behind the event; where it is about another besides, a field of its
own says so (``OF_PERSON``).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import NoneType
from typing import Any, Final, TypeVar, get_args, get_origin

import msgspec
from msgspec import UNSET

from domain.kernel import JSON
from domain.kernel.fields import annotated, said

V = TypeVar("V", bound=msgspec.Struct)

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


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """What is personal of an event, or of a struct in it: ``masks`` has, by wire name, what stands for a field when it cannot
    be read, and ``within`` the structs that have personal fields of their own. There is one of each.
    """

    masks: Mapping[str, Any] = field(default_factory=dict)
    within: Mapping[str, Tree] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.masks or self.within)


NOTHING_PERSONAL: Final = Tree()


@cache
def personal(kind: type[msgspec.Struct]) -> Tree:
    """The personal fields of an event, and of the structs in it."""
    masks: dict[str, Any] = {}
    within: dict[str, Tree] = {}
    for _, wire, annotation in annotated(kind):
        if any(said(annotation, Personal)):
            masks[wire] = _mask(annotation)
        elif inner := next((tree for part in _structs(annotation) if (tree := personal(part))), None):
            within[wire] = inner
    return Tree(masks, within)


@cache
def others(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    """The fields of an event, by Python name, with ids of persons whom it is about besides."""
    return tuple(name for name, _, annotation in annotated(kind) if any(said(annotation, OfPerson)))


def repeated(event: msgspec.Struct) -> dict[str, bool]:
    """The personal fields of which an event tells what they were before, or are without being changed, by wire name; and
    whether they are maps.
    """
    before: msgspec.Struct | None = getattr(event, "previous", None)
    found = dict.fromkeys(personal(type(event)).masks, False)
    if before is not None:
        masks = personal(type(before)).masks
        told = [wire for name, wire in _wires(before) if wire in masks and getattr(before, name) not in _UNTOLD]
        found |= {wire: masks[wire] == {} for wire in told}
    return found


def without(event: V, names: Container[str]) -> V:
    """An event that does not say what these fields (wire names) were before."""
    before: msgspec.Struct | None = getattr(event, "previous", None)
    if before is None:
        return event
    left_out = {name: UNSET for name, wire in _wires(before) if wire in names}
    return msgspec.structs.replace(event, previous=msgspec.structs.replace(before, **left_out))


def _wires(struct: msgspec.Struct) -> Iterator[tuple[str, str]]:
    """The fields of a struct, by Python and by wire name."""
    return zip(struct.__struct_fields__, struct.__struct_encode_fields__, strict=True)


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
    found = {
        name: data.pop(name) for name in tree.masks.keys() & data.keys() if data[name] or data[name] not in _NOTHING
    }
    for name, inner in tree.within.items():
        if data.get(name) and (part := taken(data[name], inner)):
            found[name] = part
    return found


_NOTHING: Final[tuple[Any, ...]] = (None, {}, "")
_UNTOLD: Final[tuple[Any, ...]] = (UNSET, *_NOTHING)


def put_back(data: JSON, part: JSON, tree: Tree) -> None:
    """The reverse of ``taken``."""
    if not tree.within:
        data.update(part)
        return
    for name, value in part.items():
        inner = tree.within.get(name)
        if inner is not None and isinstance(data.get(name), dict):
            put_back(data[name], value, inner)
        else:
            data[name] = value


def paths(part: JSON, tree: Tree) -> list[str]:
    """The names of what was taken, dotted, in order."""
    if not tree.within:
        return sorted(part)
    found = [name for name in part if name not in tree.within]
    for name, inner in tree.within.items():
        found += [f"{name}.{path}" for path in paths(part.get(name, {}), inner)]
    return sorted(found)


def masked(fields: Iterable[str], tree: Tree) -> JSON:
    """What stands for values of these names (``paths``) that cannot be read."""
    found: JSON = {}
    for path in fields:
        _mask_one(found, path, tree)
    return found


def _mask_one(data: JSON, path: str, tree: Tree) -> None:
    name, _, rest = path.partition(".")
    if rest:
        _mask_one(data.setdefault(name, {}), rest, tree.within.get(name, NOTHING_PERSONAL))
    else:
        data[name] = tree.masks.get(name)
