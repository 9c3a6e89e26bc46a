"""How fast this machine is: what the same work takes in CPU time, beside the machine that the budgets are for."""

from __future__ import annotations

from typing import Final

from bench.machine import work
from bench.pgbench import Pgbench
from bench.scale import Scale
from bench.stack import Stack

INSERT: Final = 75.0
"""CPU microseconds of Postgres for one plain insert there: 19,000 a second on two busy cores, of which pgbench takes a third."""
WORK: Final = 20.0
"""CPU microseconds of the fixed piece of Python's work there: worked out on another machine, by its factor for inserts."""


def factor(stack: Stack, scale: Scale) -> float:
    """How many times as much CPU time it takes here, of Python and of Postgres alike."""
    insert = Pgbench(stack).insert(scale.seconds / 2)
    return (work() / WORK + insert / INSERT) / 2
