"""A Daybook as newcomers have it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.daybook.serving import Served


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """``daybook serve`` on its embedded servers, in a folder of its own."""
    with TemporaryDirectory(prefix="daybook-test-") as name:
        found = Served(Path(name))
        found.start()
        try:
            yield found
        finally:
            found.interrupt()
