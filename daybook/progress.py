"""How far a command has come: a line on standard error, and only for people."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn


class Advance(Protocol):
    """Is told of a step how many more have been done of it, and where that is known, of how many."""

    def __call__(self, step: str, count: int, total: int | None = None) -> None: ...


@contextmanager
def progress(what: str) -> Iterator[Advance]:
    """A line for each step that is told of, with how many more have been done of it."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        tasks: dict[str, Any] = {}

        def advance(step: str, count: int, total: int | None = None) -> None:
            if step not in tasks:
                tasks[step] = bar.add_task(f"{what}: {step}", total=None)
            bar.update(tasks[step], advance=count, total=total)

        yield advance
