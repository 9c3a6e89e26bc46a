"""Merges as they were once written down: what stands in logs of that time, made by today's code and put in the old form."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from application import contact_merge as merges
from domain.contact import CONTACT, CreateContact
from domain.kernel import Event
from domain.note import NOTE, CreateNote
from eventstore.append import Staged
from eventstore.chain import canonical
from eventstore.ids import new_id
from eventstore.mapper import EventMapper
from eventstore.sealing import Keys
from eventstore.work import Work
from schemas.contact_merge import MergeContacts

PATHS = {"contactId": "contact_id"}


class Plain(EventMapper):
    """Writes what is personal as it is: nothing was sealed then."""

    def encode(self, stream_id: UUID, event: Event, keys: Keys = dict) -> bytes:  # noqa: ARG002 - not asked for
        return super().encode(stream_id, event)


def write_merge(unit: Work, author: UUID) -> tuple[UUID, UUID, UUID]:
    """Winner, loser and a note that went over, merged by ``contact_merge.made``."""
    unit.mapper = Plain()
    winner, loser, note = new_id(), new_id(), new_id()
    unit.begin(CONTACT, winner, CreateContact(first_name="Sarah"))
    unit.begin(CONTACT, loser, CreateContact(first_name="S.", city="Ghent"))
    unit.begin(NOTE, note, CreateNote(content="A", contact_id=loser, created_by=author))
    unit.write_rows()
    merges.merge(unit, winner, MergeContacts(loser_id=loser, dry_run=False), None)
    unit.staged = [_as_once(staged) for staged in unit.staged]
    return winner, loser, note


def _as_once(staged: Staged) -> Staged:
    if staged.event_type != "contact_merge.carried_out":
        return staged
    data: dict[str, Any] = msgspec.json.decode(staged.data)
    moved = [{"kind": one["kind"], "id": one["id"], "path": PATHS[one["field"]]} for one in data["moved"]]
    old = canonical(msgspec.json.encode({**data, "moved": moved})).decode()
    return staged._replace(event_type="contact_merge.made", data=old)
