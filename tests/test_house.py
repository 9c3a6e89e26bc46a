"""Keeps the house in order: which room may know which, and how big a file may grow."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from domain.catalogue import DECIDERS
from tests.statements import Statement, statements, tenant_tables

ROOT = Path(__file__).parent.parent

KNOWS = {
    "domain": set[str](),
    "schemas": {"domain"},
    "eventstore": {"domain", "schemas"},
    "projections": {"domain", "schemas", "eventstore"},
    "gateways": {"domain", "schemas"},
    "application": {"domain", "schemas", "eventstore", "projections", "gateways"},
    "api": {"domain", "schemas", "eventstore", "projections", "gateways", "application"},
    "workers": {"domain", "schemas", "eventstore", "projections", "gateways", "application"},
    "daybook": {"domain", "schemas", "eventstore", "projections", "gateways", "application", "api", "workers"},
}
"""Each room, and the rooms whose modules its own may import. Nothing points back; ``api`` and ``workers`` are strangers."""

ROOMS = pytest.mark.parametrize("room", KNOWS)
DOMAIN_MAY_USE = {"msgspec", "phonenumbers", "email_validator"}
"""Beside the standard library: structs, and libraries that know what a value looks like."""

MAX_LINES = 400


def modules(room: str) -> Iterator[Path]:
    found = sorted((ROOT / room).rglob("*.py"))
    assert found, f"there is no room {room}"
    yield from found


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and name of every module that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, alias.name) for alias in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield node.lineno, module
            case ast.ImportFrom():
                yield node.lineno, ""
            case _:
                continue


def told(path: Path, line: int, what: str) -> str:
    return f"{path.relative_to(ROOT)}:{line} {what}"


@ROOMS
def test_a_room_knows_only_those_below_it(room: str) -> None:
    wrong = [
        told(path, line, f"imports {name}")
        for path in modules(room)
        for line, name in imports(path)
        if (found := name.partition(".")[0]) in KNOWS and found != room and found not in KNOWS[room]
    ]
    assert wrong == []


NO_STREAMS = {
    "access",
    "activity",
    "audit",
    "auth",
    "dashboard",
    "history",
    "identity",
    "job",
    "log",
    "outbox",
    "timeline",
    "verification",
}
"""What the service is about beside the kinds of stream that there are."""

RESOURCES = re.compile("|".join(sorted({*DECIDERS, *NO_STREAMS})))
"""What the service is about; a file on a room's top is named after one of these, or begins with it."""

PUT_TOGETHER = {"__init__", "app", "catalogue", "verify"}
"""Where a room's resources are named, one line each."""

MACHINERY = {
    "domain": {"importing", "kernel"},
    "schemas": {"wire", "events"},
    "projections": {"table", "view"},
    "application": {"calling", "exporting", "importing", "working"},
    "api": {"docs", "http"},
    "workers": {"consuming", "relay", "running", "webhook"},
}
"""The rooms that have resources, and the folders in which each keeps what is not one."""


@pytest.mark.parametrize("room", MACHINERY)
def test_resources_stand_on_top_and_machinery_in_a_named_folder(room: str) -> None:
    top = {path.stem for path in (ROOT / room).glob("*.py")} - PUT_TOGETHER
    strange = {name for name in top if not (found := RESOURCES.match(name)) or name[found.end() :][:1] not in {"", "_"}}
    assert strange == set()
    folders = {path.name for path in (ROOT / room).iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == MACHINERY[room]


@pytest.mark.parametrize("room", MACHINERY)
def test_machinery_knows_no_resource(room: str) -> None:
    """So nothing has to be touched there for a new one, and no folder points back at what stands on it."""
    tops = {f"{room}.{path.stem}" for path in (ROOT / room).glob("*.py")}
    wrong = [
        told(path, line, f"imports {name}")
        for folder in MACHINERY[room]
        for path in sorted((ROOT / room / folder).rglob("*.py"))
        for line, name in imported_modules(path)
        if name in tops - {room, f"{room}.__init__"}
    ]
    assert wrong == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    known = {module_name(path): path for room in KNOWS for path in modules(room)}
    graph = {
        name: {found for _, found in imported_modules(path) if found in known and found != name}
        for name, path in known.items()
    }
    list(TopologicalSorter(graph).static_order())  # raises CycleError, which names the circle


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported_modules(path: Path) -> Iterator[tuple[int, str]]:
    """Line and name of every module of ours that a file imports, ``from api import errors`` as ``api.errors``."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] in KNOWS:
            yield node.lineno, node.module
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


@ROOMS
def test_nothing_is_imported_relatively_or_from_tests(room: str) -> None:
    wrong = [
        told(path, line, f"imports {name or 'relatively'}")
        for path in modules(room)
        for line, name in imports(path)
        if name.partition(".")[0] in {"", "tests", "bench"}
    ]
    assert wrong == []


@ROOMS
def test_only_the_event_store_knows_the_eventsourcing_library(room: str) -> None:
    users = [
        told(path, line, f"imports {name}")
        for path in modules(room)
        for line, name in imports(path)
        if name.partition(".")[0] == "eventsourcing"
    ]
    assert bool(users) == (room == "eventstore"), users


def test_the_domain_is_pure() -> None:
    """No I/O, clock or chance: what is decided depends on the command and the state alone."""
    allowed = {"domain", *DOMAIN_MAY_USE, *sys.stdlib_module_names}
    impure = {
        "asyncio",
        "io",
        "logging",
        "os",
        "pathlib",
        "random",
        "secrets",
        "socket",
        "subprocess",
        "threading",
        "time",
    }
    wrong = [
        told(path, line, f"imports {name}")
        for path in modules("domain")
        for line, name in imports(path)
        if (found := name.partition(".")[0]) not in allowed or found in impure
    ]
    wrong += [
        told(path, node.lineno, f"calls {ast.unparse(node.func)}")
        for path in modules("domain")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and re.fullmatch(r"open|print|input|uuid[1-8]|.*\.(now|utcnow|today|uuid[1-8])", ast.unparse(node.func))
    ]
    assert wrong == []


def test_the_api_contains_no_sql() -> None:
    sql = re.compile(
        r"\b(SELECT\s.+\sFROM|INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE\s+TABLE|LOCK\s+TABLE)\b",
        re.DOTALL,
    )
    wrong = [
        told(path, node.lineno, "contains SQL")
        for path in modules("api")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes) and sql.search(_text(node.value))
    ]
    wrong += [
        told(path, line, f"imports {name}")
        for path in modules("api")
        for line, name in imports(path)
        if name.partition(".")[0] in {"psycopg", "psycopg_pool"}
    ]
    assert wrong == []


def _text(value: str | bytes) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value


@ROOMS
def test_a_module_begins_with_a_sentence_about_it(room: str) -> None:
    silent = [
        str(path.relative_to(ROOT)) for path in modules(room) if not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []


@ROOMS
def test_no_file_is_too_long_to_be_about_one_thing(room: str) -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in (ROOT / room).rglob("*")
        if path.suffix in {".py", ".sql"} and (lines := len(path.read_text().splitlines())) > MAX_LINES
    }
    assert long == {}


def test_a_thing_has_the_same_name_in_every_room() -> None:
    """``contact.py`` is about contacts wherever it is: a kind of stream has its rows under its own name."""
    kinds = {path.stem for path in modules("domain") if "Decider[" in (text := path.read_text()) or "= record(" in text}
    kinds -= {"kernel", "record", "catalogue"}
    assert kinds
    assert kinds <= {path.stem for path in modules("projections")}


ACROSS = {
    # Only looks, for where there is something to do; what they find is done workspace by workspace.
    "eventstore/checkpoint.py:_MOVED",
    "eventstore/sinking.py:BEHIND",
    "projections/job_queue.py:_DUE",
    "projections/outbox_queue.py:_DUE",
    "workers/consuming/look.py:_SLICE",
    "workers/contact_alike.py:_BEHIND",
    "workers/job_retention.py:_OLD",
    "workers/webhook/queue.py:_DUE",
    "workers/webhook/retention.py:_OLD",
    # When the stream and the log are compared, behind a reconnect or a failover.
    "workers/relay/checkpoints.py:_AHEAD",
    "workers/relay/checkpoints.py:_BEYOND",
    "workers/relay/checkpoints.py:_END",
    # What has served its time goes wherever it is; nobody waits for it.
    "workers/running/housekeeping.py:EXPIRED",
    # The owner's, when tables are built or checked, with all workspaces before it anyway.
    "projections/activity.py:forget_counts",
    "projections/contact_alike_kept.py:forget_groups",
    "projections/table/parts.py:_CONCERNED",
    "projections/table/following.py:_HEADS",
    "projections/table/rebuild.py:_compare_counts",
    "projections/verify.py:_WORKSPACES",
    "projections/view/compare.py:_compare",
    "projections/view/rebuild.py:_CONCERNED",
    "projections/view/rebuild.py:_compare_checkpoints",
    "projections/view/rebuild.py:_count",
}
"""Statements about many workspaces at once."""

RECURSIVE = {"projections/verify.py:_WORKSPACES"}
"""From one workspace to the next, to find rows of those that have no log."""
WITHIN_ONE = {"eventstore/moment.py:_LAST", "projections/view/view.py:spread"}
"""Recursive too, over what is of the one workspace that each names: its log, and where its things lead."""


class TestStatements:
    """Rows of workspaces can be spread over machines: a statement says whose it is about, and so where it goes."""

    def test_each_about_a_tenant_carries_its_workspace_as_a_parameter(self) -> None:
        tenants = tenant_tables()
        found = {each.name for each in statements() if not each.is_held_to_a_workspace(tenants)}
        assert found == ACROSS

    def test_none_goes_from_workspace_to_workspace_by_itself(self) -> None:
        assert {each.name for each in statements() if "RECURSIVE" in each.text} == RECURSIVE | WITHIN_ONE

    def test_none_across_workspaces_locks(self) -> None:
        assert [each.name for each in statements() if each.name in ACROSS and " FOR UPDATE" in each.text] == []

    def test_none_asks_the_session_whose_it_is(self) -> None:
        """Row-level security does; a statement must be sent to the right place before."""
        assert [each.name for each in statements() if "current_workspace()" in each.text] == []

    @pytest.mark.parametrize(
        "text",
        [
            "SELECT id FROM contacts WHERE id = %s",
            "SELECT id FROM contacts WHERE workspace_id = current_workspace()",
            "SELECT id FROM contacts WHERE workspace_id = %s AND id IN (SELECT id FROM tags WHERE name = %s)",
            "SELECT c.id FROM contacts c JOIN tags t ON t.id = c.id WHERE c.workspace_id = %s",
            "UPDATE contacts SET version = 1 WHERE id = %s",
            "DELETE FROM ? WHERE id = ANY(%s)",
            "INSERT INTO contacts (workspace_id, id) SELECT %s, id FROM unnest(%s) AS id",
            "INSERT INTO contacts SELECT * FROM copied_contacts",
        ],
    )
    def test_what_cannot_be_sent_to_one_place_is_noticed(self, text: str) -> None:
        assert not Statement("", "", text).is_held_to_a_workspace(tenant_tables())

    @pytest.mark.parametrize(
        "text",
        [
            "SELECT id FROM contacts WHERE workspace_id = %s AND id = %(id)s",
            "SELECT c.id FROM contacts c JOIN tags t ON t.workspace_id = c.workspace_id WHERE c.workspace_id = %s",
            "INSERT INTO contacts (workspace_id, id) VALUES (%s, %s)",
            "INSERT INTO contacts SELECT h.workspace_id, u FROM log_heads h, unnest(%s) u WHERE h.workspace_id = %s",
            "SELECT id FROM accounts WHERE email = %s",
        ],
    )
    def test_what_can_be_is_not(self, text: str) -> None:
        assert Statement("", "", text).is_held_to_a_workspace(tenant_tables())

    def test_the_workspace_of_a_transaction_is_said_in_one_place(self) -> None:
        said = [path for room in KNOWS for path in modules(room) if "daybook.workspace_id" in path.read_text()]
        assert [str(path.relative_to(ROOT)) for path in said] == ["eventstore/database.py"]
        assert said[0].read_text().count("daybook.workspace_id") == 1

    def test_a_tenant_table_is_made_by_the_procedure(self) -> None:
        calls = [path for room in KNOWS for path in modules(room) if "protect_tenant_table" in path.read_text()]
        assert [str(path.relative_to(ROOT)) for path in calls] == ["eventstore/migrate.py"]
        for path in (ROOT / "eventstore" / "migrations").glob("*.sql"):
            made = re.findall(r"CREATE (?:UNLOGGED )?TABLE (\w+) \(([^;]*)\);", re.sub(r"--.*", "", path.read_text()))
            unprotected = {
                name
                for name, columns in made
                if "workspace_id" in columns and f"CALL protect_tenant_table('{name}'" not in path.read_text()
            }
            assert unprotected <= DIRECTORY


DIRECTORY = {"account_workspaces", "sessions", "api_key_secrets"}
"""What is looked up before it is known whose a request is."""
