"""Text of values by key, as a search looks in it: what people would look for by its words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Final

from domain.kernel.values import CustomValue, Scalar

MAX_OF_ONE: Final = 2_000
"""Characters of a value that are looked in."""
MAX_OF_ALL: Final = 20_000
"""Characters of all of them that are, in the order of their keys."""

_NO_WORDS: Final = re.compile(
    r"\d{4}-\d\d-\d\d(?:T[\d:.]+Z)?\Z|[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}\Z", re.ASCII
)
"""Days, times and ids: told by what they look like, since a row follows from its own stream alone, not from definitions."""


def words(values: Mapping[str, CustomValue]) -> str:
    """The text among values and in lists of them, a line each; each text once, as options are in many fields.

    In the order of their keys, since the log does not keep any other.
    """
    ordered = (values[key] for key in sorted(values))
    entries = chain.from_iterable(value if isinstance(value, list) else (value,) for value in ordered)
    return "\n".join(dict.fromkeys(_texts(entries)))[:MAX_OF_ALL]


def _texts(entries: Iterable[Scalar]) -> Iterator[str]:
    return (entry[:MAX_OF_ONE] for entry in entries if isinstance(entry, str) and not _NO_WORDS.match(entry))
