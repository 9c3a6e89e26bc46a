"""How a contact is shown: with its tags in full."""

from __future__ import annotations

from collections.abc import Sequence

from domain.contact import Contact
from eventstore.database import Db
from eventstore.rows import Current
from projections import tag as tags
from projections.table.showing import shown
from schemas.contact import ContactView
from schemas.tag import TagView


def views(conn: Db, contacts: Sequence[Current[Contact]]) -> list[ContactView]:
    """The contacts as callers see them: with their tags' names."""
    known = contacts[0].beside if contacts else {}
    if known is None:
        known = tags.refs(conn, {tag_id for contact in contacts for tag_id in contact.state.tags})
    return [view(contact, [known[tag_id] for tag_id in contact.state.tags if tag_id in known]) for contact in contacts]


def view(contact: Current[Contact], borne: list[TagView]) -> ContactView:
    return shown(ContactView, contact, name=contact.state.name, tags=[tag.name for tag in borne], tag_details=borne)
