from __future__ import annotations

from collections.abc import Iterator

import pytest

from daybook.embedded import EmbeddedPostgres
from tests.projections.house import House, a_house


@pytest.fixture
def house(postgres: EmbeddedPostgres) -> Iterator[House]:
    """Two workspaces in which all kinds of things have happened."""
    with a_house(postgres) as house:
        yield house
