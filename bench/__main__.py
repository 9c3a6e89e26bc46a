"""``python -m bench``: measures the rows asked for, or all, and prints one table."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from bench import (
    bundling,
    creating,
    duplicating,
    importing,
    rebuilding,
    recalling,
    replaying,
    searching,
    segmenting,
    speed,
    webhooks,
    working,
)
from bench.figure import Figure, table
from bench.machine import description
from bench.scale import FULL, QUICK, Scale
from bench.stack import Stack, running

Row = Callable[[Stack, Scale], Sequence[Figure]]

ROWS: dict[str, Row] = {
    "create": creating.figures,
    "list": searching.figures,
    "segments": segmenting.figures,
    "duplicates": duplicating.figures,
    "import": importing.figures,
    "as-of": recalling.figures,
    "replay": replaying.figures,
    "export": bundling.figures,
    "rebuild": rebuilding.figures,
    "webhooks": webhooks.figures,
    "workers": working.figures,
}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="row", help=f"of {', '.join(ROWS)}; all when none is named")
    parser.add_argument("--quick", action="store_true", help="on small data: shows that it runs, measures little")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args(arguments)
    unknown = set(options.rows) - set(ROWS)
    if unknown:
        parser.error(f"no such row: {', '.join(sorted(unknown))}")
    scale = QUICK if options.quick else FULL
    with running() as stack:
        factor = speed.factor(stack, scale)
    found: list[Figure] = []
    for name in options.rows or ROWS:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        with running() as stack:
            found += (replace(figure, factor=factor) for figure in ROWS[name](stack, scale))
    machine = description() | {"factor": round(factor, 2)}
    print(", ".join(f"{key} {value}" for key, value in machine.items()))
    print(table(found))
    if options.json:
        figures = [figure.as_json() for figure in found]
        options.json.write_text(json.dumps({"machine": machine, "figures": figures}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
