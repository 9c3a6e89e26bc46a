"""An importer in a workspace of its own, for tests."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from uuid import UUID

import msgspec

from application import contact_import as imports
from application import job as jobs
from application.calling.caller import Caller
from application.catalogue import KINDS
from application.importing.source import Source
from application.working import job as working
from domain.contact import CONTACT, Contact, CreateContact
from domain.membership import MEMBERSHIP, GrantMembership, Role
from eventstore.append import Origin
from eventstore.database import Pool, connection, reading
from eventstore.ids import new_id
from eventstore.rows import Current
from eventstore.unit_of_work import EventStore
from eventstore.work import Work
from projections import job as rows
from projections import job_queue as queue
from projections.contact import CONTACTS
from projections.job_queue import Claimed
from schemas.contact_import import ContactImportOptions
from schemas.job import JobView, RowError
from schemas.job_import import ImportAnswer


def raw(items: Iterable[Any]) -> list[msgspec.Raw]:
    return [msgspec.Raw(json.dumps(item).encode()) for item in items]


def csv_of(*lines: str) -> bytes:
    return "\n".join(lines).encode()


@dataclass(frozen=True)
class Importing:
    """Imports as its caller; ``work`` does, as workers do, what was put off."""

    store: EventStore
    pool: Pool
    worker_pool: Pool
    caller: Caller

    @property
    def workspace(self) -> UUID:
        return self.caller.workspace_id

    def member(self, role: Role = "member", *, assigned_only: bool = False) -> Importing:
        """The same as a new member."""
        account = new_id()
        grant = GrantMembership(user_id=account, role=role, assigned_only=assigned_only)
        self.store.run(self.caller.origin(), lambda unit: unit.begin(MEMBERSHIP, new_id(), grant))
        return replace(self, caller=Caller(self.workspace, account, role, "enterprise", assigned_only=assigned_only))

    def contacts(self, *items: Any, as_job: bool = False, **options: Any) -> ImportAnswer:
        return self._start(Source(things=raw(items), noun="contacts"), options, as_job=as_job)

    def rows(self, *items: Any, as_job: bool = False, **options: Any) -> ImportAnswer:
        return self._start(Source(rows=raw(items)), options, as_job=as_job)

    def csv(self, *lines: str, as_job: bool = False, **options: Any) -> ImportAnswer:
        return self.file(csv_of(*lines), as_job=as_job, **options)

    def file(self, content: bytes, *, as_job: bool = False, **options: Any) -> ImportAnswer:
        return self._start(Source(file=io.BytesIO(content)), options, as_job=as_job)

    def _start(self, source: Source, options: dict[str, Any], *, as_job: bool) -> ImportAnswer:
        import_id = new_id()
        origin = replace(self.caller.origin(), correlation_id=import_id)
        wanted = ContactImportOptions(**options)

        def work(unit: Work) -> ImportAnswer:
            return imports.start(unit, self.caller, import_id, source, wanted, as_job=as_job)

        return self.store.run(origin, work, bulk=True).value

    def create(self, **fields: Any) -> Current[Contact]:
        return self.store.run(self.caller.origin(), lambda unit: self._create(unit, fields)).value

    def _create(self, unit: Work, fields: dict[str, Any]) -> Current[Contact]:
        return unit.begin(CONTACT, new_id(), CreateContact(**fields))

    def all(self) -> list[Contact]:
        """All contacts there are, in the order in which they were made."""
        with reading(self.pool, self.workspace) as conn:
            found = conn.execute(
                f"SELECT id, state::text, version, created_at, updated_at FROM {CONTACTS.table}"
                " WHERE workspace_id = current_workspace() ORDER BY created_at, id"
            )
            return [CONTACTS.current(row).state for row in found.fetchall()]

    def claim(self, seconds: float = 10) -> Claimed | None:
        with connection(self.worker_pool) as conn:
            return queue.claim(conn, list(KINDS), seconds=seconds)

    def work(self) -> int:
        """Works on jobs until there is nothing to do; answers how many steps that were."""
        count = 0
        while (job := self.claim()) is not None:
            assert self.step(job)
            count += 1
        return count

    def step(self, job: Claimed) -> bool:
        """One step of a job; false when it was lost."""
        store = replace(self.store, pool=self.worker_pool)
        return store.run(job.origin, partial(working.work_on, claimed=job, kinds=KINDS), bulk=True).value

    def give_up(self, job: Claimed) -> bool:
        return self.store.run(job.origin, partial(working.give_up, claimed=job, kinds=KINDS)).value

    def cancel(self, job_id: UUID) -> JobView:
        return self.store.run(self.origin, lambda unit: jobs.cancel(unit, self.caller, job_id, KINDS)).value

    def job(self, job_id: UUID) -> JobView:
        with reading(self.pool, self.workspace) as conn:
            found = rows.one(conn, self.workspace, job_id, None)
        assert found is not None
        return found

    @property
    def origin(self) -> Origin:
        return self.caller.origin()


def counts(answer: ImportAnswer | JobView) -> tuple[int, int, int, int]:
    """Created, updated, skipped and at fault, of an answer in which every row is accounted for."""
    errors = answer.error_count if isinstance(answer, ImportAnswer) else answer.errors
    found = (answer.created, answer.updated, answer.skipped, errors)
    assert sum(found) == answer.total
    return found


def at_fault(errors: Iterable[RowError]) -> list[tuple[int, str]]:
    """Row and field of each error."""
    return [(error.row, error.field) for error in errors]
