"""Lets the library's own test suite be imported."""

from __future__ import annotations

import importlib
import sys

# The suite imports a cipher made with pycryptodome, for tests that are not ours; the library has the same cipher made
# with cryptography, which is installed.
sys.modules.setdefault("eventsourcing.cipher", importlib.import_module("eventsourcing.cryptography"))
