"""A merge of two contacts: which value wins, what went over, and so what has to go back when it is undone."""

from __future__ import annotations

from typing import Annotated, Any, Final, assert_never
from uuid import UUID

import msgspec
from msgspec import Meta

from domain.contact import DETAILS, Contact
from domain.contact_fields import ContactChanges
from domain.kernel import JSON, Command, Decider, Event, Former, Refused, State, Value, not_found
from domain.kernel.changes import named
from domain.kernel.personal import OF_PERSON, PERSONAL
from domain.tag import TagRef

_KEPT: Final = frozenset({"type", "status"})
"""What every contact has, so that the winner lacks none."""
_EITHER: Final = frozenset({"dnc", "globally_unsubscribed"})
"""What holds when it holds of one of them: nobody is written to who has asked not to be."""


def lacking(winner: Contact, loser: Contact) -> ContactChanges:
    """What the winner has from the loser: each field that it has not itself, and of maps each key. An extension belongs with
    its phone number.
    """
    found = {name: _lacking(name, getattr(winner, name), getattr(loser, name)) for name in DETAILS - _KEPT}
    if winner.phone is not None:
        found.pop("phone_extension")
    return ContactChanges(**{name: value for name, value in found.items() if value})


def _lacking(name: str, winners: Any, losers: Any) -> Any:
    if isinstance(winners, dict):
        return {key: value for key, value in losers.items() if key not in winners}
    if name in _EITHER:
        return losers and not winners
    return losers if winners is None else None


def unchanged(merge: ContactMerge, winner: Contact) -> ContactChanges:
    """What the winner had before, of all that is still as the merge has left it: what was changed since stays."""
    back: dict[str, Any] = {}
    for name, value in named(merge.changed).items():
        now, before = getattr(winner, name), getattr(merge.previous, name)
        if isinstance(now, dict):
            keys = [key for key in value if now.get(key) == value[key]]
            back[name] = {key: before[key] for key in keys}
        elif now == value:
            back[name] = before
    return ContactChanges(**{name: value for name, value in back.items() if value != {}})


class Moved(Value):
    """What referred to the loser: its kind and id, and by which field."""

    kind: Annotated[str, Meta(description="What it is, such as `deal`.")]
    id: Annotated[UUID, Meta(description="Its id.")]
    field: Annotated[
        str, Meta(description="The field by which it refers to the contact: `contactId`, or `customFields.agent`.")
    ]


class MovedByPath(Value):
    """The same as it was once told."""

    kind: Annotated[str, Meta(description="What it is, such as `deal`.")]
    id: Annotated[UUID, Meta(description="Its id.")]
    path: Annotated[str, Meta(description="The field, by a name that is none of the API's: `contact_id`.")]


class MergeDetails(Value):
    winner_id: Annotated[UUID, OF_PERSON, Meta(description="The contact that goes on.")]
    winner_name: Annotated[str, PERSONAL, Meta(description="What it was called.")]
    loser_id: Annotated[UUID, OF_PERSON, Meta(description="The contact that is gone.")]
    loser_name: Annotated[str, PERSONAL, Meta(description="What it was called.")]
    loser: Annotated[Contact, Meta(description="What the contact that is gone was.")]
    changed: Annotated[ContactChanges, Meta(description="What the winner has from it.")]
    previous: Annotated[ContactChanges, Meta(description="What the winner had there before.")]
    tags: Annotated[tuple[TagRef, ...], Meta(description="The tags that the winner has from it.")] = ()


class MergeInFull(MergeDetails):
    moved: Annotated[tuple[Moved, ...], Meta(description="What referred to it, and does to the winner.")] = ()


class ContactMerge(MergeInFull, State):
    """A merge; once it is carried out, and as long as it is not undone, what the loser's id leads by."""

    undone: bool = False
    under_way: bool = False
    """Whether so much refers to the loser that it goes over bit by bit, and both are there until all has."""
    parts: Annotated[
        tuple[int, ...], Meta(description="How many things went over in each part, but for parts that are back.")
    ] = ()

    @property
    def settled(self) -> bool:
        """Whether they are two again, and nothing has to go back any more."""
        return self.undone and not self.parts


class RecordContactMerge(MergeInFull, Command):
    """The merge has been carried out."""


class BeginContactMerge(MergeDetails, Command):
    """More refers to the loser than goes over at once: it will, part by part."""


class MoveInContactMerge(Command):
    """These have gone over."""

    moved: tuple[Moved, ...]


class CallOffContactMerge(Command):
    """It will not be carried out: what has gone over goes back, part by part."""


class PutBackInContactMerge(Command):
    """The last part that is not back is, as far as it still was where it had gone: these."""

    moved: tuple[Moved, ...]


class UndoContactMerge(Command):
    """All has gone back where it was; once more is no change."""


class EraseContactMerge(Command):
    """One of the two is erased."""


class ContactMergeCarriedOut(MergeInFull, Event, name="contact_merge.carried_out", action="created"):
    """Two contacts were made one; it has all that is needed to undo that, but for what `contact_merge.moved` told before it."""


class ContactMergeBegun(MergeDetails, Event, name="contact_merge.begun", action="created"):
    """Two contacts are being made one, and so much refers to one of them that this takes a while; what it has is what would
    come of it if it were done at once.
    """


class ContactMergeMoved(Event, name="contact_merge.moved", action="updated"):
    """Some of what referred to the contact that will be gone refers to the other now."""

    moved: Annotated[tuple[Moved, ...], Meta(description="What referred to it, and does to the winner.")]


class ContactMergeCalledOff(
    Event, name="contact_merge.called_off", action="updated", changes={"underWay": (True, False)}
):
    """It was cancelled, or could not be carried out: they stay two, and what had gone over goes back."""


class ContactMergeMovedBack(Event, name="contact_merge.moved_back", action="updated"):
    """Some of what had gone over is back, as the merge was undone or called off."""

    moved: Annotated[
        tuple[Moved, ...], Meta(description="What is back; what was led elsewhere or deleted since, is not.")
    ]


class ContactMergeMade(MergeDetails, Event, name="contact_merge.made", action="created"):
    """`contact_merge.carried_out` as it was once written, with the fields that moved by other names."""

    moved: Annotated[tuple[MovedByPath, ...], Meta(description="What referred to it, and does to the winner.")] = ()


class ContactMergeReversed(Event, name="contact_merge.reversed", action="updated", changes={"undone": (False, True)}):
    """They are two again."""


class ContactMergeErased(Event, name="contact_merge.erased", action="deleted"):
    """One of the two was erased: the merge cannot be undone any more, and leads nowhere."""


MergeCommand = (
    BeginContactMerge
    | MoveInContactMerge
    | RecordContactMerge
    | CallOffContactMerge
    | UndoContactMerge
    | PutBackInContactMerge
    | EraseContactMerge
)
MergeEvent = (
    ContactMergeBegun
    | ContactMergeMoved
    | ContactMergeCarriedOut
    | ContactMergeCalledOff
    | ContactMergeReversed
    | ContactMergeMovedBack
    | ContactMergeErased
)


def decide(command: MergeCommand, merge: ContactMerge | None) -> list[MergeEvent]:
    match command, merge:
        case BeginContactMerge(), None:
            return [ContactMergeBegun(**named(command))]
        case RecordContactMerge(), None | ContactMerge(under_way=True):
            return [ContactMergeCarriedOut(**named(command))]
        case ((BeginContactMerge() | RecordContactMerge()), _):
            raise Refused("conflict", "This merge exists already.")
        case _, None:
            raise not_found("merge")
        case ((MoveInContactMerge() | CallOffContactMerge()), ContactMerge()):
            return [_on_the_way(command, merge)]
        case UndoContactMerge(), ContactMerge():
            return _undone(merge)
        case PutBackInContactMerge(moved=moved), ContactMerge():
            return [ContactMergeMovedBack(moved=moved)] if merge.undone and merge.parts else []
        case EraseContactMerge(), ContactMerge():
            return [ContactMergeErased()]
        case never, _:
            assert_never(never)


def _on_the_way(command: MoveInContactMerge | CallOffContactMerge, merge: ContactMerge) -> MergeEvent:
    if not merge.under_way:
        raise Refused("conflict", "This merge is not under way any more.")
    return (
        ContactMergeMoved(moved=command.moved) if isinstance(command, MoveInContactMerge) else ContactMergeCalledOff()
    )


def _undone(merge: ContactMerge) -> list[MergeEvent]:
    if merge.under_way:
        raise Refused("conflict", "This merge is still under way.")
    return [] if merge.undone else [ContactMergeReversed()]


def evolve(merge: ContactMerge | None, event: MergeEvent) -> ContactMerge | None:  # noqa: PLR0911 - a case for each event
    match event, merge:
        case ContactMergeBegun(), _:
            return ContactMerge(**named(event), under_way=True)
        case ContactMergeCarriedOut(), _:
            return ContactMerge(**named(event), parts=() if merge is None else merge.parts)
        case ContactMergeErased(), _:
            return None
        case _, None:
            return None
        case ContactMergeMoved(moved=moved), ContactMerge():
            return msgspec.structs.replace(merge, parts=(*merge.parts, len(moved)))
        case ContactMergeMovedBack(), ContactMerge():
            return msgspec.structs.replace(merge, parts=merge.parts[:-1])
        case ((ContactMergeReversed() | ContactMergeCalledOff()), ContactMerge()):
            return msgspec.structs.replace(merge, undone=True, under_way=False)
        case never, _:
            assert_never(never)


def _called_as_callers_do(made: JSON) -> JSON:
    """``contact_merge.made`` named fields as the code did: ``custom_fields.agent`` is ``customFields.agent`` since."""
    moved = [{"kind": one["kind"], "id": one["id"], "field": _camel(one["path"])} for one in made.get("moved", ())]
    return {**made, "moved": moved}


def _camel(path: str) -> str:
    field, dot, key = path.partition(".")
    first, *others = field.split("_")
    return first + "".join(word.capitalize() for word in others) + dot + key


CONTACT_MERGE: Decider[MergeCommand, MergeEvent, ContactMerge] = Decider(
    stream_type="contact_merge",
    state=ContactMerge,
    commands=(
        BeginContactMerge,
        MoveInContactMerge,
        RecordContactMerge,
        CallOffContactMerge,
        UndoContactMerge,
        PutBackInContactMerge,
        EraseContactMerge,
    ),
    events=(
        ContactMergeBegun,
        ContactMergeMoved,
        ContactMergeCarriedOut,
        ContactMergeCalledOff,
        ContactMergeReversed,
        ContactMergeMovedBack,
        ContactMergeErased,
    ),
    decide=decide,
    evolve=evolve,
    delete=EraseContactMerge,
    former=(Former(ContactMergeMade, ContactMergeCarriedOut, upcast=_called_as_callers_do),),
)
