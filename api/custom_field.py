"""Custom fields over HTTP: what a workspace defines that its contacts, companies and deals have besides."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter, RequestBody

from api.http.answers import Json
from api.http.ask import Act, Ask, Change
from api.http.paging import said_once
from api.http.recall import Recall
from api.http.routes import delete, get, patch, post
from application import custom_field as fields
from domain.custom_field import CUSTOM_FIELD, ContactType, DeleteCustomField, Entity
from domain.custom_field_type import DISPLAYED
from projections import custom_field as rows
from schemas.custom_field import CustomFieldPatch, CustomFieldView, FieldTypeView, NewCustomField
from schemas.job import JobView
from schemas.wire.page import One

OfEntity = Annotated[Entity | None, QueryParameter(description="Only those of contacts, companies or deals.")]
OfType = Annotated[
    ContactType | None,
    QueryParameter(name="contactType", description="Only those of contacts that persons, or organizations, have."),
]
OfTypeToo = Annotated[
    ContactType | None, QueryParameter(name="contact_type", description="Another name for `contactType`.")
]
InFolder = Annotated[
    str | None, QueryParameter(max_length=255, description="Only those in this folder, whatever its case and accents.")
]

_NEW: Final = {
    "name": "Membership Level",
    "key": "membership_level",
    "type": "select",
    "entity": "contact",
    "options": ["gold", "silver", "bronze"],
}


class CustomFieldController(Controller):
    path = "/custom-fields"
    tags = ["Custom fields"]  # noqa: RUF012 - what Litestar reads

    @get(operation_id="listCustomFields", summary="List custom fields", scope="custom-fields:read")
    def list_custom_fields(
        self,
        ask: NamedDependency[Ask],
        entity: OfEntity = None,
        contact_type: OfType = None,
        contact_type_too: OfTypeToo = None,
        folder: InFolder = None,
    ) -> Json[One[list[CustomFieldView]]]:
        """All of them at once, those of each entity in their order."""
        wanted = said_once({"contactType": contact_type, "contact_type": contact_type_too})
        with ask.reading() as conn:
            found = rows.listed(conn, entity, wanted, folder)
            return ask.told(rows.views(conn, found))

    @get("/types", operation_id="listCustomFieldTypes", summary="List the types of fields", scope="custom-fields:read")
    def list_types(self, ask: NamedDependency[Ask]) -> Json[One[list[FieldTypeView]]]:
        """What a custom field can be, with the name that people are shown."""
        return ask.told([FieldTypeView(value=value, name=name) for value, name in DISPLAYED.items()])

    @post(operation_id="createCustomField", summary="Define a field", scope="custom-fields:write", example=_NEW)
    def create_custom_field(
        self, act: NamedDependency[Act], data: RequestBody[NewCustomField]
    ) -> Json[One[CustomFieldView]]:
        """Values under its key in `customFields` are held to it from here on; those that are there already stay as they are.
        `key` is one of its entity's (422 names the field that has it). `maxLength` is for `text`, `options` for `select`,
        `multi_select` and `pick_list`, `allowMultiple` for `pick_list`; for other types they are left out.
        """
        return act.create(lambda unit: fields.create(unit, data), fields.view)

    @get("/{custom_field_id:uuid}", operation_id="getCustomField", summary="Get one field", scope="custom-fields:read")
    def get_custom_field(
        self, recall: NamedDependency[Recall], custom_field_id: FromPath[UUID]
    ) -> Json[One[CustomFieldView]]:
        return recall.one(rows.CUSTOM_FIELDS, custom_field_id, rows.views)

    @patch(
        "/{custom_field_id:uuid}",
        operation_id="updateCustomField",
        summary="Change a field",
        scope="custom-fields:write",
        example={"name": "Level", "options": ["gold", "silver", "bronze", "none"]},
    )
    def update_custom_field(
        self, change: NamedDependency[Change], custom_field_id: FromPath[UUID], data: RequestBody[CustomFieldPatch]
    ) -> Json[One[CustomFieldView]]:
        """Its type, its key and whether several can be selected cannot change while there is data in it (422). An option
        that goes stays where it has been selected. Fields that an integration manages cannot be changed (403).
        """
        return change(lambda unit: fields.update(unit, custom_field_id, data, change.if_version), fields.view)

    @delete(
        "/{custom_field_id:uuid}",
        operation_id="deleteCustomField",
        summary="Delete a field and its values",
        scope="custom-fields:write",
        large=True,
    )
    def delete_custom_field(
        self, change: NamedDependency[Change], custom_field_id: FromPath[UUID]
    ) -> Json[One[JobView]]:
        """Every value of it goes: of up to 1,000 things at once, of more bit by bit by a job; nobody can give it a value
        meanwhile. Fields that an integration manages cannot be deleted (403).
        """
        return change.end(CUSTOM_FIELD, custom_field_id, DeleteCustomField())
