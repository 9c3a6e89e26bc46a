"""Which tags words mean, in SQL."""

from __future__ import annotations

from typing import Final, LiteralString

from projections.tag_row import TAGS

MEANT: Final[LiteralString] = f"""(SELECT coalesce(array_agg(DISTINCT named.id), '{{}}')
    FROM unnest(%s::uuid[], %s::text[], %s::text[]) AS asked (id, name, slug) CROSS JOIN LATERAL (
        SELECT t.id FROM {TAGS.table} t
        WHERE t.workspace_id = %s AND (t.id = asked.id OR t.name = asked.name OR t.slug = asked.slug)
        ORDER BY t.id = asked.id DESC, t.name = asked.name DESC, t.created_at, t.id LIMIT 1) named)"""
"""The ids of the tags that are meant by some words, one of each: the tag of this id, else of this name, else the oldest of
this slug.
"""
