"""Legal holds on contacts: placed and released by those who answer for what the workspace knows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from uuid import UUID

from application.calling.caller import Caller
from domain.contact import CONTACT, Contact
from domain.contact_legal_hold import PlaceLegalHold, ReleaseLegalHold
from domain.kernel import Refused
from eventstore import endings
from eventstore.rows import Current
from eventstore.work import Work
from projections import contact_erasure as erasures
from schemas.contact_legal_hold import NewLegalHold


def place(unit: Work, caller: Caller, contact_id: UUID, form: NewLegalHold, if_version: int | None) -> Current[Contact]:
    """From here on it is kept. Refuses (``conflict``) where a job is deleting it already: parts of it are gone by then."""
    unit.get(CONTACT, contact_id, if_version=if_version)
    # Whoever is making such a job holds the row and looks at it again behind that.
    unit.rows[CONTACT.stream_type].hold(unit.conn, [contact_id], ending=True)
    if (job_id := endings.job_of(unit.conn, CONTACT.stream_type, contact_id)) is not None:
        raise Refused(
            "conflict", f"This contact is being deleted or merged into another: cancel the job {job_id} first."
        )
    unit.execute(CONTACT, contact_id, PlaceLegalHold(reason=form.reason, at=unit.now, by=caller.account_id))
    return unit.get(CONTACT, contact_id)


def release(unit: Work, contact_id: UUID, if_version: int | None) -> None:
    """It need not be kept any more; where it need not before, that is no change."""
    unit.get(CONTACT, contact_id)
    unit.execute(CONTACT, contact_id, ReleaseLegalHold(), if_version=if_version)


def check_beside(unit: Work, persons: Sequence[UUID]) -> None:
    """Refuses (``conflict``) to have these erased where some of what tells of them tells of a contact on hold, too: it would
    be lost to both.
    """
    others = sorted(_beside(unit, persons))
    # Whoever is placing a hold has the row; behind that it is looked at.
    unit.rows[CONTACT.stream_type].hold(unit.conn, others)
    for other in unit.load(CONTACT, others).values():
        if other.state.legal_hold is not None:
            raise other.state.legal_hold.refusal_beside(other.id)


def _beside(unit: Work, persons: Sequence[UUID]) -> set[UUID]:
    """The persons of whom the streams tell that tell of these, or once did."""
    told = erasures.told(unit.conn, persons)
    found = erasures.beside(unit.conn, told)
    for kind, streams in groupby(told, key=attrgetter("kind")):
        decider = unit.rows[kind].decider
        things = {} if decider.person else unit.load(decider, [stream.id for stream in streams])
        for thing in things.values():
            found |= unit.keys.whom(decider, thing.id, None, thing.state)
    return found.difference(persons)
