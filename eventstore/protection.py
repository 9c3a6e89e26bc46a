"""What keeps tenants apart in the database, against what the migrations make: policies, rights, functions, roles.

What the migrations make is seen by letting them make it, in a schema of its own in a transaction that is taken back: no
list is kept that could differ from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, LiteralString

import psycopg
from psycopg import sql

from eventstore.database import Db
from eventstore.ids import new_id
from eventstore.migrate import files, make_tenant_table
from eventstore.strangers import check_making, check_strangers
from eventstore.verify import MismatchError
from schemas.verification import Finding

SAMPLE: Final = "a_table_of_rows"
"""Protected as every table is that folding makes."""
ROLES: Final[Mapping[str, str]] = {"daybook_app": "of no other role", "daybook_worker": "of daybook_app"}
"""The service's roles, and whose rights each has beside its own."""

Attributes = dict[str, str]
Functions = dict[str, tuple[str, str, str]]
"""By name: what they do, who may have them do it beside their owner, and whose they are."""
_EXPECTED: Final[dict[int, tuple[Mapping[str, Attributes], Functions]]] = {}

_TABLES: Final[LiteralString] = """
    SELECT c.relname,
        CASE WHEN c.relrowsecurity AND c.relforcerowsecurity THEN 'forced' WHEN c.relrowsecurity THEN 'not forced'
            ELSE 'off' END,
        coalesce((SELECT string_agg(format('%%s for %%s to %%s%%s%%s%%s', polname, polcmd,
                CASE WHEN polroles = '{0}' THEN 'all' ELSE (SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_roles
                    WHERE oid = ANY(polroles)) END,
                CASE WHEN polpermissive THEN '' ELSE ' as well' END, ' using ' || pg_get_expr(polqual, polrelid),
                ' with check ' || pg_get_expr(polwithcheck, polrelid)), ', ' ORDER BY polname)
            FROM pg_policy WHERE polrelid = c.oid), 'none'),
        coalesce((SELECT string_agg(format('%%s to %%s', rights, grantee), ', ' ORDER BY grantee) FROM (
                SELECT CASE WHEN a.grantee = 0 THEN 'all' ELSE pg_get_userbyid(a.grantee)::text END AS grantee,
                    string_agg(a.privilege_type || CASE WHEN is_grantable THEN ' with grant option' ELSE '' END, ' '
                        ORDER BY a.privilege_type) AS rights
                FROM aclexplode(c.relacl) a WHERE a.grantee <> c.relowner GROUP BY a.grantee) AS granted), 'none'),
        coalesce((SELECT string_agg(attname, ', ' ORDER BY attname) FROM pg_attribute
            WHERE attrelid = c.oid AND attacl IS NOT NULL), 'none'),
        coalesce((SELECT string_agg(tgname, ', ' ORDER BY tgname) FROM pg_trigger
            WHERE tgrelid = c.oid AND NOT tgisinternal), 'none'),
        coalesce((SELECT string_agg(rulename, ', ' ORDER BY rulename) FROM pg_rewrite WHERE ev_class = c.oid), 'none'),
        CASE WHEN pg_get_userbyid(c.relowner) = ANY(%s) THEN 'the service' ELSE 'another role than the service' END
    FROM pg_class c
    WHERE c.relnamespace = %s::regnamespace AND c.relkind IN ('r', 'p')
        AND (%s::text[] IS NULL OR c.relname = ANY(%s) OR EXISTS (
            SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'workspace_id' AND NOT attisdropped))
    ORDER BY c.relname
"""
_ATTRIBUTES: Final = (
    "row-level security", "policies", "rights", "columns with rights of their own", "triggers", "rules", "owner",
)  # fmt: skip
_FUNCTIONS: Final[LiteralString] = """
    SELECT p.oid::regprocedure::text, pg_get_functiondef(p.oid),
        coalesce((SELECT string_agg(format('%%s%%s', CASE WHEN a.grantee = 0 THEN 'all' ELSE pg_get_userbyid(a.grantee)::text END,
                CASE WHEN a.is_grantable THEN ' with grant option' ELSE '' END), ', ' ORDER BY pg_get_userbyid(a.grantee))
            FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE a.grantee <> p.proowner), 'none'),
        CASE WHEN pg_get_userbyid(p.proowner) = ANY(%s) THEN 'the service' ELSE 'another role than the service' END
    FROM pg_proc p
    WHERE p.pronamespace = %s::regnamespace AND p.prokind IN ('f', 'p')
        AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = p.oid AND classid = 'pg_proc'::regclass AND deptype = 'e')
"""
_ROLES: Final[LiteralString] = """
    SELECT r.rolname, r.rolsuper, r.rolbypassrls, r.rolcreaterole, r.rolcreatedb, r.rolreplication, coalesce((
        SELECT string_agg(m.roleid::regrole::text, ', ' ORDER BY m.roleid::regrole::text)
        FROM pg_auth_members m WHERE m.member = r.oid), 'no other role')
    FROM pg_roles r WHERE r.rolname = ANY(%s)
"""
_POWERS: Final = ("superuser", "bypasses row-level security", "makes roles", "makes databases", "replicates")


def check_protection(conn: Db) -> bool:
    """Compares tables, functions and roles of the schema with what ``migrate`` makes, by an owner's connection.

    Raises ``MismatchError`` at the first that differs. Answers whether it could look: on a standby, or where the owner
    may make no schema, the migrations cannot be tried.
    """
    check_roles(conn)
    check_making(conn, list(ROLES))
    try:
        tables, functions = _expected(conn)
    except (psycopg.errors.ReadOnlySqlTransaction, psycopg.errors.InsufficientPrivilege):
        return False
    with conn.transaction():
        live_tables, live_functions = _tables(conn, "public", among=list(tables)), _functions(conn, "public")
    _compare(tables, live_tables)
    _compare_functions(functions, live_functions)
    check_strangers(conn, list(ROLES), tables, functions)
    return True


def check_roles(conn: Db) -> None:
    """The service's roles can do nothing that row-level security does not see. Raises ``MismatchError``."""
    for role, *powers, member in conn.execute(_ROLES, (list(ROLES),)):
        held = [name for name, has in zip(_POWERS, powers, strict=True) if has]
        if held:
            _differs(f"role {role}", "an ordinary role", ", ".join(held))
        if f"of {member}" != ROLES[role]:
            _differs(f"role {role}", f"a member {ROLES[role]}", f"a member of {member}")


def _expected(conn: Db) -> tuple[Mapping[str, Attributes], Functions]:
    """The tables and functions that the migrations make; they are asked once, by each process for each server's version."""
    version = conn.info.server_version
    if version not in _EXPECTED:
        with conn.transaction(force_rollback=True):
            schema = _migrated(conn)
            _EXPECTED[version] = _tables(conn, schema), _functions(conn, schema)
    return _EXPECTED[version]


def _migrated(conn: Db) -> str:
    """Makes all that the migrations make, in a schema of its own, and answers its name."""
    schema = f"migrated_{new_id().hex}"
    conn.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    conn.execute(sql.SQL("SET LOCAL search_path = {}, public").format(sql.Identifier(schema)))
    # Operators may have taken from functions to be made what those that are there have by default.
    conn.execute("ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC")
    for _, text in files():
        conn.execute(text.encode())
    make_tenant_table(conn, SAMPLE, f"CREATE TABLE {SAMPLE} (workspace_id uuid PRIMARY KEY)")
    return schema


def _tables(conn: Db, schema: str, among: list[str] | None = None) -> dict[str, Attributes]:
    """How tables are protected, as it is seen from their schema: all, or those ``among`` these and all that are tenants'."""
    conn.execute(sql.SQL("SET LOCAL search_path = {}, public").format(sql.Identifier(schema)))
    rows = conn.execute(_TABLES, (list(ROLES), schema, among, among))
    return {name: dict(zip(_ATTRIBUTES, found, strict=True)) for name, *found in rows}


def _functions(conn: Db, schema: str) -> Functions:
    rows = conn.execute(_FUNCTIONS, (list(ROLES), schema))
    return {name: (definition.replace(f"{schema}.", ""), rights, owner) for name, definition, rights, owner in rows}


def _compare(expected: Mapping[str, Attributes], found: Mapping[str, Attributes]) -> None:
    """Tables that no migration makes are of rows; each is protected like the ``SAMPLE``."""
    for name in sorted({*expected, *found} - {SAMPLE}):
        if name not in found:
            _differs("table", "one, as `daybook migrate` makes it", "no table", table=name)
        wanted = expected.get(name, expected[SAMPLE])
        for attribute, value in found[name].items():
            if value != wanted[attribute]:
                _differs(attribute, f"{wanted[attribute]}, as `daybook migrate` makes it", value, table=name)


def _compare_functions(expected: Functions, found: Functions) -> None:
    for name, (definition, rights, owner) in expected.items():
        has, has_rights, has_owner = found.get(name, ("none", "none", "none"))
        if has != definition:
            _differs(f"function {name}", "the one that `daybook migrate` makes", "none" if has == "none" else "another")
        for what, wanted, there in ("rights to", rights, has_rights), ("owner of", owner, has_owner):
            if there != wanted:
                _differs(f"{what} function {name}", f"{wanted}, as `daybook migrate` makes it", there)


def _differs(what: str, expected: str, found: str, table: str | None = None) -> None:
    raise MismatchError(Finding(table=table, what=what, expected=expected, found=found))
