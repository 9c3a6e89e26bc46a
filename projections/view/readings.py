"""Compares the readings of views, as the database has them, with those that this Daybook makes: the past is read by nothing else.

They are made once more, out of sight and in a transaction that is taken back, so that no text is kept that could differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, LiteralString

from eventstore.database import Db
from eventstore.verify import MismatchError
from projections.view.rebuild import make_reading
from projections.view.view import View
from schemas.verification import Finding

AROUND: Final = 100
"""Characters before and behind the first in which a reading is another that a finding shows."""

Relations = dict[str, tuple[object, ...]]
_EXPECTED: Final[dict[tuple[int, frozenset[tuple[str, str]]], Relations]] = {}
_ATTRIBUTES: Final = ("kind", "definition", "options", "rights", "triggers and rules")
_RELATIONS: Final[LiteralString] = """
    SELECT s.name || '.' || c.relname,
        c.relkind::text, CASE WHEN c.relkind = 'v' THEN pg_get_viewdef(c.oid) END, array_to_string(c.reloptions, ', '),
        coalesce((SELECT string_agg(
                CASE WHEN a.grantee = 0 THEN 'all' ELSE pg_get_userbyid(a.grantee)::text END || ': ' || a.privilege_type, ', '
                ORDER BY a.grantee, a.privilege_type)
            FROM aclexplode(c.relacl) a WHERE a.grantee <> c.relowner), 'none'),
        (SELECT count(*) FROM pg_trigger WHERE tgrelid = c.oid)::integer
            + (SELECT count(*) FROM pg_rewrite WHERE ev_class = c.oid)::integer
    FROM unnest(%s::text[]) AS s (name)
        JOIN pg_class c ON c.relnamespace = CASE s.name WHEN 'pg_temp' THEN pg_my_temp_schema() ELSE to_regnamespace(s.name) END
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
"""


def check_readings(conn: Db, views: Sequence[View]) -> None:
    """Raises ``MismatchError`` at the first that is another, that is missing or that no view has, by the owner's connection."""
    made = {name: selected for view in views for table in view.tables for name, selected in table.readings.items()}
    expected = _expected(conn, made)
    found = _relations(conn, sorted({name.partition(".")[0] for name in made}))
    for name in sorted({*expected, *found}):
        _compare(name, expected.get(name), found.get(name))


def _expected(conn: Db, made: Mapping[str, str]) -> Relations:
    """Those that are made, by name; they are made once, by each process for each server's version."""
    key = conn.info.server_version, frozenset(made.items())
    if key not in _EXPECTED:
        anew = {name: f"{name.replace('.', '_')}_anew" for name in made}
        with conn.transaction(force_rollback=True):
            for name, selected in made.items():
                make_reading(conn, f"pg_temp.{anew[name]}", selected)
            found = _relations(conn, ["pg_temp"])
        _EXPECTED[key] = {name: found[f"pg_temp.{temporary}"] for name, temporary in anew.items()}
    return _EXPECTED[key]


def _relations(conn: Db, schemas: Sequence[str]) -> Relations:
    """Whatever is in the schemas, by name."""
    return {row[0]: row[1:] for row in conn.execute(_RELATIONS, (list(schemas),))}


def _compare(name: str, expected: Sequence[object] | None, found: Sequence[object] | None) -> None:
    if expected is None or found is None:
        _differs(name, "reading", *(("nothing", "something") if expected is None else ("one", "none")))
        return
    for attribute, wanted, has in zip(_ATTRIBUTES, expected, found, strict=True):
        if wanted != has:
            _differs(name, attribute, *_shown(str(wanted), str(has)))


def _shown(wanted: str, has: str) -> tuple[str, str]:
    """Where two texts begin to differ, and what is around that."""
    at = next((at for at, pair in enumerate(zip(wanted, has, strict=False)) if len({*pair}) > 1), len(has))
    around = slice(max(0, at - AROUND), at + AROUND)
    return f"{wanted[around].strip()}, as `daybook migrate` makes it", has[around].strip()


def _differs(name: str, what: str, expected: str, found: str) -> None:
    raise MismatchError(Finding(table=name, what=what, expected=expected, found=found))
