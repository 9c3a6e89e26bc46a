"""Reads the SQL that is in the code: every text that begins like a statement, put together as far as constants go."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from projections.catalogue import TABLES, VIEWS

ROOT = Path(__file__).parent.parent
ROOMS = ("eventstore", "projections", "application", "workers", "daybook")

_PROTECTED = re.compile(r"CALL protect_tenant_table\('(\w+)'")
_STATEMENT = re.compile(r"\s*(?:\w+\s+RECURSIVE\b|SELECT|INSERT|UPDATE|DELETE|WITH|LOCK|TRUNCATE)\s")
_MENTIONED = re.compile(r"\b(FROM|JOIN|USING|UPDATE|INTO)\s+(?:ONLY\s+)?(\w+|[?{])")
_CONDITION = re.compile(r"workspace_id\s*=\s*(?:%s|%\(\w+\)s|\w+\.workspace_id)|USING \(workspace_id\)")
_VALUES = re.compile(r"VALUES\s*\((?:%s|%\(\w+\)s|\?)")


def tenant_tables() -> set[str]:
    """Tables of which each row is a workspace's."""
    made = {name for table in TABLES for name in (table.name, table.table)} | {
        table.name for view in VIEWS for table in view.tables
    }
    for path in sorted((ROOT / "eventstore" / "migrations").glob("*.sql")):
        made.update(_PROTECTED.findall(path.read_text()))
    return made


@dataclass(frozen=True)
class Statement:
    """A statement in a constant or function; of what is put in at run time there is a question mark."""

    path: str
    place: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.path}:{self.place}"

    def is_held_to_a_workspace(self, tenants: set[str]) -> bool:
        """Whether each tenant table in it is asked for a workspace that is a parameter, or that of another table in it."""
        found = [word for word, table in _MENTIONED.findall(self.text) if table in tenants or table in "?{"]
        read = [word for word in found if word != "INTO"]
        if "INTO" in found and not read:
            return _VALUES.search(self.text) is not None
        return len(_CONDITION.findall(self.text)) >= len(read)


def statements() -> Iterator[Statement]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            yield from _Reader(path).statements()


class _Reader(ast.NodeVisitor):
    def __init__(self, path: Path) -> None:
        self._path = str(path.relative_to(ROOT))
        self._tree = ast.parse(path.read_text())
        self._texts: dict[str, str] = {}
        self._parts: set[str] = set()
        self._place: list[str] = []
        self._found: list[Statement] = []

    def statements(self) -> list[Statement]:
        """Those that stand by themselves: a piece of others is read where they are."""
        self.visit(self._tree)
        return [found for found in self._found if found.place not in self._parts]

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._within(node.name, node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._within(node.name, node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None and isinstance(node.target, ast.Name):
            self._assign(node.target.id, node.value)

    def visit_Assign(self, node: ast.Assign) -> None:
        if isinstance(node.targets[0], ast.Name):
            self._assign(node.targets[0].id, node.value)
        else:
            self.visit(node.value)

    def visit(self, node: ast.AST) -> None:
        text = self._text(node)
        if text is None:
            super().visit(node)
        elif _STATEMENT.match(text) and not isinstance(node, ast.Name):
            self._found.append(Statement(self._path, self._place[-1] if self._place else "?", text))

    def _within(self, name: str, node: ast.AST) -> None:
        self._place.append(name)
        self.generic_visit(node)
        self._place.pop()

    def _assign(self, name: str, value: ast.expr) -> None:
        text = self._text(value)
        if text is not None:
            self._texts[name] = text
        if self._place:
            self.visit(value)
        else:
            self._place.append(name)
            self.visit(value)
            self._place.pop()

    def _text(self, node: ast.AST) -> str | None:
        match node:
            case ast.Constant(value=str(text)):
                return text
            case ast.Constant(value=bytes(text)):
                return text.decode()
            case ast.JoinedStr(values=values):
                return "".join(self._piece(value) for value in values)
            case ast.BinOp(op=ast.Add(), left=left, right=right) if (first := self._text(left)) is not None:
                self._uses(left)
                return first + self._piece(right)
            case ast.Call(func=ast.Attribute(value=value, attr="encode" | "format")):
                return self._text(value)
            case ast.Name(id=name):
                return self._texts.get(name)
            case _:
                return None

    def _piece(self, node: ast.AST) -> str:
        value = node.value if isinstance(node, ast.FormattedValue) else node
        self._uses(value)
        text = self._text(value)
        return "?" if text is None else text

    def _uses(self, node: ast.AST) -> None:
        if isinstance(node, ast.Name):
            self._parts.add(node.id)
