"""What a field's type says is read wherever in the type it stands."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import pytest
from msgspec import UNSET, Meta, UnsetType

from domain.kernel import Command, Refused, State
from domain.kernel.fields import Kept, Refers, kept, references


def shout(value: str) -> str:
    if not value:
        raise ValueError("must say something")
    return value.upper()


Loud = Annotated[str, Kept(shout), Meta(description="Loud.")]


class Say(Command):
    other: Annotated[Loud, Meta(description="Another.")]
    first_word: Loud | UnsetType | None = UNSET
    plain: str = ""


class Thing(State):
    owner_id: Annotated[UUID, Refers("owner", on_end="refuse")] | None = None
    part_ids: tuple[Annotated[UUID, Refers("part", counted=True)], ...] = ()
    name: str = ""


ONE, TWO = UUID(int=1), UUID(int=2)


def test_values_are_kept_as_their_type_says() -> None:
    assert kept(Say(first_word="a", other="b", plain="c")) == {"first_word": "A", "other": "B", "plain": "c"}


def test_what_is_not_given_and_null_stay_so() -> None:
    assert kept(Say(other="b")) == {"other": "B", "plain": ""}
    assert kept(Say(first_word=None, other="b"))["first_word"] is None


def test_all_that_is_wrong_is_said_at_once_under_the_wire_names() -> None:
    with pytest.raises(Refused) as caught:
        kept(Say(first_word="", other=""))
    assert [detail.field for detail in caught.value.details] == ["other", "firstWord"]


def test_references_are_found_with_what_they_refer_to() -> None:
    owner, part = references(Thing)
    assert (owner.field, owner.wire, owner.to.kind, owner.to.on_end, owner.many) == (
        "owner_id", "ownerId", "owner", "refuse", False,
    )  # fmt: skip
    assert (part.field, part.wire, part.to.kind, part.to.counted, part.many) == (
        "part_ids", "partIds", "part", True, True,
    )  # fmt: skip


def test_a_state_says_what_it_refers_to() -> None:
    owner, part = references(Thing)
    thing = Thing(owner_id=ONE, part_ids=(ONE, TWO))
    assert (owner.ids(thing), part.ids(thing)) == ((ONE,), (ONE, TWO))
    assert (owner.ids(Thing()), part.ids(None)) == ((), ())
