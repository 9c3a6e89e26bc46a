"""A custom field: what a workspace has defined that its contacts, companies or deals have besides."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal, assert_never

import msgspec
from msgspec import UNSET, Meta, UnsetType

from domain.custom_field_type import SELECTS, FieldType, kept_value, refers_to
from domain.kernel import Command, Decider, Event, Refused, State, Value, invalid, not_found, values
from domain.kernel.changes import applied, difference, named
from domain.kernel.fields import Kept, kept
from domain.kernel.types import Line, Name
from domain.kernel.values import CustomValue

Entity = Literal["contact", "company", "deal"]
ContactType = Literal["person", "organization"]
Scope = Literal["core", "global_internal", "workspace"]

MAX_OPTIONS: Final = 500
DEFAULT_LENGTH: Final = 255
MAX_ORDER: Final = 1_000_000

_KEY: Final = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")


def key(value: str) -> str:
    """Snake case: lower case letters, digits and underscores, of which the first is a letter."""
    if not _KEY.match(value):
        raise ValueError("must be 1 to 64 lower case letters, digits and underscores, beginning with a letter")
    return value


def options(given: tuple[str, ...]) -> tuple[str, ...] | None:
    """Each of them once, whatever its case; none at all is no list."""
    if len(given) > MAX_OPTIONS:
        raise ValueError(f"must have at most {MAX_OPTIONS} entries")
    found = [values.text(option) for option in given]
    if len({values.folded(option) for option in found}) < len(found):
        raise ValueError("must not have an option twice")
    return tuple(found) or None


def length(value: int) -> int:
    if not 1 <= value <= values.MAX_LONG_TEXT:
        raise ValueError(f"must be 1 to {values.MAX_LONG_TEXT}")
    return value


def order(value: int) -> int:
    if not 0 <= value <= MAX_ORDER:
        raise ValueError(f"must be 0 to {MAX_ORDER}")
    return value


FieldName = Annotated[Name, Meta(description="What people call it.")]
Key = Annotated[
    str, Kept(key), Meta(description="Under which key values have it; snake case, and one of its entity's.")
]
Type = Annotated[FieldType, Meta(description="What its values are.")]
OfEntity = Annotated[Entity, Meta(description="What has it.")]
OfContactType = Annotated[ContactType, Meta(description="Which contacts have it; null: all of them.")]
Required = Annotated[bool, Meta(description="Whether everything that is made from now on needs a value.")]
Options = Annotated[
    tuple[str, ...],
    Kept(options),
    Meta(description="What can be selected; of `select`, `multi_select` and `pick_list`."),
]
AllowMultiple = Annotated[bool, Meta(description="Whether several can be selected; of `pick_list`.")]
MaxLength = Annotated[int, Kept(length), Meta(description="The most characters of a `text`; 255 unless given.")]
IntegrationId = Annotated[
    Line, Meta(description="The integration that manages it; such a field cannot be changed or deleted here.")
]
InScope = Annotated[Scope, Meta(description="How far it is meant to reach: a label of yours.")]
Folder = Annotated[Line, Meta(description="The folder that people find it in.")]
SortOrder = Annotated[int, Kept(order), Meta(description="Its place among the others, from 0.")]


class CustomFieldDetails(Value):
    name: FieldName
    key: Key
    type: Type
    entity: OfEntity
    contact_type: OfContactType | None = None
    required: Required = False
    options: Options | None = None
    allow_multiple: AllowMultiple = False
    max_length: MaxLength | None = None
    integration_id: IntegrationId | None = None
    scope: InScope = "workspace"
    folder: Folder | None = None
    sort_order: SortOrder = 0


class CustomFieldChanges(Value):
    """The fields of a definition that can change."""

    name: FieldName | UnsetType = UNSET
    key: Key | UnsetType = UNSET
    type: Type | UnsetType = UNSET
    required: Required | UnsetType = UNSET
    options: Options | UnsetType | None = UNSET
    allow_multiple: AllowMultiple | UnsetType = UNSET
    max_length: MaxLength | UnsetType | None = UNSET
    scope: InScope | UnsetType = UNSET
    folder: Folder | UnsetType | None = UNSET
    sort_order: SortOrder | UnsetType = UNSET


class CustomField(CustomFieldDetails, State):
    """What the values under its key may be."""

    @property
    def within(self) -> None:
        """All of its entity have it."""

    @property
    def many(self) -> bool:
        """Whether a value is a list."""
        return self.allow_multiple

    @property
    def refers(self) -> str | None:
        """The kind of thing whose id a value is."""
        return refers_to(self.type)

    @property
    def regional(self) -> bool:
        """Whether a value may be without its country."""
        return self.type == "phone"

    def fits(self, kind: str, state: State) -> bool:
        """Whether a thing of this kind, in this state, has the field."""
        return kind == self.entity and self.contact_type in (None, getattr(state, "type", None))

    def kept(self, value: CustomValue, region: str) -> CustomValue:
        """The value as it is kept; raises ``ValueError`` with what was expected.

        ``region``: the country of a phone number without a country code.
        """
        return kept_value(self, value, region)


class CreateCustomField(CustomFieldDetails, Command):
    """A field to define."""


class UpdateCustomField(CustomFieldChanges, Command):
    """What to change."""


class DeleteCustomField(Command):
    """Every value of it goes along."""


class CustomFieldCreated(CustomFieldDetails, Event, name="custom_field.created", action="created"):
    """A field was defined."""


class CustomFieldUpdated(Event, name="custom_field.updated", action="updated"):
    """The definition changed; values that were there stay as they are."""

    changed: CustomFieldChanges
    previous: CustomFieldChanges


class CustomFieldDeleted(Event, name="custom_field.deleted", action="deleted"):
    """Its values are gone; what they were is in the events before."""


CustomFieldCommand = CreateCustomField | UpdateCustomField | DeleteCustomField
CustomFieldEvent = CustomFieldCreated | CustomFieldUpdated | CustomFieldDeleted

_CHANGES: Final = CustomFieldChanges.__struct_fields__


def decide(command: CustomFieldCommand, field: CustomField | None) -> list[CustomFieldEvent]:
    match command, field:
        case CreateCustomField(), None:
            return [CustomFieldCreated(**_shaped(kept(command)))]
        case CreateCustomField(), _:
            raise Refused("conflict", "This custom field exists already.")
        case _, None:
            raise not_found("custom field")
        case UpdateCustomField(), CustomField():
            _check_own(field, "modified")
            return _updated(command, field)
        case DeleteCustomField(), CustomField():
            _check_own(field, "deleted")
            return [CustomFieldDeleted()]
        case never, _:
            assert_never(never)


def _check_own(field: CustomField, what: str) -> None:
    if field.integration_id is not None:
        raise Refused("permission_denied", f"This field is managed by an integration and cannot be {what}.")


def _updated(command: UpdateCustomField, field: CustomField) -> list[CustomFieldEvent]:
    whole = _shaped(msgspec.structs.asdict(field) | kept(command))
    changed, previous = difference({name: whole[name] for name in _CHANGES}, field)
    if not changed:
        return []
    return [CustomFieldUpdated(changed=CustomFieldChanges(**changed), previous=CustomFieldChanges(**previous))]


def _shaped(fields: dict[str, Any]) -> dict[str, Any]:
    """With what its type makes of the others: what is not of the type is left out, as the documents do."""
    kind = fields["type"]
    if fields["contact_type"] is not None and fields["entity"] != "contact":
        raise invalid("contactType", "is for fields of contacts")
    multiple = kind == "multi_select" or (kind == "pick_list" and fields["allow_multiple"])
    return shaped(fields) | {"allow_multiple": multiple}


def shaped(fields: dict[str, Any]) -> dict[str, Any]:
    """With options where there is something to select, and a length where there is text; refuses the one without the other."""
    selects = fields["type"] in SELECTS
    if selects and not fields["options"]:
        raise invalid("options", "must have at least one entry")
    return fields | {
        "options": fields["options"] if selects else None,
        "max_length": (fields["max_length"] or DEFAULT_LENGTH) if fields["type"] == "text" else None,
    }


def evolve(field: CustomField | None, event: CustomFieldEvent) -> CustomField | None:
    match event, field:
        case CustomFieldCreated(), _:
            return CustomField(**named(event))
        case CustomFieldUpdated(changed=changed), CustomField():
            return applied(field, changed)
        case ((CustomFieldUpdated() | CustomFieldDeleted()), _):
            return None
        case never, _:
            assert_never(never)


CUSTOM_FIELD: Decider[CustomFieldCommand, CustomFieldEvent, CustomField] = Decider(
    stream_type="custom_field",
    state=CustomField,
    commands=(CreateCustomField, UpdateCustomField, DeleteCustomField),
    events=(CustomFieldCreated, CustomFieldUpdated, CustomFieldDeleted),
    decide=decide,
    evolve=evolve,
    delete=DeleteCustomField,
)
