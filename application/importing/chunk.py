"""Carrying out the rows of an import, up to a thousand in one unit of work: each is accepted or refused by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Generic, Literal, TypeVar
from uuid import UUID

from application.importing.importer import Commands, Entry, Importer, Matcher, Plan
from application.importing.rows import Row, entries
from application.working.job import Step
from domain.kernel import FieldError, Refused, State
from domain.kernel.fields import references
from eventstore.database import wait_for_turn
from eventstore.work import Work
from projections.job_queue import Progress
from schemas.job import RowError, row_error

Outcome = Literal["created", "updated", "skipped"]

ROW: Final = "row"
"""What an error names when it is of no one field."""

S = TypeVar("S", bound=State)


def import_chunk(unit: Work, importer: Importer[S], plan: Plan, first_row: int, rows: Sequence[Row]) -> Step:
    """Creates and updates things as the rows say. A refused row leaves nothing behind and is no refusal of the others."""
    unit.looked_first = True
    unit.origin = replace(unit.origin, visible_to=plan.visible_to)  # as who has asked for it, whoever carries it out
    chunk = list(entries(importer, plan, first_row, rows))
    for reference in references(importer.decider.state):
        found = (entry.fields.get(reference.field) for entry in chunk)
        unit.standing.of(reference.to.kind, [key for key in found if isinstance(key, UUID)])
    commands = importer.commands(unit, plan, chunk)
    wait_for_turn(unit.conn, importer.kind)  # what others are making of the same rows is there to be found then
    carrier = _Carrier(unit, importer, plan, commands, importer.match(unit, plan, chunk, commands))
    outcomes: Counter[str] = Counter()
    errors = _lost(commands, chunk)
    faulty = 0
    for entry in chunk:
        try:
            outcomes[unit.all_or_nothing(partial(carrier.carry_out, entry))] += 1
        except Refused as refusal:
            faulty += 1
            errors += _row_errors(entry, refusal)
    counts = {"created": 0, "updated": 0, "skipped": 0, **outcomes, "errors": faulty}
    return Step(Progress(len(chunk), counts), errors)


def _lost(commands: Commands[S], chunk: Sequence[Entry]) -> list[RowError]:
    """What the rows go without is said with the first of them."""
    return [
        row_error(first.number, first.line, lost.field, lost.message) for first in chunk[:1] for lost in commands.lost()
    ]


def _row_errors(entry: Entry, refusal: Refused) -> list[RowError]:
    """One for each field: what is wrong with it in several ways is one error."""
    messages: dict[str, list[str]] = {}
    for detail in refusal.details or [FieldError(field=ROW, message=refusal.message)]:
        messages.setdefault(detail.field, []).append(detail.message)
    return [
        row_error(entry.number, entry.line, name, "; ".join(dict.fromkeys(said))) for name, said in messages.items()
    ]


@dataclass
class _Carrier(Generic[S]):
    """Carries out one row after another, each in the light of those before."""

    unit: Work
    importer: Importer[S]
    plan: Plan
    commands: Commands[S]
    matcher: Matcher[S]

    def carry_out(self, entry: Entry) -> Outcome:
        if entry.blank:
            return "skipped"
        if entry.errors:
            raise self._unreadable(entry)
        found = self.matcher.find(entry)
        if found is None:
            self.matcher.remember(self.commands.create(entry))
            return "created"
        if self.plan.skip_duplicates:
            return "skipped"
        staged = len(self.unit.staged)
        self.commands.update(found, entry)
        return "updated" if len(self.unit.staged) > staged else "skipped"

    def _unreadable(self, entry: Entry) -> Refused:
        """What could not be read, and what else is wrong with the row, so that one look is enough to mend it."""
        details = list(entry.errors)
        if entry.fields:
            try:
                self.commands.draft(entry)
            except Refused as refusal:
                details += refusal.details
        return Refused("validation_failed", "The row cannot be read.", details=details)
