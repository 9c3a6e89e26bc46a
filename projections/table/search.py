"""Searching: words in what a table's ``searched`` columns hold."""

from __future__ import annotations

from typing import Final

from domain.kernel.values import folded
from projections.table.filter import TRUE, Compiled, like

MAX_WORDS: Final = 10


def searching(text: str | None) -> Compiled:
    """Every word must be found in what is searched of a row; a phone number may be written any way."""
    if not text:
        return TRUE
    words = folded(text).split()[:MAX_WORDS]
    digits = "".join(letter for letter in text if letter.isdigit())
    if len(digits) >= 3 and not any(letter.isalpha() or letter == "@" for letter in text):
        return Compiled("search LIKE %s", (f"%{like(digits.lstrip('0') or digits)}%",))
    if not words:
        return TRUE
    return Compiled(" AND ".join(["search LIKE %s"] * len(words)), tuple(f"%{like(word)}%" for word in words))
