"""What the types of fields say is needed: with any one ``Kept`` or ``Refers`` taken away, a test fails."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.test_house import KNOWS, ROOT

SAYS: Final = {"Kept", "Refers"}
ASKED: Final = (
    ["tests/domain/test_kept.py", "tests/domain/test_refers.py"],
    ["tests/domain"],
    ["tests/api/sweeps/test_references.py", "tests/api/sweeps/test_text.py"],
)
"""The tests that hold them, those first that find it soonest."""

PATIENCE: Final = 900
"""Seconds for one test of theirs: what is slow because others use the machine, too, must not be taken for a failure."""
_PYTEST: Final = (sys.executable, "-m", "pytest", "-qx", "-p", "no:cacheprovider", f"--timeout={PATIENCE}")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2 * PATIENCE)]


@dataclass(frozen=True)
class Said:
    """Where in a file a type says something, and what."""

    path: Path
    node: ast.Call

    def __str__(self) -> str:
        return f"{self.path}:{self.node.lineno} {ast.unparse(self.node)}"

    def taken_away_in(self, tree: Path) -> None:
        """Puts ``None`` in its place, which an annotation takes for nothing."""
        lines = (tree / self.path).read_bytes().splitlines(keepends=True)
        first, last = self.node.lineno - 1, (self.node.end_lineno or 0) - 1
        before, after = lines[first][: self.node.col_offset], lines[last][self.node.end_col_offset :]
        lines[first : last + 1] = [before + b"None" + after]
        (tree / self.path).write_bytes(b"".join(lines))


def said() -> Iterator[Said]:
    for path in sorted((ROOT / "domain").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SAYS:
                yield Said(path.relative_to(ROOT), node)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the checkout, to do harm in."""
    leave = shutil.ignore_patterns("__pycache__", ".*")
    for name in (*KNOWS, "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=leave)
    for name in ("pyproject.toml", "README.md", "CHANGELOG.md", "compose.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def fails(tree: Path) -> bool:
    """Whether a test does; that they can be collected at all is taken for granted."""
    for paths in ASKED:
        command = [*_PYTEST, *paths]
        environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode in (0, 1), done.stdout + done.stderr
        if done.returncode == 1:
            return True
    return False


def test_nothing_fails_as_long_as_all_is_said(tree: Path) -> None:
    assert not fails(tree)


@pytest.mark.parametrize("what", [pytest.param(found, id=str(found)) for found in said()])
def test_a_test_fails_without(tree: Path, what: Said) -> None:
    what.taken_away_in(tree)
    assert fails(tree)
