"""Carrying out the rows of an import, up to a thousand in one unit of work: each is accepted or refused by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Literal
from uuid import UUID

from application.importing.match import Matcher
from application.importing.rows import Entry, ImportPlan, Row, entries
from application.importing.tags import ChunkTags
from domain.contact import CONTACT, Contact, CreateContact, TagContact, UpdateContact
from domain.kernel import FieldError, Refused, invalid
from domain.tag import TagRef
from domain.workspace import WORKSPACE
from eventstore.ids import new_id
from eventstore.rows import Current
from eventstore.unit_of_work import Work
from projections import membership as memberships
from projections.job_queue import Progress
from schemas.job import RowError, row_error

Outcome = Literal["created", "updated", "skipped"]

ROW: Final = "row"
"""What an error names when it is of no one field."""


@dataclass(frozen=True)
class ChunkResult:
    """What the rows came to; an error for each field at fault of each row at fault."""

    progress: Progress
    errors: list[RowError]


def import_chunk(unit: Work, plan: ImportPlan, first_row: int, rows: Sequence[Row]) -> ChunkResult:
    """Creates and updates contacts as the rows say. A refused row leaves nothing behind and is no refusal of the others."""
    unit.looked_first = True
    chunk = list(entries(plan, first_row, rows))
    region = _phone_region(unit)
    tags = ChunkTags(unit, plan.tag_ids, chunk)
    importer = _Importer(unit, plan, region, tags, Matcher(unit, chunk, region, plan.visible_to))
    outcomes: Counter[str] = Counter()
    errors: list[RowError] = []
    faulty = 0
    for entry in chunk:
        try:
            outcomes[unit.all_or_nothing(partial(importer.carry_out, entry))] += 1
        except Refused as refusal:
            faulty += 1
            errors += _row_errors(entry, refusal)
    counts = {"created": 0, "updated": 0, "skipped": 0, **outcomes, "errors": faulty}
    return ChunkResult(Progress(len(chunk), counts), errors)


def _phone_region(unit: Work) -> str:
    """The country of phone numbers written without one."""
    workspace = unit.load(WORKSPACE, [unit.origin.workspace_id]).get(unit.origin.workspace_id)
    return "US" if workspace is None else workspace.state.phone_region


def _row_errors(entry: Entry, refusal: Refused) -> list[RowError]:
    """One for each field: what is wrong with it in several ways is one error."""
    messages: dict[str, list[str]] = {}
    for detail in refusal.details or [FieldError(field=ROW, message=refusal.message)]:
        messages.setdefault(detail.field, []).append(detail.message)
    return [
        row_error(entry.number, entry.line, name, "; ".join(dict.fromkeys(said))) for name, said in messages.items()
    ]


@dataclass
class _Importer:
    """Carries out one row after another, each in the light of those before."""

    unit: Work
    plan: ImportPlan
    region: str
    tags: ChunkTags
    matcher: Matcher
    members: dict[UUID, bool] = field(default_factory=dict)

    def carry_out(self, entry: Entry) -> Outcome:
        if entry.blank:
            return "skipped"
        if entry.errors:
            raise self._unreadable(entry)
        contact = self.matcher.find(entry)
        if contact is None:
            self.matcher.remember(self._create(entry))
            return "created"
        if self.plan.skip_duplicates:
            return "skipped"
        if self.plan.visible_to not in (None, contact.state.assigned_to):
            raise invalid("email", "belongs to a contact that is assigned to someone else")
        return "updated" if self._update(contact, entry) else "skipped"

    def _create(self, entry: Entry) -> Current[Contact]:
        fields = entry.fields
        if self.plan.visible_to is not None and fields.get("assigned_to") is None:
            fields["assigned_to"] = self.plan.visible_to
        self._check_assignee(entry)
        command = CreateContact(**fields, tags=tuple(self._tags(entry)), phone_region=self.region)
        return self.unit.begin(CONTACT, new_id(), command)

    def _update(self, contact: Current[Contact], entry: Entry) -> bool:
        """Whether there was anything to change."""
        self._check_assignee(entry)
        staged = len(self.unit.staged)
        self.unit.execute(CONTACT, contact.id, UpdateContact(**entry.fields, phone_region=self.region))
        if refs := self._tags(entry):
            self.unit.execute(CONTACT, contact.id, TagContact(tags=tuple(refs)))
        return len(self.unit.staged) > staged

    def _tags(self, entry: Entry) -> list[TagRef]:
        return [*self.tags.of_all, *self.tags.named(entry.tags), *self.tags.existing(entry.tag_ids)]

    def _check_assignee(self, entry: Entry) -> None:
        assignee = entry.fields.get("assigned_to")
        if assignee is None:
            return
        if assignee not in self.members:
            self.members[assignee] = memberships.is_member(self.unit.conn, assignee)
        if not self.members[assignee]:
            raise invalid("assignedTo", "must be the id of a member of this workspace")

    def _unreadable(self, entry: Entry) -> Refused:
        """What could not be read, and what else is wrong with the row, so that one look is enough to mend it."""
        details = list(entry.errors)
        if entry.fields:
            try:
                CONTACT.decide(CreateContact(**entry.fields, phone_region=self.region), None)
            except Refused as refusal:
                details += refusal.details
        return Refused("validation_failed", "The row cannot be read.", details=details)
