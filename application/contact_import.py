"""Imports of contacts: what columns may be for, which contact a row is about, and what it has done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from application import contact as contacts
from application import tag as tags
from application.calling.caller import Caller
from application.contact_match import ContactMatcher
from application.importing.constants import constants, fixed
from application.importing.importer import Entry, Importer, Plan, Record
from application.importing.importing import as_jobs, begin
from application.importing.importing import start as start_import
from application.importing.source import Source, table
from application.tag_import import ChunkTags
from domain.contact import CONTACT, Contact, CreateContact, TagContact, UpdateContact
from domain.contact_import import CONTACT_IMPORT, CancelImport, CompleteImport, FailImport, ImportStarted, StartImport
from domain.contact_mapping import ORGANIZATIONS, PEOPLE
from domain.importing.fields import Fields
from domain.kernel import FieldError, invalid
from domain.tag import TAG, TagRef
from domain.workspace import WORKSPACE
from eventstore.ids import new_id
from eventstore.rows import Current
from eventstore.work import Work
from projections import contact as contact_rows
from schemas.contact import NewContact
from schemas.contact_import import ContactImportOptions
from schemas.job_import import ImportAnswer

KIND: Final = "contact_import"


def start(
    unit: Work, caller: Caller, import_id: UUID, source: Source, options: ContactImportOptions, *, as_job: bool = False
) -> ImportAnswer:
    """Carries out a small import at once, and makes a job of a larger one, or of one that is wanted ``as_job``."""
    begin(unit, CONTACTS, import_id, source)
    own = {} if options.source is None else {"source": options.source}
    same, tag_names = constants(CONTACTS, options.constant_values or {}, own)
    known = _fields(same)
    rows = table(source, known, options.mapping, fixed(known, same))
    refs = [*tags.named(unit, [*(options.tags or []), *tag_names]), *tags.existing(unit, options.tag_ids or [])]
    on_all = {ref.id: ref.name for ref in refs}
    unit.standing.hold(TAG.stream_type, on_all, "tags")
    plan = Plan(
        form=source.form,
        constants=same,
        mapping=rows.mapping,
        tag_ids=tuple(on_all),
        tag_names=tuple(on_all.values()),
        skip_duplicates=options.skip_duplicates,
        visible_to=caller.visible_to,
    )
    return start_import(unit, caller, CONTACTS, import_id, plan, rows, as_job=as_job)


def _fields(same: NewContact) -> Fields:
    return ORGANIZATIONS if same.type == "organization" else PEOPLE


def _named(name: str, fields: Mapping[str, Any], same: NewContact) -> dict[str, Any]:
    """A whole name as the fields it goes to: of an organization the company, of a person first and last name."""
    if "organization" in (same.type, fields.get("type")) and "company" not in fields:
        return {"company": name}
    return {part: value for part, value in contacts.details(NewContact(name=name)).items() if value is not None}


class ContactCommands:
    """What the rows of a chunk have done to contacts."""

    def __init__(self, unit: Work, plan: Plan, chunk: Sequence[Entry]) -> None:
        self._unit = unit
        self._plan = plan
        self._region = _phone_region(unit)
        self._tags = ChunkTags(unit, plan, chunk)

    def draft(self, entry: Entry) -> Contact:
        (created,) = CONTACT.decide(CreateContact(**entry.fields, phone_region=self._region), None)
        contact = CONTACT.evolve(None, created)
        assert contact is not None
        return contact

    def create(self, entry: Entry) -> Current[Contact]:
        fields = entry.fields
        command = CreateContact(**fields, tags=tuple(self._borne(entry)), phone_region=self._region)
        return self._unit.begin(CONTACT, new_id(), command)

    def update(self, found: Current[Contact], entry: Entry) -> None:
        if not contact_rows.CONTACTS.visible(self._unit.conn, found, self._plan.visible_to):
            raise invalid("email", "belongs to a contact that is assigned to someone else")
        self._unit.execute(CONTACT, found.id, UpdateContact(**entry.fields, phone_region=self._region))
        if refs := self._borne(entry):
            self._unit.execute(CONTACT, found.id, TagContact(tags=tuple(refs)))

    def lost(self) -> list[FieldError]:
        return self._tags.lost()

    def _borne(self, entry: Entry) -> list[TagRef]:
        return [*self._tags.of_all, *self._tags.named(entry.tags), *self._tags.existing(entry.tag_ids)]


def _phone_region(unit: Work) -> str:
    """The country of phone numbers written without one."""
    workspace = unit.load(WORKSPACE, [unit.origin.workspace_id]).get(unit.origin.workspace_id)
    return "US" if workspace is None else workspace.state.phone_region


CONTACTS: Final[Importer[Contact]] = Importer(
    kind=KIND,
    record=Record(CONTACT_IMPORT, StartImport, CompleteImport, FailImport, CancelImport),
    decider=CONTACT,
    form=NewContact,
    details=contacts.details,
    fields=_fields,
    first=CreateContact,
    somebody={"first_name": "Somebody"},
    commands=ContactCommands,
    match=ContactMatcher,
    whole=_named,
)

JOBS: Final = as_jobs(CONTACTS, ImportStarted)
