"""How rows are found that refer to a thing: by a column that has its id or ids, or by a key of a map."""

from __future__ import annotations

from domain.kernel.fields import ByKey, Reference


def holding(reference: Reference) -> str:
    """The condition that a row refers to the id that is its one parameter; a definition is referred to by values of its key."""
    if isinstance(reference, ByKey):
        return _within(reference) + _by_key(reference)
    return f"{reference.field} @> ARRAY[%s::uuid]" if reference.many else f"{reference.field} = %s"


def _within(reference: ByKey) -> str:
    """Of what it is that the key means this in."""
    return "" if reference.within is None else f"{reference.within[0]} = '{reference.within[1]}'::uuid AND "


def _by_key(reference: ByKey) -> str:
    named = f"{reference.field} @> jsonb_build_object('{reference.key}', %s::uuid)"
    return named if reference.names else f"jsonb_exists({reference.field}, '{reference.key}') AND %s IS NOT NULL"
