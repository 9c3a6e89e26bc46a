"""Which characters a text may have, and whether anything is to be seen of it."""

from __future__ import annotations

import re

_NOT_OF_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufdd0-\ufdef\ufffe\uffff]")
"""Control characters, and of the first plane what is no character and never will be: more would take longer to look for."""
_NOT_OF_A_LINE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufdd0-\ufdef\ufffe\uffff]")
"""Beside that what ends a line, controls it, or turns round what is written behind it."""
_DIRECTION = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_UNSEEN = re.compile(
    r"[\s\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    r"\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]*\Z"
)
"""White space, and what is shown as nothing (Default_Ignorable_Code_Point)."""


def is_unseen(value: str) -> bool:
    """Whether there is nothing to be seen of it."""
    return not value.isascii() and _UNSEEN.match(value) is not None


def is_text(value: str) -> bool:
    """Whether it has no control characters but line breaks and tabs, and nothing that is no character."""
    return _NOT_OF_TEXT.search(value) is None


def is_line(value: str) -> bool:
    """Whether it is a text of one line that reads in the order in which it is written."""
    return value.isprintable() or _NOT_OF_A_LINE.search(value) is None


def without_direction(value: str) -> str:
    """Without the marks that say in which direction to read."""
    return value if value.isascii() else _DIRECTION.sub("", value)
