"""Hypothesis strategies: any well-formed instance of a struct, by its annotations."""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import Any, TypeVar

import msgspec
from hypothesis import strategies as st
from msgspec import inspect

T = TypeVar("T", bound=msgspec.Struct)

# What Postgres can keep in jsonb: any text but NUL.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
zones = st.integers(-14, 14).map(lambda hours: timezone(timedelta(hours=hours)))
numbers = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-(2.0**53) + 1, 2.0**53 - 1)


def structs(kind: type[T]) -> st.SearchStrategy[T]:
    """Any instance that a decoder of this type would let in; optional fields are there or not."""
    return wire_form(inspect.type_info(kind)).map(lambda fields: msgspec.convert(fields, kind, strict=False))


_SCALARS: dict[type[inspect.Type], st.SearchStrategy[Any]] = {
    inspect.StrType: texts,
    inspect.FloatType: numbers.map(float),
    inspect.BoolType: st.booleans(),
    inspect.NoneType: st.none(),
    inspect.DecimalType: numbers,
    inspect.UUIDType: st.uuids().map(str),
    inspect.DateTimeType: st.datetimes(timezones=zones).map(lambda at: at.isoformat()),
}


def wire_form(kind: inspect.Type) -> st.SearchStrategy[Any]:
    """The JSON of any value of this type."""
    match kind:
        case inspect.StructType(fields=fields):
            required = {field.encode_name: wire_form(field.type) for field in fields if field.required}
            optional = {field.encode_name: wire_form(field.type) for field in fields if not field.required}
            return st.fixed_dictionaries(required, optional=optional)
        case inspect.Metadata(type=described):
            return wire_form(described)
        case inspect.IntType(ge=least, le=most):
            return st.integers(0 if least is None else least, 2**53 - 1 if most is None else most)
        case inspect.UnionType(types=types):
            return st.one_of(*(wire_form(entry) for entry in types))
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item):
            return st.lists(wire_form(item), max_size=3)
        case inspect.DictType(key_type=key, value_type=value):
            return st.dictionaries(wire_form(key), wire_form(value), max_size=3)
        case inspect.AnyType():
            return (
                st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.lists(st.text(), max_size=3)
            )
        case inspect.LiteralType(values=values):
            return st.sampled_from(values)
        case _:
            return _SCALARS[type(kind)]
