"""What no migration makes and the service's roles can use all the same: through it they might see past row-level security."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final, LiteralString

from eventstore.database import Db
from eventstore.verify import MismatchError
from schemas.verification import Finding

_NOTHING: Final = "nothing that `daybook migrate` does not make"
# What is made after a server's own catalogue has an oid from here on; of that itself only rights could be added.
_FIRST: Final = 16384
# Tables of rows are compared with what is made; a view that sees what its reader may see leads past nothing, nor does one of
# an extension that reads no table. That somebody made it part of an extension says nothing else.
_RELATIONS: Final[LiteralString] = """
    SELECT n.nspname || '.' || c.relname, role
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, unnest(%(roles)s::text[]) role
    WHERE n.nspname !~ '^pg_(temp|toast)' AND c.oid >= %(first)s AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
        AND NOT (c.relkind = 'v' AND EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
            AND NOT EXISTS (SELECT FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
                WHERE r.ev_class = c.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> c.oid))
        AND NOT (n.nspname = 'public' AND c.relkind IN ('r', 'p') AND (c.relname = ANY(%(known)s::text[]) OR EXISTS (
            SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'workspace_id' AND NOT attisdropped)))
        AND NOT EXISTS (SELECT FROM pg_options_to_table(c.reloptions)
            WHERE option_name = 'security_invoker' AND option_value IN ('true', 'on', 'yes', '1'))
        AND has_schema_privilege(role, n.oid, 'USAGE')
        AND (has_table_privilege(role, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')
            OR has_any_column_privilege(role, c.oid, 'SELECT, INSERT, UPDATE')
            OR CASE c.relkind WHEN 'S' THEN has_sequence_privilege(role, c.oid, 'USAGE') ELSE false END)
    ORDER BY 1, 2 LIMIT 1
"""
# Where the past is read, what is found there comes before what migrations make.
_FUNCTIONS: Final[LiteralString] = """
    SELECT p.oid::regprocedure::text || CASE WHEN p.prosecdef THEN ', with the rights of its owner' ELSE ', where the past is read'
        END, role
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace, unnest(%(roles)s::text[]) role
    WHERE n.nspname !~ '^pg_(temp|toast)' AND p.oid >= %(first)s AND (p.prosecdef OR n.nspname IN ('past', 'past_assigned'))
        AND p.oid::regprocedure::text <> ALL(%(known)s::text[])
        AND has_schema_privilege(role, n.oid, 'USAGE') AND has_function_privilege(role, p.oid, 'EXECUTE')
    ORDER BY 1, 2 LIMIT 1
"""
# What a server comes with says in pg_init_privs who may use it; a function of which it says nothing is everybody's.
_CATALOGUE: Final[LiteralString] = """
    SELECT thing, CASE WHEN a.grantee = 0 THEN 'all roles' ELSE pg_get_userbyid(a.grantee)::text END FROM (
        SELECT oid::regclass::text, 'pg_class'::regclass, oid, 0, relacl FROM pg_class
        WHERE relnamespace = 'pg_catalog'::regnamespace
        UNION ALL
        SELECT a.attrelid::regclass || '.' || a.attname, 'pg_class'::regclass, a.attrelid, a.attnum, a.attacl
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = 'pg_catalog'::regnamespace
        UNION ALL
        SELECT oid::regprocedure::text, 'pg_proc'::regclass, oid, 0, proacl FROM pg_proc
        WHERE oid IN (SELECT objoid FROM pg_init_privs WHERE classoid = 'pg_proc'::regclass)
    ) AS granted (thing, kind, id, part, acl), aclexplode(acl) a
    WHERE id < %(first)s AND (a.grantee = 0 OR pg_get_userbyid(a.grantee) = ANY(%(roles)s::text[])) AND NOT EXISTS (
        SELECT FROM pg_init_privs i, aclexplode(i.initprivs) b
        WHERE i.classoid = kind AND i.objoid = id AND i.objsubid = part AND b.grantee = a.grantee AND b.privilege_type = a.privilege_type)
    ORDER BY 1, 2 LIMIT 1
"""
_PLACES: Final[LiteralString] = """
    SELECT 'schema ' || n.nspname, role FROM pg_namespace n, unnest(%(roles)s::text[]) role
    WHERE n.nspname IN ('public', 'past', 'past_assigned') AND has_schema_privilege(role, n.oid, 'CREATE')
        OR n.nspname = 'rebuilding' AND has_schema_privilege(role, n.oid, 'CREATE, USAGE')
    UNION ALL
    SELECT 'database ' || current_database(), role FROM unnest(%(roles)s::text[]) role
    WHERE has_database_privilege(role, current_database(), 'CREATE')
    ORDER BY 1, 2 LIMIT 1
"""
_SETTINGS: Final[LiteralString] = """
    SELECT CASE WHEN s.setrole = 0 THEN 'all roles' ELSE 'role ' || s.setrole::regrole END, one
    FROM pg_db_role_setting s, unnest(s.setconfig) one
    WHERE (s.setrole = 0 OR s.setrole::regrole::text = ANY(%(roles)s::text[]))
        AND s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
        AND split_part(one, '=', 1) IN ('search_path', 'row_security', 'session_replication_role')
    ORDER BY 1, 2 LIMIT 1
"""

# An extension's function in C comes with the server, and does what that says: whoever could put another there needs no trigger.
_MAKING: Final[LiteralString] = """
    SELECT 'event trigger ' || e.evtname, p.oid::regprocedure || ' at ' || e.evtevent
    FROM pg_event_trigger e JOIN pg_proc p ON p.oid = e.evtfoid JOIN pg_language l ON l.oid = p.prolang
    WHERE e.evtenabled <> 'D' AND l.lanname NOT IN ('c', 'internal')
    UNION ALL
    SELECT 'rights of ' || CASE WHEN a.grantee = 0 THEN 'all roles' ELSE pg_get_userbyid(a.grantee)::text END,
        format('%%s on %%s that %%s makes', a.privilege_type, CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences'
            WHEN 'f' THEN 'functions' WHEN 'n' THEN 'schemas' ELSE 'what' END, pg_get_userbyid(d.defaclrole))
    FROM pg_default_acl d, aclexplode(d.defaclacl) a
    WHERE (a.grantee = 0 AND d.defaclobjtype NOT IN ('f', 'T') OR pg_get_userbyid(a.grantee) = ANY(%(roles)s::text[]))
        AND (d.defaclnamespace = 0 OR d.defaclnamespace::regnamespace::text IN ('public', 'past', 'past_assigned', 'rebuilding'))
    ORDER BY 1, 2 LIMIT 1
"""


def check_making(conn: Db, roles: Sequence[str]) -> None:
    """Raises ``MismatchError`` at the first thing by which all that is made from now on, by migrations too, would let one of the
    ``roles`` do more than migrations say: an event trigger, or rights that are given by default.
    """
    for what, found in _rows(conn, _MAKING, roles):
        raise MismatchError(Finding(what=what, expected=_NOTHING, found=found))


def check_strangers(conn: Db, roles: Sequence[str], tables: Collection[str], functions: Collection[str]) -> None:
    """Raises ``MismatchError`` at the first thing besides these ``tables`` and ``functions`` that one of the ``roles`` can use,
    by an owner's connection: a relation, a function with its owner's rights or where the past is read, the catalogue, a place to make things in, a setting of its sessions.
    """
    with conn.transaction():
        conn.execute("SET LOCAL search_path = public")
        for finding in _found(conn, list(roles), list(tables), list(functions)):
            raise MismatchError(finding)


def _found(conn: Db, roles: list[str], tables: list[str], functions: list[str]) -> Iterator[Finding]:
    for name, role in _rows(conn, _RELATIONS, roles, tables):
        yield Finding(table=name, what=f"rights of {role}", expected=_NOTHING, found="rights to it")
    for name, role in _rows(conn, _FUNCTIONS, roles, functions):
        yield Finding(what=f"rights of {role}", expected=_NOTHING, found=f"function {name}")
    for name, whose in _rows(conn, _CATALOGUE, roles):
        yield Finding(what=f"rights of {whose}", expected="what the server comes with", found=f"rights to {name}")
    for name, role in _rows(conn, _PLACES, roles):
        yield Finding(
            what=f"rights of {role}", expected=_NOTHING, found=f"rights to make things in {name}, or to get into it"
        )
    for whose, setting in _rows(conn, _SETTINGS, roles):
        yield Finding(what=f"settings of {whose}", expected=_NOTHING, found=setting)


def _rows(conn: Db, query: LiteralString, roles: Sequence[str], known: Sequence[str] = ()) -> list[tuple[str, str]]:
    return conn.execute(query, {"roles": list(roles), "known": list(known), "first": _FIRST}).fetchall()
