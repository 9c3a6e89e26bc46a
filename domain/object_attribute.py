"""An attribute: what the records of an object type have besides their title, and what values of it may be."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Final, Literal, assert_never
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from domain.custom_field import MaxLength, Options, SortOrder, shaped
from domain.custom_field_type import id_of, is_blank, kept_value
from domain.kernel import Command, Decider, Event, Refused, State, Value, invalid, not_found, values
from domain.kernel.changes import applied, difference, named
from domain.kernel.fields import Kept, Refers, kept
from domain.kernel.money import Currency, Money, money
from domain.kernel.types import Name
from domain.kernel.values import CustomValue

MAX_AMOUNT: Final = 10**15 - 1
"""In the smallest unit: a JSON number of no more digits is read by everybody as it was written."""

AttributeType = Literal[
    "text", "number", "currency", "select", "multi_select", "date", "datetime", "boolean", "url", "email", "phone",
    "relation",
]  # fmt: skip
Related = Literal["contact", "company", "deal", "object_record"]

OfType = Annotated[
    UUID, Refers("object_type", on_end="cascade"), Meta(description="The object type whose records have it.")
]
AttributeName = Annotated[Name, Meta(description="What people call it.")]
Key = Annotated[
    str, Kept(values.custom_key), Meta(description="Under which key records have values of it; one of its type's.")
]
Type = Annotated[AttributeType, Meta(description="What its values are.")]
Required = Annotated[bool, Meta(description="Whether every record that is made from now on needs a value.")]
OfCurrency = Annotated[
    Currency, Meta(description="Of a `currency`: which one, by its ISO 4217 code; USD unless given.")
]
RelatedTo = Annotated[Related, Meta(description="Of a `relation`: the kind of thing whose id a value is.")]


class ObjectAttributeDetails(Value):
    object_type_id: OfType
    name: AttributeName
    key: Key
    type: Type
    required: Required = False
    options: Options | None = None
    max_length: MaxLength | None = None
    currency: OfCurrency | None = None
    related_to: RelatedTo | None = None
    sort_order: SortOrder = 0


class ObjectAttributeChanges(Value):
    """The fields of an attribute that can change."""

    name: AttributeName | UnsetType = UNSET
    type: Type | UnsetType = UNSET
    required: Required | UnsetType = UNSET
    options: Options | UnsetType | None = UNSET
    max_length: MaxLength | UnsetType | None = UNSET
    currency: OfCurrency | UnsetType | None = UNSET
    related_to: RelatedTo | UnsetType | None = UNSET
    sort_order: SortOrder | UnsetType = UNSET


class ObjectAttribute(ObjectAttributeDetails, State):
    """What the values under its key may be."""

    @property
    def entity(self) -> str:
        """The kind of stream that has it."""
        return "object_record"

    @property
    def within(self) -> UUID:
        """The object type whose records have it."""
        return self.object_type_id

    @property
    def allow_multiple(self) -> bool:
        """Whether a value is a list of options."""
        return self.type == "multi_select"

    @property
    def refers(self) -> str | None:
        """The kind of thing whose id a value is."""
        return self.related_to

    @property
    def regional(self) -> bool:
        """Whether a value may be a phone number without a country code."""
        return self.type == "phone"

    def fits(self, _kind: str, _state: State) -> bool:
        """All records of its type have it."""
        return True

    def kept(self, value: CustomValue, region: str) -> CustomValue:
        """The value as it is kept; raises ``ValueError`` with what was expected. An amount is given in whole units of its
        currency, and kept in the smallest.
        """
        if is_blank(value):
            return None
        if self.type == "currency":
            return _least(value, self.currency or "")
        if self.type == "relation":
            return id_of(value, (self.related_to or "").replace("_", " "))
        return kept_value(self, value, region)

    def shown(self, value: Any) -> Any:
        """A value as callers see it: an amount in whole units. What is none, as whoever wrote it was not aware yet that
        there are to be amounts, stays as it is: it will be written again.
        """
        if self.type != "currency" or not isinstance(value, int):
            return value
        return Money(amount=value, currency=self.currency or "").decimal


def _least(value: CustomValue, currency: str) -> int:
    """An amount in whole units as a number of the smallest unit."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError("must be an amount, such as 42000.5")  # noqa: TRY004 - the caller's value, not a type of ours
    least = money(Decimal(repr(value)), currency).amount
    if abs(least) > MAX_AMOUNT:
        raise ValueError("must have at most 15 digits")
    return least


class CreateObjectAttribute(ObjectAttributeDetails, Command):
    """An attribute to define."""


class UpdateObjectAttribute(ObjectAttributeChanges, Command):
    """What to change. Its type, currency and what it relates to stay while records have values of it."""


class DeleteObjectAttribute(Command):
    """Every value of it goes along."""


class ObjectAttributeCreated(ObjectAttributeDetails, Event, name="object_attribute.created", action="created"):
    """An attribute was defined."""


class ObjectAttributeUpdated(Event, name="object_attribute.updated", action="updated"):
    """The definition changed; values that were there stay as they are."""

    changed: ObjectAttributeChanges
    previous: ObjectAttributeChanges


class ObjectAttributeDeleted(Event, name="object_attribute.deleted", action="deleted"):
    """Its values are gone; what they were is in the events before."""


AttributeCommand = CreateObjectAttribute | UpdateObjectAttribute | DeleteObjectAttribute
AttributeEvent = ObjectAttributeCreated | ObjectAttributeUpdated | ObjectAttributeDeleted

_CHANGES: Final = ObjectAttributeChanges.__struct_fields__


def decide(command: AttributeCommand, attribute: ObjectAttribute | None) -> list[AttributeEvent]:
    match command, attribute:
        case CreateObjectAttribute(), None:
            return [ObjectAttributeCreated(**_shaped(kept(command)))]
        case CreateObjectAttribute(), _:
            raise Refused("conflict", "This attribute exists already.")
        case _, None:
            raise not_found("attribute")
        case UpdateObjectAttribute(), ObjectAttribute():
            return _updated(command, attribute)
        case DeleteObjectAttribute(), ObjectAttribute():
            return [ObjectAttributeDeleted()]
        case never, _:
            assert_never(never)


def _updated(command: UpdateObjectAttribute, attribute: ObjectAttribute) -> list[AttributeEvent]:
    whole = _shaped(msgspec.structs.asdict(attribute) | kept(command))
    changed, previous = difference({name: whole[name] for name in _CHANGES}, attribute)
    if not changed:
        return []
    return [
        ObjectAttributeUpdated(changed=ObjectAttributeChanges(**changed), previous=ObjectAttributeChanges(**previous))
    ]


def _shaped(fields: dict[str, Any]) -> dict[str, Any]:
    """With what its type makes of the others: what is not of the type is left out."""
    kind = fields["type"]
    if kind == "relation" and fields["related_to"] is None:
        raise invalid("relatedTo", "must say what a relation is to")
    return shaped(fields) | {
        "currency": (fields["currency"] or "USD") if kind == "currency" else None,
        "related_to": fields["related_to"] if kind == "relation" else None,
    }


def evolve(attribute: ObjectAttribute | None, event: AttributeEvent) -> ObjectAttribute | None:
    match event, attribute:
        case ObjectAttributeCreated(), _:
            return ObjectAttribute(**named(event))
        case ObjectAttributeUpdated(changed=changed), ObjectAttribute():
            return applied(attribute, changed)
        case ((ObjectAttributeUpdated() | ObjectAttributeDeleted()), _):
            return None
        case never, _:
            assert_never(never)


OBJECT_ATTRIBUTE: Decider[AttributeCommand, AttributeEvent, ObjectAttribute] = Decider(
    stream_type="object_attribute",
    state=ObjectAttribute,
    commands=(CreateObjectAttribute, UpdateObjectAttribute, DeleteObjectAttribute),
    events=(ObjectAttributeCreated, ObjectAttributeUpdated, ObjectAttributeDeleted),
    decide=decide,
    evolve=evolve,
    delete=DeleteObjectAttribute,
)
