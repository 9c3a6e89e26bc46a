"""Tag rows, and how many contacts bear each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID
from zlib import crc32

from domain.kernel.values import folded, slug
from domain.tag import Tag, TagRef
from eventstore.database import Db, wait_for_turn
from eventstore.rows import Current, Held
from projections.contact import CONTACTS
from projections.table.asking.compiled import TRUE, Compiled, like
from projections.table.asking.named import id_of
from projections.table.counting import referring
from projections.table.listing import Listed, Listing
from projections.table.showing import shown
from projections.tag_row import TAGS
from schemas.tag import TagView
from schemas.wire.page import PageRequest, Sort

LOCKS: Final = 64
_NUMBERS: Final = re.compile(r"(?<![-0-9])[-0-9]++\Z")

LISTING = Listing(TAGS, default=Sort(field="name"))


def views(conn: Db, tags: Sequence[Current[Tag]]) -> list[TagView]:
    """The tags with the number of contacts that bear each."""
    counts = referring(conn, CONTACTS, "tags", [tag.id for tag in tags])
    return [shown(TagView, tag, contact_count=counts[tag.id]) for tag in tags]


def listed(conn: Db, request: PageRequest, search: str | None) -> Listed[Tag]:
    """All tags, or those with ``search`` in their name."""
    where = TRUE if not search else Compiled("name LIKE %s", (f"%{like(folded(search.strip()))}%",))
    return LISTING.fetch(conn, request, where)


def by_names(conn: Db, names: Sequence[str]) -> dict[str, Held]:
    """Of these names those that exist, by folded name. An id finds its tag too, and a slug, when no name does: the oldest
    of it.

    Holds the tags until the transaction ends: none of them is deleted while it is being put on a contact.
    """
    keys = [folded(name.strip()) for name in names]
    ids = [tag_id for key in keys if (tag_id := id_of(key)) is not None]
    rows = conn.execute(
        "SELECT id, state::text, version, created_at, updated_at, name, slug, NOT EXISTS (SELECT FROM endings e"
        f" WHERE e.workspace_id = t.workspace_id AND e.kind = 'tag' AND e.id = t.id) FROM {TAGS.table} t"
        " WHERE workspace_id = %s AND (name = ANY(%s) OR slug = ANY(%s) OR id = ANY(%s))"
        " ORDER BY created_at DESC, id DESC FOR KEY SHARE OF t",
        (conn.workspace_id, keys, keys, ids),
    ).fetchall()
    held = [(row, Held(TAGS.current(row), stands=row[7])) for row in rows]
    found: dict[str, Held] = {}
    for called in (6, 5, 0):
        found |= {str(row[called]): tag for row, tag in held}
    return {key: found[key] for key in keys if key in found}


def meant(conn: Db, word: str, borne: Sequence[UUID]) -> TagRef | None:
    """The tag that a word means to who bears some: one of those rather than another, and of each the one of this name
    rather than the oldest of this slug.
    """
    name = folded(word.strip())
    row = conn.execute(
        f"SELECT id, state->>'name' FROM {TAGS.table} WHERE workspace_id = %s AND (name = %s OR slug = %s)"
        " ORDER BY id = ANY(%s) DESC, name = %s DESC, created_at, id LIMIT 1",
        (conn.workspace_id, name, word.strip().lower(), list(borne), name),
    ).fetchone()
    return None if row is None else TagRef(id=row[0], name=row[1])


def taken(conn: Db, names: Iterable[str]) -> set[str]:
    """The slugs of tags that those of these names could be, with or without a number."""
    rows = conn.execute(
        f"SELECT t.slug FROM unnest(%s::text[]) AS plain CROSS JOIN LATERAL (SELECT slug FROM {TAGS.table}"
        " WHERE workspace_id = %s AND (slug = plain OR slug >= plain || '-' AND slug < plain || '.')) t",
        ([slug(name) for name in names], conn.workspace_id),
    )
    return {row[0] for row in rows}


def lock_names(conn: Db, names: Iterable[str]) -> None:
    """Waits for others that are making tags of names like these, whose slugs are the same but for numbers, and keeps more
    from it until the transaction ends. However many the names are, the locks are few.
    """
    for key in sorted({crc32(_NUMBERS.sub("", slug(folded(name))).encode()) % LOCKS for name in names}):
        wait_for_turn(conn, f"tag {key}")


def refs(conn: Db, ids: Iterable[UUID]) -> dict[UUID, TagView]:
    """Tags by id, as contacts show them; an id of a deleted tag is not among them."""
    wanted = list(ids)
    if not wanted:
        return {}
    rows = conn.execute(
        f"SELECT id, state->>'name', slug, state->>'color' FROM {TAGS.table} WHERE workspace_id = %s AND id = ANY(%s)",
        (conn.workspace_id, wanted),
    )
    return {row[0]: TagView(id=row[0], name=row[1], slug=row[2], color=row[3]) for row in rows}
