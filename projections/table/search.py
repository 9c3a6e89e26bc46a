"""Searching: words in what a table's ``searched`` columns hold."""

from __future__ import annotations

import re
from typing import Final

from domain.kernel import FieldError, Refused
from domain.kernel.values import folded
from projections.table.asking.compiled import Compiled, either, every, like

MAX_WORDS: Final = 10
FEWEST_DIGITS: Final = 3
"""Of a phone number, to be looked for as one: an index of trigrams finds nothing shorter."""
TRIGRAM: Final = 3
"""Letters that an index of trigrams can look for together."""

ROLES: Final = frozenset({
    "abuse", "admin", "billing", "contact", "hello", "help", "hostmaster", "info", "mail", "marketing", "noc", "office",
    "postmaster", "sales", "security", "service", "support", "team", "webmaster",
})  # fmt: skip
"""Mailboxes that are called alike everywhere: those of RFC 2142, and what else is common."""

_PHONE: Final = "(?n)^\\+[0-9]*{}"
"""Of a line that is a phone number as it is kept: to Postgres, where ``(?n)`` has lines begin at ``^``."""
_AS_PHONES_ARE_WRITTEN: Final = re.compile(r"[\d\s+()./\-\u2010-\u2015]+\Z")


def searching(text: str | None, *, phones: bool = False) -> Compiled:
    """Every word must be found, as it stands, in what is searched of a row; or else, where there may be ``phones``, all
    digits in one of them, if the text may be a part of a phone number: that may be written any way.

    Refuses (``invalid_request``, under ``search``) more than ``MAX_WORDS``.
    """
    found = folded(text or "")
    words = found.split()
    if len(words) > MAX_WORDS:
        message = f"must have at most {MAX_WORDS} words"
        raise Refused("invalid_request", f"search: {message}", details=[FieldError(field="search", message=message)])
    as_it_stands = every(*(_holding(word) for word in words))
    digits = _digits(found) if phones else ""
    if not digits or words == [digits]:
        return as_it_stands
    in_a_phone = Compiled("search ~ %s", (_PHONE.format(digits),))
    return either(as_it_stands, every(_holding(digits), in_a_phone))


def _digits(text: str) -> str:
    """Those of a part of a phone number, without the zeros that are dialled before it; none if it cannot be one."""
    if not _AS_PHONES_ARE_WRITTEN.match(text):
        return ""
    digits = "".join(letter for letter in text if letter.isdigit())
    dialled = digits.lstrip("0")
    found = dialled if len(dialled) >= FEWEST_DIGITS else digits
    return found if len(found) >= FEWEST_DIGITS else ""


def _holding(part: str) -> Compiled:
    """What is too short for trigrams is kept from their index, which would go through all that it has.

    Of an address the index is asked for what stands before the ``@``, since very many end alike: for the rest it would go
    through all of those, and rows are looked at anyway. Not where it is a role, which very many domains have.
    """
    local, at, _ = part.partition("@")
    if at and len(local) >= TRIGRAM and local not in ROLES:
        return every(_holding(local), Compiled("coalesce(search LIKE %s, false)", (f"%{like(part)}%",)))
    holds = "search LIKE %s" if len(part) >= TRIGRAM else "coalesce(search LIKE %s, false)"
    return Compiled(holds, (f"%{like(part)}%",))
