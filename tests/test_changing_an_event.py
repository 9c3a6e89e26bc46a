"""The guide to changing an event shows code that stands in the repository, and names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs/changing-an-event.md").read_text()
STEP = re.compile(r"^ *former=.*$", re.MULTILINE)


def test_what_it_shows_of_a_former_event_is_the_code() -> None:
    (line,) = STEP.findall(GUIDE)
    assert line in (ROOT / "domain/contact_merge.py").read_text().splitlines()


@pytest.mark.parametrize(
    "path", sorted({*re.findall(r"`((?:domain|eventstore|projections|tests)/[\w/]+\.py)`", GUIDE)})
)
def test_every_file_that_it_names_is_there(path: str) -> None:
    assert (ROOT / path).is_file()
