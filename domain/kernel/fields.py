"""What the type of a field says: how its value is kept, and what it refers to.

``Line = Annotated[str, Kept(values.text_or_none)]`` and ``Annotated[UUID, Refers("company")]`` stand where the field is
declared, and every door that a value can come in by does as they say. msgspec ignores what it does not know in an
annotation, and documents ``Meta`` beside it; type checkers see the bare type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Protocol, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec

from domain.kernel import State
from domain.kernel.changes import named
from domain.kernel.check import Check

OnEnd = Literal["unset", "refuse", "cascade"]


@dataclass(frozen=True)
class Kept:
    """How a value is kept: ``keep`` answers its normal form, or raises ``ValueError`` saying what was expected."""

    keep: Callable[[Any], Any]


@dataclass(frozen=True)
class Refers:
    """The id, or each of the ids, is that of a thing of ``kind`` in the same workspace.

    ``on_end`` says what becomes of who refers to a thing that ends: ``unset`` takes the reference away (by the decider's
    ``unset``), ``cascade`` ends them too (by its ``delete``), ``refuse`` keeps the thing from ending. ``counted``: how
    many refer to it is kept, for the thing to show.
    """

    kind: str
    on_end: OnEnd = "unset"
    counted: bool = False


@dataclass(frozen=True)
class Defined:
    """The map holds fields that the workspace has defined for this kind of thing, by things of the kind ``by``: its values
    are held to them (``Definition``). A key that is not defined is free. ``within``: the field of the thing that its fields are
    defined for, where not all of a kind have the same.
    """

    by: str
    within: str | None = None


class Definition(Protocol):
    """What the state of a stream that defines a field says of it."""

    @property
    def entity(self) -> str:
        """The kind of stream that has the field."""
        ...

    @property
    def within(self) -> UUID | None:
        """The thing for which it is defined, where not all of the kind have the field."""
        ...

    @property
    def key(self) -> str: ...

    @property
    def required(self) -> bool: ...

    @property
    def refers(self) -> str | None:
        """The kind of thing whose id a value is, if it is one."""
        ...

    @property
    def regional(self) -> bool:
        """Whether a value may be read in one way in one country, and in another elsewhere."""
        ...

    def fits(self, kind: str, state: State) -> bool:
        """Whether a thing of this kind, in this state, has the field."""
        ...

    def kept(self, value: Any, region: str) -> Any:
        """The value's normal form, ``None`` for none; raises ``ValueError`` saying what was expected.

        ``region`` is the country of a phone number that is written without a country code.
        """
        ...


Family = tuple[str, UUID | None]
"""What has the same defined fields: all of a kind, or of these those that are of one thing."""


@dataclass(frozen=True)
class DefinedField:
    """A field that is a map of defined fields: its name in Python and on the wire, and the kind of stream that defines
    them, for all of a kind or ``within`` what this other field names.
    """

    name: str
    wire: str
    by: str
    within: str | None = None

    def family(self, kind: str, *known: Any) -> Family:
        """Who has the same fields as a thing of this kind: ``known`` are its state and a command, what there is of them."""
        found = (getattr(one, self.within, None) for one in known) if self.within else ()
        return kind, next((key for key in found if key is not None), None)


@dataclass(frozen=True)
class Reference:
    """A field of a state that refers to things of another kind: its name in Python and on the wire."""

    field: str
    wire: str
    to: Refers
    many: bool

    def ids(self, state: State | None) -> tuple[UUID, ...]:
        """What a state refers to by this field; nothing where there is no state."""
        found: Any = None if state is None else getattr(state, self.field)
        if found is None:
            return ()
        return found if self.many else (found,)

    @property
    def path(self) -> str:
        """What is let go of: the field, or a key in it."""
        return self.field

    @property
    def called(self) -> str:
        """The same by the name on the wire."""
        return self.wire


@dataclass(frozen=True)
class ByKey(Reference):
    """A value under one key of a map of defined fields. It refers to its definition, or to the thing that it ``names``."""

    key: str
    names: bool
    within: tuple[str, UUID] | None = None
    """The field and id of what all that have the value are of, where a key means something in there alone."""

    @property
    def path(self) -> str:
        return f"{self.field}.{self.key}"

    @property
    def called(self) -> str:
        return f"{self.wire}.{self.key}"


def path_of(kind: type[msgspec.Struct], called: str) -> str:
    """The path, in Python names, of what is ``called`` so on the wire."""
    wire, dot, key = called.partition(".")
    return kind.__struct_fields__[kind.__struct_encode_fields__.index(wire)] + dot + key


def letting_go(path: str) -> dict[str, Any]:
    """The change, by Python name, in which a reference goes: ``company_id`` is null then, ``custom_fields.plan`` a key's value."""
    return _put(path, None)


def leading(path: str, to: UUID) -> dict[str, Any]:
    """The change, by Python name, by which a reference is to another thing; a value under a key is text."""
    return _put(path, str(to) if "." in path else to)


def _put(path: str, value: UUID | str | None) -> dict[str, Any]:
    field, _, key = path.partition(".")
    return {field: {key: value} if key else value}


@cache
def defined_fields(kind: type[msgspec.Struct]) -> tuple[DefinedField, ...]:
    """The fields of a state or command that hold what a workspace defines."""
    return tuple(
        DefinedField(name, wire, defined.by, defined.within)
        for name, wire, annotation in annotated(kind)
        for defined in said(annotation, Defined)
    )


@cache
def references(kind: type[msgspec.Struct]) -> tuple[Reference, ...]:
    """The fields of a state that refer to something, in the order of the state."""
    return tuple(
        Reference(name, wire, refers, many=_is_many(annotation))
        for name, wire, annotation in annotated(kind)
        for refers in said(annotation, Refers)
    )


@cache
def keepers(kind: type[msgspec.Struct]) -> tuple[tuple[str, str, Callable[[Any], Any]], ...]:
    """Of the fields whose type says how they are kept: name, wire name, and how."""
    return tuple(
        (name, wire, kept.keep) for name, wire, annotation in annotated(kind) for kept in said(annotation, Kept)
    )


def kept(value: msgspec.Struct, check: Check | None = None) -> dict[str, Any]:
    """The given fields as they are kept, by Python name; those not given are not among them.

    Refuses with every field that is not acceptable, or tells ``check`` of them.
    """
    asked = check or Check()
    keeping = _keeping(type(value))
    found = named(value)
    for name, given in found.items():
        if given is not None and name in keeping:
            wire, keep = keeping[name]
            found[name] = asked.field(wire, keep, given)
    if check is None:
        asked.done()
    return found


@cache
def _keeping(kind: type[msgspec.Struct]) -> dict[str, tuple[str, Callable[[Any], Any]]]:
    return {name: (wire, keep) for name, wire, keep in keepers(kind)}


@cache
def annotated(kind: type[msgspec.Struct]) -> tuple[tuple[str, str, Any], ...]:
    hints = get_type_hints(kind, include_extras=True)
    return tuple((field.name, field.encode_name, hints[field.name]) for field in msgspec.structs.fields(kind))


def said(annotation: Any, what: type[Any]) -> Iterator[Any]:
    """What an annotation, or a type that it is made of, says of this kind; not what the fields of a struct say."""
    if get_origin(annotation) is Annotated:
        inner, *told = get_args(annotation)
        yield from (entry for entry in told if isinstance(entry, what))
        yield from said(inner, what)
    else:
        for inner in get_args(annotation):
            yield from said(inner, what)


def _is_many(annotation: Any) -> bool:
    origin = get_origin(annotation)
    if origin in (tuple, list):
        return True
    return any(_is_many(inner) for inner in get_args(annotation))


@cache
def is_map(kind: type[msgspec.Struct], name: str) -> bool:
    """Whether a field, by its Python name, is a map from key to value."""
    return any(_is_dict(annotation) for found, _, annotation in annotated(kind) if found == name)


def _is_dict(annotation: Any) -> bool:
    return get_origin(annotation) is dict or (get_origin(annotation) is Annotated and _is_dict(get_args(annotation)[0]))
