"""How rows are found that refer to a thing: by a column that has its id or ids, or by a key of a map."""

from __future__ import annotations

from domain.kernel.fields import ByKey, Reference


def holding(reference: Reference) -> str:
    """The condition that a row refers to the id that is its one parameter; a definition is referred to by values of its key."""
    if isinstance(reference, ByKey):
        named = f"{reference.field} @> jsonb_build_object('{reference.key}', %s::uuid)"
        return named if reference.names else f"jsonb_exists({reference.field}, '{reference.key}') AND %s IS NOT NULL"
    return f"{reference.field} @> ARRAY[%s::uuid]" if reference.many else f"{reference.field} = %s"
