"""The filter compiler: conditions → one parameterised SQL expression, with every field's type checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

import msgspec

from domain.kernel import Refused, invalid
from domain.kernel.filter import MAX_CONDITIONS, MAX_DEPTH, Condition, Filter, Group
from domain.kernel.values import folded

Asked = Literal["text", "lowered", "folded", "number", "time", "boolean", "id", "tags", "custom"]


@dataclass(frozen=True)
class Field:
    """A field that can be asked for: its SQL expression, and what its values are.

    ``text`` is compared as it stands, ``lowered`` without case, ``folded`` without case and accents (the column holds
    lower-case or folded text; empty
    means not set); ``tags`` is an array of tag ids, asked for by name, slug or id.
    """

    sql: str
    kind: Asked


Fields = Mapping[str, Field]

_COMPARE: Final = {"eq": "=", "gt": ">", "lt": "<", "gte": ">=", "lte": "<=", "after": ">", "before": "<"}
_ALLOWED: Final[dict[Asked, frozenset[str]]] = {
    "text": frozenset({"eq", "neq", "contains", "not_contains", "starts_with", "in"}),
    "lowered": frozenset({"eq", "neq", "contains", "not_contains", "starts_with", "in", "gt", "lt", "gte", "lte"}),
    "folded": frozenset({"eq", "neq", "contains", "not_contains", "starts_with", "in", "gt", "lt", "gte", "lte"}),
    "number": frozenset({"eq", "neq", "gt", "lt", "gte", "lte", "in"}),
    "time": frozenset({"eq", "neq", "gt", "lt", "gte", "lte", "after", "before"}),
    "boolean": frozenset({"eq", "neq"}),
    "id": frozenset({"eq", "neq", "in"}),
    "tags": frozenset({"eq", "neq", "contains", "not_contains", "has", "not_has", "in"}),
    "custom": frozenset(
        {"eq", "neq", "contains", "not_contains", "starts_with", "gt", "lt", "gte", "lte", "in", "has", "not_has",
         "after", "before"}
    ),
}  # fmt: skip
_SET: Final = {"is_set": True, "is_not_empty": True, "is_not_set": False, "is_empty": False}

TAG_IDS: Final = """(SELECT coalesce(array_agg(DISTINCT named.id), '{}')
    FROM unnest(%s::uuid[], %s::text[], %s::text[]) AS asked (id, name, slug) CROSS JOIN LATERAL (
        SELECT t.id FROM tags t
        WHERE t.workspace_id = %s AND (t.id = asked.id OR t.name = asked.name OR t.slug = asked.slug)
        ORDER BY t.id = asked.id DESC, t.name = asked.name DESC, t.created_at, t.id LIMIT 1) named)"""
"""The ids of the tags that are meant by some words, one of each: the tag of this id, else of this name, else the oldest of
this slug.
"""


HERE: Final = object()


@dataclass(frozen=True)
class Compiled:
    """A piece of a statement, and its parameters; among them ``HERE`` for the workspace that is asked."""

    sql: str
    params: tuple[Any, ...]

    def params_in(self, workspace_id: UUID) -> tuple[Any, ...]:
        return tuple(workspace_id if param is HERE else param for param in self.params)


TRUE: Final = Compiled("true", ())


def every(*parts: Compiled) -> Compiled:
    """All of these hold."""
    asked = [part for part in parts if part is not TRUE]
    if len(asked) < 2:
        return asked[0] if asked else TRUE
    return Compiled(
        " AND ".join(f"({part.sql})" for part in asked), tuple(param for part in asked for param in part.params)
    )


def either(*parts: Compiled) -> Compiled:
    """At least one of these holds."""
    if TRUE in parts:
        return TRUE
    return Compiled(
        " OR ".join(f"({part.sql})" for part in parts), tuple(param for part in parts for param in part.params)
    )


def like(value: str) -> str:
    """Text as it stands inside a LIKE pattern."""
    return value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def compile_filter(wanted: Filter, fields: Fields) -> Compiled:
    """Raises ``Refused`` (``validation_failed``) naming the field, when a condition cannot be asked."""
    return _Compiler(fields).compile(wanted, 0)


class _Compiler:
    def __init__(self, fields: Fields) -> None:
        self._fields = fields
        self._left = MAX_CONDITIONS

    def compile(self, wanted: Filter, depth: int) -> Compiled:
        if isinstance(wanted, Condition):
            self._left -= 1
            if self._left < 0:
                raise Refused("validation_failed", f"A filter has at most {MAX_CONDITIONS} conditions.")
            return self._condition(wanted)
        if depth >= MAX_DEPTH:
            raise Refused("validation_failed", f"A filter's groups are at most {MAX_DEPTH} deep.")
        return self._group(wanted, depth)

    def _group(self, group: Group, depth: int) -> Compiled:
        parts = [self.compile(condition, depth + 1) for condition in group.conditions]
        if not parts:
            return TRUE if group.match == "all" else Compiled("false", ())
        joined = (" AND " if group.match == "all" else " OR ").join(f"({part.sql})" for part in parts)
        return Compiled(joined, tuple(param for part in parts for param in part.params))

    def _field(self, name: str) -> tuple[Field, tuple[Any, ...]]:
        if name.startswith("custom.") and "custom" in self._fields:
            return Field("(" + self._fields["custom"].sql + " -> %s)", "custom"), (name.removeprefix("custom."),)
        if name not in self._fields or name == "custom":
            known = ", ".join(sorted(self._fields.keys() - {"custom"}))
            raise invalid(name[:80], f"is not a field that can be filtered; these are: {known}")
        return self._fields[name], ()

    def _condition(self, condition: Condition) -> Compiled:
        field, path = self._field(condition.field)
        operator = condition.operator
        if operator in _SET:
            return _is_set(field, path, wanted=_SET[operator])
        if operator not in _ALLOWED[field.kind]:
            raise invalid(condition.field, f"cannot be asked with {operator}; {_ALLOWED_TEXT[field.kind]}")
        try:
            return _KINDS[field.kind](field, path, operator, condition.value)
        except ValueError as error:
            raise invalid(condition.field, str(error)) from None


_ALLOWED_TEXT: Final = {kind: "possible are " + ", ".join(sorted(names)) for kind, names in _ALLOWED.items()}


def _is_set(field: Field, path: tuple[Any, ...], *, wanted: bool) -> Compiled:
    empty = {
        "text": f"({field.sql} IS NULL OR {field.sql} = '')",
        "lowered": f"{field.sql} = ''",
        "folded": f"{field.sql} = ''",
        "tags": f"cardinality({field.sql}) = 0",
        "custom": f"coalesce({field.sql}, 'null'::jsonb) IN ('null'::jsonb, '\"\"'::jsonb, '[]'::jsonb)",
    }.get(field.kind, f"{field.sql} IS NULL")
    times = empty.count("%s") if path else 0
    return Compiled(f"NOT ({empty})" if wanted else empty, path * times)


def _strings(value: Any) -> list[str]:
    entries = value if isinstance(value, list | tuple) else [value]
    if not entries or not all(isinstance(entry, str) for entry in entries):
        raise ValueError("must be compared with text")
    return list(entries)


def _text(field: Field, _path: tuple[Any, ...], operator: str, value: Any) -> Compiled:
    strings = _strings(value)
    if field.kind == "folded":
        strings = [folded(entry) for entry in strings]
    elif field.kind == "lowered":
        strings = [entry.strip().lower() for entry in strings]
    if operator == "in":
        return Compiled(f"{field.sql} = ANY(%s)", (strings,))
    if len(strings) != 1:
        raise ValueError("must be compared with one text")
    wanted = strings[0]
    match operator:
        case "contains":
            return Compiled(f"{field.sql} LIKE %s", (f"%{like(wanted)}%",))
        case "not_contains":
            return Compiled(f"coalesce({field.sql}, '') NOT LIKE %s", (f"%{like(wanted)}%",))
        case "starts_with":
            return Compiled(f"{field.sql} LIKE %s", (f"{like(wanted)}%",))
        case "neq":
            return Compiled(f"{field.sql} IS DISTINCT FROM %s", (wanted,))
        case _:
            return Compiled(f"{field.sql} {_COMPARE[operator]} %s", (wanted,))


def moment(value: Any) -> datetime:
    """A date or RFC 3339 time; a date is its first moment in UTC."""
    try:
        if isinstance(value, str) and len(value) == len("2026-03-15"):
            value = f"{value}T00:00:00Z"
        found = msgspec.convert(value, datetime)
    except msgspec.ValidationError:
        raise ValueError("must be a date or time, such as 2026-03-15 or 2026-03-15T10:30:00Z") from None
    if found.tzinfo is None:
        raise ValueError("must have a time zone, such as 2026-03-15T10:30:00Z")
    return found


def _time(field: Field, _path: tuple[Any, ...], operator: str, value: Any) -> Compiled:
    at = moment(value)
    if operator in ("eq", "neq") and isinstance(value, str) and len(value) == len("2026-03-15"):
        within = f"{field.sql} >= %s AND {field.sql} < %s"
        return Compiled(within if operator == "eq" else f"NOT ({within})", (at, at + timedelta(days=1)))
    if operator == "neq":
        return Compiled(f"{field.sql} IS DISTINCT FROM %s", (at,))
    return Compiled(f"{field.sql} {_COMPARE[operator]} %s", (at,))


def _number(field: Field, _path: tuple[Any, ...], operator: str, value: Any) -> Compiled:
    entries = value if isinstance(value, list) else [value]
    if not all(isinstance(entry, int | float) and not isinstance(entry, bool) for entry in entries):
        raise ValueError("must be compared with a number")
    if operator == "in":
        return Compiled(f"{field.sql} = ANY(%s::double precision[])", (entries,))
    if len(entries) != 1:
        raise ValueError("must be compared with one number")
    if operator == "neq":
        return Compiled(f"{field.sql} IS DISTINCT FROM %s", (entries[0],))
    return Compiled(f"{field.sql} {_COMPARE[operator]} %s", (entries[0],))


def _boolean(field: Field, _path: tuple[Any, ...], operator: str, value: Any) -> Compiled:
    if not isinstance(value, bool):
        raise ValueError("must be compared with true or false")  # noqa: TRY004 - the caller's value, not a type of ours
    return Compiled(f"{field.sql} = %s", (value if operator == "eq" else not value,))


def _id(field: Field, _path: tuple[Any, ...], operator: str, value: Any) -> Compiled:
    try:
        ids = [UUID(entry) for entry in _strings(value)]
    except ValueError:
        raise ValueError("must be compared with an id (UUID)") from None
    if operator == "neq":
        return Compiled(f"NOT ({field.sql} = ANY(%s)) OR {field.sql} IS NULL", (ids,))
    return Compiled(f"{field.sql} = ANY(%s)", (ids,))


def _tags(field: Field, _path: tuple[Any, ...], operator: str, value: Any) -> Compiled:
    words = [entry.strip() for entry in _strings(value)]
    overlap = f"{field.sql} && {TAG_IDS}"
    negative = operator in ("neq", "not_contains", "not_has")
    asked = ([_uuid(word) for word in words], [folded(word) for word in words], [word.lower() for word in words])
    return Compiled(f"NOT ({overlap})" if negative else overlap, (*asked, HERE))


def _uuid(word: str) -> UUID | None:
    try:
        return UUID(word)
    except ValueError:
        return None


def _custom(field: Field, path: tuple[Any, ...], operator: str, value: Any) -> Compiled:
    """A custom field: text without case, numbers as numbers, lists by their entries."""
    plain = f"lower({field.sql} #>> '{{}}')"
    if operator in ("has", "not_has"):
        sql = f"coalesce({field.sql} @> %s::jsonb, false)"
        return Compiled(sql if operator == "has" else f"NOT {sql}", (*path, msgspec.json.encode(value).decode()))
    if isinstance(value, bool) or value is None:
        sql = f"coalesce({field.sql} = %s::jsonb, false)"
        return Compiled(sql if operator == "eq" else f"NOT {sql}", (*path, msgspec.json.encode(value).decode()))
    if isinstance(value, int | float):
        as_number = f"(CASE WHEN jsonb_typeof({field.sql}) = 'number' THEN ({field.sql})::numeric END)"
        inner = _number(Field(as_number, "number"), (), operator, value)
        return Compiled(inner.sql, path * 2 + inner.params)
    lowered = [entry.lower() for entry in _strings(value)]
    operator = {"after": "gt", "before": "lt"}.get(operator, operator)
    inner = _text(Field(plain, "text"), (), operator, lowered if operator == "in" else lowered[0])
    return Compiled(inner.sql, path + inner.params)


_Compile = Callable[[Field, tuple[Any, ...], str, Any], Compiled]
_KINDS: Final[dict[Asked, _Compile]] = {
    "text": _text,
    "lowered": _text,
    "folded": _text,
    "number": _number,
    "time": _time,
    "boolean": _boolean,
    "id": _id,
    "tags": _tags,
    "custom": _custom,
}
