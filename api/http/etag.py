"""``If-Match`` as RFC 9110 has it: any version, those of a list of entity tags, or none of ours."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from domain.kernel import Refused

NEVER: Final = 0
"""What no thing's version is: of tags that are weak or not ours, none can match."""
MAX_VERSIONS: Final = 10

_TAG: Final = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*+"'
_LIST: Final = re.compile(rf"[ \t,]*+{_TAG}(?:[ \t]*+,[ \t,]*+{_TAG})*+[ \t,]*+")
_OURS: Final = re.compile(r'(W/)?"(?:([1-9][0-9]{0,8})|[^"]*+)"')
"""Whether it is weak, and what version it is."""


def versions(given: Sequence[str]) -> list[int | None]:
    """The versions that a thing may be at, of which one must be tried after the other; ``None``: any.

    Refuses (``invalid_request``) what is no list of entity tags, and more than ``MAX_VERSIONS`` of ours.
    """
    text = ",".join(given)
    if not given or text.strip() == "*":
        return [None]
    if not _LIST.fullmatch(text):
        raise Refused("invalid_request", 'If-Match: must be an ETag as it was answered, such as "3", or several, or *.')
    found = dict.fromkeys(int(version) for weak, version in _OURS.findall(text) if version and not weak)
    if len(found) > MAX_VERSIONS:
        raise Refused("invalid_request", f"If-Match: must name at most {MAX_VERSIONS} versions.")
    return list(found) or [NEVER]
