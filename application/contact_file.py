"""All that Daybook holds of one person, as one JSON document that is written some at a time.

What refers to a contact says so itself (``Refers``): the document has whatever kinds there are.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from application.calling.caller import Caller
from domain.contact import CONTACT, Contact
from domain.kernel import not_found
from eventstore.database import Db
from eventstore.reader import head
from eventstore.references import Referring
from eventstore.rows import Current
from eventstore.unit_of_work import EventStore
from projections import (
    call,
    company,
    contact_duplicate,
    contact_merge,
    contact_view,
    custom_field,
    deal,
    history,
    interaction,
    note,
    object_record,
    pipeline,
    task,
)
from projections.catalogue import ROWS
from projections.contact import CONTACTS
from schemas.contact_file import CustomFieldOfContact, MergedContact
from schemas.wire.writing import encode

BATCH: Final = 200
MOST: Final = 100_000
"""Things that refer to a contact by one field; of more the document says that it is not complete."""


class Shown(NamedTuple):
    """How things of a kind are shown, and what a caller must be allowed to read for it."""

    views: Callable[[Db, Sequence[Current[Any]]], Sequence[Any]]
    scope: str


SHOWN: Final = {
    "call": Shown(call.views, "calls:read"),
    "company": Shown(company.views, "companies:read"),
    "contact": Shown(contact_view.views, "contacts:read"),
    "contact_duplicate": Shown(contact_duplicate.views, "contacts:read"),
    "deal": Shown(deal.views, "deals:read"),
    "interaction": Shown(interaction.views, "interactions:read"),
    "note": Shown(note.views, "notes:read"),
    "object_record": Shown(object_record.views, "object-records:read"),
    "pipeline": Shown(pipeline.views, "pipelines:read"),
    "task": Shown(task.views, "tasks:read"),
}
"""By kind: what may refer to a contact."""


@dataclass
class ContactFile:
    """The document about one contact for a caller, who is told of what they may see alone."""

    store: EventStore
    caller: Caller
    contact_id: UUID
    complete: bool = True

    def written(self, conn: Db) -> Generator[bytes, None, None]:
        """The document, some of it at a time; refuses (``not_found``), before the first, what is not to be seen."""
        contact = self._contact(conn)
        merged = [one for one in contact_merge.into(conn, contact.id) if self._was_seen(one.state.loser)]
        referring = self.store.referring(conn, CONTACT, contact.state)
        left_out = sorted({kind for kind in _kinds(referring) if not self.caller.may(SHOWN[kind].scope)})
        self.complete = not left_out and self.caller.visible_to is None
        yield b'{"seq":%d,"contact":%b' % (head(conn)[0], encode(contact_view.views(conn, [contact])[0]))
        yield b',"customFields":%b' % encode(_custom_fields(conn, contact.state))
        yield b',"merged":%b,"related":{' % encode([_merged(one) for one in merged])
        yield from self._related(conn, contact.id, [one for one in referring if _kind(one) not in left_out])
        yield b'},"history":['
        yield from _listed(self._history(conn, [contact.id, *(one.state.loser_id for one in merged)]))
        yield b'],"leftOut":%b,"complete":%b}\n' % (encode(left_out), encode(self.complete))

    def _contact(self, conn: Db) -> Current[Contact]:
        for contact in CONTACTS.load(conn, [self.contact_id]).values():
            if CONTACTS.visible(conn, contact, self.caller.visible_to):
                return contact
        raise not_found(CONTACTS.noun)

    def _was_seen(self, loser: Contact) -> bool:
        """Who sees only what is theirs is told of those alone that were theirs when they were merged into it."""
        return self.caller.visible_to in (None, loser.assigned_to)

    def _related(self, conn: Db, contact_id: UUID, referring: Sequence[Referring]) -> Iterator[bytes]:
        """By kind, what refers to it; each once, by however many fields it does."""
        for number, (kind, by) in enumerate(groupby(sorted(referring, key=_kind), key=_kind)):
            yield b"%b%b:[" % (b"," if number else b"", encode(kind))
            yield from _listed(self._things(conn, kind, self._ids(conn, contact_id, by)))
            yield b"]"

    def _ids(self, conn: Db, contact_id: UUID, referring: Iterable[Referring]) -> list[UUID]:
        found: dict[UUID, None] = {}
        for table, reference in referring:
            ids = table.referring(conn, reference, contact_id, MOST + 1)
            self.complete = self.complete and len(ids) <= MOST
            found |= dict.fromkeys(ids[:MOST])
        return [*found]

    def _things(self, conn: Db, kind: str, ids: Sequence[UUID]) -> Iterator[Sequence[Any]]:
        table = ROWS[kind]
        for start in range(0, len(ids), BATCH):
            found = table.load(conn, ids[start : start + BATCH]).values()
            seen = [thing for thing in found if table.visible(conn, thing, self.caller.visible_to)]
            yield SHOWN[kind].views(conn, seen) if seen else ()

    def _history(self, conn: Db, ids: Sequence[UUID]) -> Iterator[Sequence[Any]]:
        for contact_id in ids:
            yield from history.whole(conn, self.store.mapper, history.Subject(CONTACTS, contact_id), BATCH)


def _kind(referring: Referring) -> str:
    return referring[0].decider.stream_type


def _kinds(referring: Sequence[Referring]) -> set[str]:
    return {_kind(one) for one in referring}


def _listed(batches: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """What stands between the brackets of a JSON list."""
    first = True
    for some in batches:
        if some:
            yield (b"" if first else b",") + b",".join(encode(one) for one in some)
            first = False


def _custom_fields(conn: Db, contact: Contact) -> list[CustomFieldOfContact]:
    defined = {field.state.key: field.state for field in custom_field.listed(conn, CONTACT.stream_type)}
    return [
        CustomFieldOfContact(
            key=key,
            name=defined[key].name if key in defined else key,
            type=defined[key].type if key in defined else None,
            value=value,
        )
        for key, value in contact.custom_fields.items()
    ]


def _merged(merge: Current[Any]) -> MergedContact:
    was = msgspec.to_builtins(merge.state.loser)
    return MergedContact(id=merge.state.loser_id, name=merge.state.loser_name, merged_at=merge.created_at, was=was)
