"""Two contacts that are alike, and of which somebody has said that they are two: they are not suggested as one any more."""

from __future__ import annotations

from typing import Annotated, assert_never
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from domain.kernel import Command, Decider, Event, Refused, State, Value, not_found
from domain.kernel.changes import applied, difference, named
from domain.kernel.fields import Refers, leading
from domain.kernel.personal import PERSONAL

ContactId = Annotated[
    UUID, Refers("contact", on_end="cascade"), Meta(description="One of the two; what was said of them goes with it.")
]
OtherId = Annotated[
    UUID, Refers("contact", on_end="cascade"), Meta(description="The other; what was said of them goes with it.")
]


class DuplicatePair(Value):
    contact_id: ContactId
    other_id: OtherId


class DuplicatePairChanges(Value):
    """As whom one of the two goes on."""

    contact_id: ContactId | UnsetType = UNSET
    other_id: OtherId | UnsetType = UNSET


class DismissedDuplicate(DuplicatePair, State):
    """A pair of contacts that are two."""


class DuplicatePairNamed(DuplicatePair, kw_only=True):
    contact_name: Annotated[str, PERSONAL, Meta(description="What the one was called then.")]
    other_name: Annotated[str, PERSONAL, Meta(description="What the other was called then.")]


class DismissDuplicate(DuplicatePairNamed, Command):
    """They are two."""


class MoveDuplicate(DuplicatePairChanges, Command):
    """One of the two goes on as another contact, and is no other person for that."""


class RestoreDuplicate(Command):
    """Nobody says so any more."""


class ContactDuplicateDismissed(DuplicatePairNamed, Event, name="contact_duplicate.dismissed", action="created"):
    """Somebody has said of two contacts that they are two, however alike they are."""


class ContactDuplicateMoved(Event, name="contact_duplicate.moved", action="updated"):
    """One of the two was merged into another contact, or parted from it again: what was said holds of that one."""

    changed: DuplicatePairChanges
    previous: DuplicatePairChanges


class ContactDuplicateRestored(Event, name="contact_duplicate.restored", action="deleted"):
    """What was said of the two was taken back, or one of them is gone: they may be the same person again."""


DuplicateCommand = DismissDuplicate | MoveDuplicate | RestoreDuplicate
DuplicateEvent = ContactDuplicateDismissed | ContactDuplicateMoved | ContactDuplicateRestored


def decide(command: DuplicateCommand, pair: DismissedDuplicate | None) -> list[DuplicateEvent]:
    match command, pair:
        case DismissDuplicate(), None:
            return [ContactDuplicateDismissed(**named(command))]
        case DismissDuplicate(), _:
            raise Refused("conflict", "This was said already.")
        case _, None:
            raise not_found("dismissal")
        case MoveDuplicate(), DismissedDuplicate():
            changed, previous = (DuplicatePairChanges(**part) for part in difference(named(command), pair))
            return [ContactDuplicateMoved(changed=changed, previous=previous)] if named(changed) else []
        case RestoreDuplicate(), DismissedDuplicate():
            return [ContactDuplicateRestored()]
        case never, _:
            assert_never(never)


def evolve(pair: DismissedDuplicate | None, event: DuplicateEvent) -> DismissedDuplicate | None:
    match event, pair:
        case ContactDuplicateDismissed(contact_id=contact_id, other_id=other_id), _:
            return DismissedDuplicate(contact_id=contact_id, other_id=other_id)
        case (ContactDuplicateRestored(), _) | (_, None):
            return None
        case ContactDuplicateMoved(changed=changed), DismissedDuplicate():
            return applied(pair, changed)
        case never, _:
            assert_never(never)


CONTACT_DUPLICATE: Decider[DuplicateCommand, DuplicateEvent, DismissedDuplicate] = Decider(
    stream_type="contact_duplicate",
    state=DismissedDuplicate,
    commands=(DismissDuplicate, MoveDuplicate, RestoreDuplicate),
    events=(ContactDuplicateDismissed, ContactDuplicateMoved, ContactDuplicateRestored),
    decide=decide,
    evolve=evolve,
    refer=lambda path, to: MoveDuplicate(**leading(path, to)),
    delete=RestoreDuplicate,
)
