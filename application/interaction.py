"""Use cases of interactions: recording one of a contact."""

from __future__ import annotations

from uuid import UUID

from msgspec.structs import asdict

from domain.contact import CONTACT
from domain.interaction import INTERACTION, CreateInteraction, Interaction
from eventstore.ids import new_id
from eventstore.rows import Current
from eventstore.work import Work
from schemas.interaction import NewInteraction


def record(unit: Work, contact_id: UUID, form: NewInteraction) -> Current[Interaction]:
    """A new interaction, of now unless it says otherwise; refuses with ``not_found`` where there is no such contact."""
    unit.get(CONTACT, contact_id)
    about = {"contact_id": contact_id, "occurred_at": form.occurred_at or unit.now}
    return unit.begin(INTERACTION, new_id(), CreateInteraction(**asdict(form) | about))
