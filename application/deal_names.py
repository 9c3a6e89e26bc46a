"""What the rows of an import of deals name in place of ids: looked up once for all rows of a chunk."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from itertools import chain
from typing import Any, Final
from uuid import UUID

from application.importing.importer import Entry
from domain.deal_mapping import NAMED
from domain.kernel import invalid, values
from domain.kernel.values import folded
from eventstore.work import Work
from projections import deal_match as matches
from projections import stage as stages
from projections.company import COMPANIES
from projections.contact import CONTACTS
from projections.contact_merge import leads_to
from projections.pipeline import LISTING, PIPELINES
from projections.table.rows import RowTable
from projections.user import USERS
from schemas.wire.page import PageRequest

_TABLES: Final[dict[str, tuple[RowTable[Any], str, str]]] = {
    "pipeline": (PIPELINES, "name", "pipeline"),
    "contact": (CONTACTS, "email", "contact"),
    "company": (COMPANIES, "name", "company"),
    "owner": (USERS, "email", "membership"),
}
"""Where each is, the column that it is found by, and the kind that its id is then held as; stages are found within their
pipeline.
"""


class Names:
    """A name stands for the one thing that has it, whatever its case and accents."""

    def __init__(self, unit: Work, chunk: Sequence[Entry], visible_to: UUID | None) -> None:
        self._unit = unit
        self._ids: dict[str, dict[str, list[UUID]]] = {}
        for field, (table, column, kind) in _TABLES.items():
            found = matches.ids(unit.conn, table, column, texts(chunk, field), visible_to)
            unit.standing.of(kind, chain.from_iterable(found.values()))
            self._ids[field] = found
        self._merged = _merged(unit, chunk)
        self._only = _only_pipeline(unit)
        self._stages: dict[UUID, list[tuple[str, UUID]]] = {}

    def resolved(self, entry: Entry, *, new: bool = False) -> dict[str, Any]:
        """The row's fields with ids in place of names; refuses naming the field that names nothing, or several things.

        ``new``: of a deal to be made, which is in the only pipeline, and in the first stage of its, unless it says.
        """
        fields = dict(entry.fields)
        if (contact_id := fields.get("contact_id")) in self._merged:
            fields["contact_id"] = self._merged[contact_id]
        for field in _TABLES:
            text = fields.pop(field, None)
            if text is not None and NAMED[field] not in fields:
                fields[NAMED[field]] = self._one(field, text)
        if new and "pipeline_id" not in fields:
            fields["pipeline_id"] = self._pipeline()
        stage = fields.pop("stage", None)
        if "stage_id" not in fields and (new or stage is not None):
            fields["stage_id"] = self._stage(fields.get("pipeline_id") or self._pipeline(), stage)
        return fields

    def _one(self, field: str, text: str) -> UUID:
        found = self._ids[field].get(folded(text.strip()), [])
        if len(found) != 1:
            message = "there is none of this name" if not found else "several are of this name; give the id"
            raise invalid(field, message)
        return found[0]

    def _pipeline(self) -> UUID:
        if self._only is None:
            raise invalid("pipeline", "must be named: there is not one pipeline alone")
        return self._only

    def _stage(self, pipeline_id: UUID, name: str | None) -> UUID:
        known = self._stages.get(pipeline_id)
        if known is None:
            found = stages.of(self._unit.conn, [pipeline_id])
            known = self._stages[pipeline_id] = [(folded(stage.state.name), stage.id) for stage in found]
        wanted = [stage for called, stage in known if name is None or called == folded(name.strip())]
        if not wanted:
            raise invalid("stage", "there is none of this name in the pipeline")
        return wanted[0]


def texts(chunk: Sequence[Entry], field: str) -> set[str]:
    """What the rows have there, as things are found by it; not what nothing could be called."""
    return {key for entry in chunk if isinstance(text := entry.fields.get(field), str) and (key := _key(text))}


def _key(text: str) -> str | None:
    with suppress(ValueError):
        return folded(values.text(text))
    return None


def _merged(unit: Work, chunk: Sequence[Entry]) -> dict[Any, UUID]:
    """Of the contacts that rows name by id, those that were merged into others: which ones."""
    ids = {key for entry in chunk if isinstance(key := entry.fields.get("contact_id"), UUID)}
    return {key: leads_to(unit.conn, key) for key in ids - unit.standing.of("contact", ids)}


def _only_pipeline(unit: Work) -> UUID | None:
    found = LISTING.fetch(unit.conn, PageRequest(limit=2)).rows
    return found[0].id if len(found) == 1 else None
