"""Lets the library's own test suite be imported, and Postgres be asked what it makes of JSON."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable

import pytest

from eventstore.database import Db

# The suite imports a cipher made with pycryptodome, for tests that are not ours; the library has the same cipher made
# with cryptography, which is installed.
sys.modules.setdefault("eventsourcing.cipher", importlib.import_module("eventsourcing.cryptography"))


@pytest.fixture(scope="session")
def through_jsonb(owner: Db) -> Callable[[str], str]:
    """A JSON text as Postgres gives it back."""

    def through(text: str) -> str:
        row = owner.execute("SELECT %s::jsonb::text", (text,)).fetchone()
        assert row is not None
        return str(row[0])

    return through
