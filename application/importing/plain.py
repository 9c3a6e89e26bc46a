"""Imports that know no more of a thing than its fields: no tags, and nothing that is the same for all but constants."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from application.calling.caller import Caller
from application.importing.constants import constants, fixed
from application.importing.importer import Importer, Plan
from application.importing.importing import begin, start
from application.importing.source import Source, table
from domain.importing.fields import Fields
from eventstore.work import Work
from schemas.job_import import ImportAnswer, ImportOptions


def starting(importer: Importer[Any], known: Fields) -> Callable[..., ImportAnswer]:
    """What starts an import of things with these fields."""

    def started(
        unit: Work, caller: Caller, import_id: UUID, source: Source, options: ImportOptions, *, as_job: bool = False
    ) -> ImportAnswer:
        """Carries out a small import at once, and makes a job of a larger one, or of one that is wanted ``as_job``."""
        begin(unit, importer, import_id, source)
        same, _ = constants(importer, options.constant_values or {}, {})
        rows = table(source, known, options.mapping, fixed(known, same))
        plan = Plan(
            form=source.form,
            constants=same,
            mapping=rows.mapping,
            skip_duplicates=options.skip_duplicates,
            visible_to=caller.visible_to,
        )
        return start(unit, caller, importer, import_id, plan, rows, as_job=as_job)

    return started
