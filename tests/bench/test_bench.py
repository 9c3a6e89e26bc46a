"""The benchmarks run; how fast anything is, no test says."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from bench.__main__ import ROWS, main
from bench.figure import Figure, budget, rate
from bench.machine import Meter


@pytest.mark.parametrize("row", [row if row == "replay" else pytest.param(row, marks=pytest.mark.slow) for row in ROWS])
def test_a_row_is_measured_and_printed(row: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "figures.json"
    assert main([row, "--quick", "--json", str(path)]) == 0
    figures = json.loads(path.read_text())["figures"]
    printed = capsys.readouterr().out
    assert figures
    for figure in figures:
        assert figure["value"] > 0
        assert figure["figure"] in printed


def test_an_unknown_row_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["speed"])
    assert "no such row: speed" in capsys.readouterr().err


def test_a_figure_is_held_against_its_budget() -> None:
    assert budget("b", 1.0, "ms", 2.0).within
    assert not budget("b", 3.0, "ms", 2.0).within
    assert rate("r", 9.0, "/s", 8.0).within
    assert not rate("r", 7.0, "/s", 8.0).within
    assert Figure("information", 1.0, "x", "nothing", 2.0, limit=None).within is None


def test_cpu_time_is_compared_after_dividing_by_how_slow_the_machine_is() -> None:
    assert replace(budget("b", 3.0, "CPU ms", 2.0), factor=2.0).ratio == 0.75
    assert replace(rate("r", 7.0, "/CPU s", 8.0), factor=2.0).ratio == 1.75
    assert replace(budget("b", 3.0, "ms", 2.0), factor=2.0).ratio == 1.5
    assert replace(Figure("x", 3.0, "CPU s", "the other", 2.0), factor=2.0).ratio == 1.5


def test_what_a_process_started_counts_once_where_it_has_a_name_of_its_own() -> None:
    burning = "import time\nwhile time.process_time() < 0.6: pass\nprint(flush=True)\ninput()"
    with subprocess.Popen([sys.executable, "-c", burning], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        meter = Meter({"test": psutil.Process(), "child": psutil.Process(child.pid)})
        before = meter.read()
        child.stdout.readline()
        after = meter.read()
        child.kill()
    assert after["child"] >= 0.5
    assert after["test"] - before["test"] < 0.5
