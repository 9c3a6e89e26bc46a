"""Imports of companies: which company a row is about, and what it has done."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

import msgspec

from application.importing.importer import Commands, Entry, Importer, Plan, Record
from application.importing.importing import as_jobs
from application.importing.plain import starting
from domain.company import COMPANY, Company, CreateCompany, UpdateCompany
from domain.company_import import (
    COMPANY_IMPORT,
    CancelCompanyImport,
    CompanyImportStarted,
    CompleteCompanyImport,
    FailCompanyImport,
    StartCompanyImport,
)
from domain.company_mapping import COMPANIES as FIELDS
from domain.kernel import FieldError, values
from domain.kernel.address import PostalAddress
from domain.kernel.changes import named
from domain.kernel.values import folded
from eventstore.ids import new_id
from eventstore.rows import Current
from eventstore.work import Work
from projections import company as companies

KIND: Final = "company_import"


def _details(form: UpdateCompany) -> dict[str, Any]:
    """The given fields by Python name; of an address the parts that are given."""
    fields = dict(named(form))
    if isinstance(fields.get("address"), PostalAddress):
        fields["address"] = _parts(fields["address"])
    return fields


def _parts(address: PostalAddress | None) -> dict[str, str]:
    return {part: text for part, text in msgspec.to_builtins(address or {}).items() if text is not None}


def _created(**fields: Any) -> CreateCompany:
    if isinstance(fields.get("address"), dict):
        fields["address"] = PostalAddress(**fields["address"])
    return CreateCompany(**{"name": "", **fields})


class CompanyCommands:
    """What the rows of a chunk have done to companies."""

    def __init__(self, unit: Work) -> None:
        self._unit = unit

    def draft(self, entry: Entry) -> Company:
        (created,) = COMPANY.decide(_created(**entry.fields), None)
        company = COMPANY.evolve(None, created)
        assert company is not None
        return company

    def create(self, entry: Entry) -> Current[Company]:
        return self._unit.begin(COMPANY, new_id(), _created(**entry.fields))

    def update(self, found: Current[Company], entry: Entry) -> None:
        """A part of an address that the row does not have stays."""
        fields = dict(entry.fields)
        if isinstance(fields.get("address"), dict):
            fields["address"] = PostalAddress(**{**_parts(found.state.address), **fields["address"]})
        self._unit.execute(COMPANY, found.id, UpdateCompany(**fields))

    def lost(self) -> list[FieldError]:
        return []


class ByName:
    """A row is about the company of its name, in any case; of several, the oldest."""

    def __init__(self, unit: Work, chunk: Sequence[Entry]) -> None:
        self._unit = unit
        self._names = {entry.number: key for entry in chunk if (key := _key(entry)) is not None}
        found = companies.by_names(unit.conn, list(set(self._names.values())))
        unit.know(COMPANY, found.values())
        self._known = {name: company.id for name, company in found.items()}

    def find(self, entry: Entry) -> Current[Company] | None:
        found = self._known.get(self._names.get(entry.number, ""))
        return None if found is None else self._unit.at_hand(COMPANY, found)

    def remember(self, made: Current[Company]) -> None:
        self._known.setdefault(folded(made.state.name), made.id)


def _key(entry: Entry) -> str | None:
    with suppress(ValueError):  # creating it says what is wrong with the name
        return folded(values.text(entry.fields.get("name", "")))
    return None


def _by_name(unit: Work, _: Plan, chunk: Sequence[Entry], __: Commands[Company]) -> ByName:
    return ByName(unit, chunk)


COMPANIES: Final[Importer[Company]] = Importer(
    kind=KIND,
    record=Record(COMPANY_IMPORT, StartCompanyImport, CompleteCompanyImport, FailCompanyImport, CancelCompanyImport),
    decider=COMPANY,
    form=UpdateCompany,
    details=_details,
    fields=lambda _: FIELDS,
    first=_created,
    somebody={"name": "Something"},
    commands=lambda unit, *_: CompanyCommands(unit),
    match=_by_name,
)

JOBS: Final = as_jobs(COMPANIES, CompanyImportStarted)

start: Final = starting(COMPANIES, FIELDS)
