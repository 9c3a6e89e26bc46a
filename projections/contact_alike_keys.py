"""What contacts have in common which hardly two people have: a key for each thing, and the groups of those who have the same.

Each contact has at most one key of each kind, and a group is of all that have the same: one pass over those that are looked
at, however many are alike.
"""

from __future__ import annotations

from typing import Final

from projections.contact import CONTACTS
from projections.contact_duplicate import CONTACT_DUPLICATES
from projections.table.asking.compiled import HERE, Compiled
from schemas.contact_duplicate import Reason

BOTH: Final = 4
"""By so many per cent are those more alike who have one more thing in common."""

_DOMAIN: Final = "split_part(email, '@', 2)"
_MAILBOX: Final = f"replace(split_part(split_part(email, '@', 1), '+', 1), '.', '') || '@' || {_DOMAIN}"
_NAMED: Final = "first_name <> '' AND last_name <> ''"

REASONS: Final[dict[int, Reason]] = {90: "mailbox", 80: "phone", 70: "name_company", 60: "name_domain"}
"""By how likely those are the same who have it in common, in per cent."""
_KEYS: Final[dict[Reason, tuple[str, str]]] = {
    "mailbox": (_MAILBOX, "email <> ''"),
    "phone": ("phone", "phone <> ''"),
    "name_company": ("name || chr(10) || company", f"{_NAMED} AND company <> ''"),
    "name_domain": (f"name || chr(10) || {_DOMAIN}", f"{_NAMED} AND email <> ''"),
}
"""The key, and who has one."""


def keyed(where: Compiled) -> Compiled:
    """The keys of contacts, ``score, key, id``: as numbers, which are sorted many times faster than text."""
    parts = [
        f"SELECT {score}::smallint AS score, hashtextextended({_KEYS[reason][0]}, 0) AS key, id FROM {CONTACTS.table}"
        f" WHERE workspace_id = %s AND ({where.sql}) AND {_KEYS[reason][1]}"
        for score, reason in REASONS.items()
    ]
    return Compiled(" UNION ALL ".join(parts), (HERE, *where.params) * len(parts))


def grouped(keys: Compiled) -> Compiled:
    """The groups among those who have these ``keys``, for a WITH in which ``found`` is what they are: the place in the order
    of groups, the ids, the scores of what they have in common, and the key of the first of these. Not those of whom somebody
    has said of each two that they are two.

    No two groups have both their place and the oldest contact in common: the best score follows from the place, and of that
    score the contact has one key.
    """
    sql = f"""
        keyed AS (
            {keys.sql}
        ), told AS (
            SELECT one.score, one.key, count(DISTINCT (least(one.id, other.id), greatest(one.id, other.id))) AS pairs
            FROM {CONTACT_DUPLICATES.table} AS said JOIN keyed AS one ON one.id = said.contact_id
            JOIN keyed AS other ON other.id = said.other_id AND other.score = one.score AND other.key = one.key
            WHERE said.workspace_id = %s AND said.contact_id <> said.other_id GROUP BY one.score, one.key
        ), alike AS (
            SELECT score, key, array_agg(id ORDER BY id) AS ids
            FROM keyed LEFT JOIN told USING (score, key) GROUP BY score, key
            HAVING count(*) * (count(*) - 1) / 2 > coalesce(max(pairs), 0)
        ), found AS (
            SELECT -least(max(score) + {BOTH} * (count(*) - 1), 99)::bigint AS place, ids,
                array_agg(score ORDER BY score DESC) AS scores, (array_agg(key ORDER BY score DESC))[1] AS key
            FROM alike GROUP BY ids
        )"""
    return Compiled(sql, (*keys.params, HERE))
