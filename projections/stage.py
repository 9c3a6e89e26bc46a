"""Stage rows, in the order of their pipelines."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from domain.stage import STAGE, Stage
from eventstore.database import Db
from eventstore.rows import Current
from projections.table.column import FOLDED, ID, NUMBER, TEXT, WHOLE, Column
from projections.table.rows import RowTable
from projections.table.showing import shown
from schemas.stage import StageView

STAGES: RowTable[Stage] = RowTable(
    name="stages",
    decider=STAGE,
    version=2,
    columns=(
        Column("pipeline_id", ID),
        Column("name", FOLDED),
        Column("position", WHOLE, lambda stage: stage.order, wire="order"),
        Column("type", TEXT),
        Column("probability", NUMBER),
    ),
    times=(),
)


def views(_: Db, stages: Sequence[Current[Stage]]) -> list[StageView]:
    return [shown(StageView, stage) for stage in stages]


def of(conn: Db, pipelines: Sequence[UUID]) -> list[Current[Stage]]:
    """The stages of these pipelines, in order."""
    rows = conn.execute(
        f"SELECT id, state::text, version, created_at, updated_at FROM {STAGES.table}"
        " WHERE workspace_id = %s AND pipeline_id = ANY(%s) ORDER BY position, id",
        (conn.workspace_id, list(pipelines)),
    )
    return [STAGES.current(row) for row in rows]


def lock_order(conn: Db, pipeline_id: UUID) -> None:
    """Waits for others that are changing the order of the pipeline's stages, and keeps more from it until commit."""
    conn.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"{conn.workspace_id} stages of {pipeline_id}",)
    )
