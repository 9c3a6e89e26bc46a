"""Events of a former shape, wherever a log is read: as the events that took their place."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from application import contact_merge_undo as undoings
from domain.catalogue import DECIDERS, FORMER
from domain.contact_merge import CONTACT_MERGE, ContactMergeCarriedOut
from domain.note import NOTE
from domain.tag import TAG, CreateTag
from eventstore.append import Origin
from eventstore.chain import canonical
from eventstore.database import Pool, reading
from eventstore.ids import new_id
from eventstore.mapper import EventMapper, UnreadableEventError, also_called, names_of
from eventstore.offline import verify_file
from eventstore.unit_of_work import EventStore
from eventstore.work import Work
from projections import activity, history
from projections.activity import ActivityQuery
from projections.catalogue import TABLES
from projections.contact_merge import CONTACT_MERGES
from projections.history import Subject
from projections.table.rebuild import rebuild
from projections.timeline import timeline
from projections.verify import verify
from schemas.contact_merge import UndoMerge
from schemas.wire.page import PageRequest
from tests.former import write_merge
from tests.logs import types, whole_log
from tests.projections.house import House

GOLDEN = Path(__file__).parent.parent / "golden"
Merged = tuple[UUID, UUID, UUID]


@pytest.fixture
def merged(store: EventStore, origin: Origin) -> Merged:
    return store.run(origin, lambda unit: write_merge(unit, new_id())).value


def test_old_bytes_are_read_as_the_event_of_today() -> None:
    event = EventMapper().decode(new_id(), "contact_merge.made", (GOLDEN / "contact_merge.made.json").read_bytes())
    assert isinstance(event, ContactMergeCarriedOut)
    assert [(moved.kind, moved.field) for moved in event.moved] == [("deal", "contactId"), ("note", "contactId")]
    assert event.winner_name == "Joëlle Van der Meer"


@pytest.mark.parametrize(
    ("path", "field"),
    [("contact_id", "contactId"), ("custom_fields.sales_rep", "customFields.sales_rep"), ("custom_fields.a.b_c", "customFields.a.b_c")],
)  # fmt: skip
def test_a_key_of_custom_fields_stays_as_it_is_written(path: str, field: str) -> None:
    upcast = FORMER["contact_merge.made"].upcast
    assert upcast({"moved": [{"kind": "deal", "id": "1", "path": path}]})["moved"][0]["field"] == field


@pytest.mark.parametrize("data", ['{"moved": 1}', '{"moved": [1]}', '{"moved": [{}]}', '{"moved": [{"kind": "a", "id": "b", "path": 1}]}', "[]"])  # fmt: skip
def test_old_data_of_another_form_are_unreadable(data: str) -> None:
    with pytest.raises(UnreadableEventError, match=r"contact_merge\.made"):
        EventMapper().decode(new_id(), "contact_merge.made", data)


def test_a_former_name_belongs_to_its_own_kind_of_stream_alone() -> None:
    assert {kind for kind, decider in DECIDERS.items() if "contact_merge.made" in names_of(decider)} == {
        "contact_merge"
    }
    both = {"contact_merge.made", "contact_merge.carried_out"}
    assert also_called("contact_merge.made") == also_called("contact_merge.carried_out") == both
    assert also_called("tag.created") == {"tag.created"}


def test_rows_are_rebuilt_and_verified_from_it(house: House) -> None:
    workspace = house.workspaces[0]
    house.store.run(house.origin(workspace), lambda unit: write_merge(unit, new_id()))
    assert "contact_merge.made" in types(house.pool, workspace)
    assert verify(house.owner, workspaces=[workspace]).finding is None
    rebuild(house.owner, CONTACT_MERGES)
    assert verify(house.owner, workspaces=[workspace]).finding is None


def test_an_export_verifies_and_one_in_which_it_stands_in_another_stream_does_not(
    pool: Pool, store: EventStore, origin: Origin, workspace: UUID, merged: Merged
) -> None:
    assert verify_file(_export(pool, workspace)).finding is None
    store.run(origin, _put_into_a_tag)
    finding = verify_file(_export(pool, workspace)).finding
    assert finding is not None
    assert (finding.what, finding.expected) == ("event type", "an event of a tag")


def _export(pool: Pool, workspace: UUID) -> list[bytes]:
    return [msgspec.json.encode(entry) for entry in whole_log(pool, workspace)]


def _put_into_a_tag(unit: Work) -> None:
    data = (GOLDEN / "contact_merge.made.json").read_bytes()
    unit.begin(TAG, new_id(), CreateTag(name="VIP"))
    unit.staged[-1] = unit.staged[-1]._replace(event_type="contact_merge.made", data=canonical(data).decode())


def test_the_history_tells_todays_fields_under_the_name_that_stands_in_the_log(
    pool: Pool, workspace: UUID, merged: Merged
) -> None:
    (entry,) = (entry for entry in whole_log(pool, workspace) if entry.type == "contact_merge.made")
    with reading(pool, workspace) as conn:
        (told,), _, _ = history.listed(
            conn, EventMapper(), Subject(CONTACT_MERGES, entry.stream.id), PageRequest(limit=5)
        )
        query = ActivityQuery(entity_type="contact_merge", action="created")
        (active,), total, _ = activity.listed(conn, TABLES, PageRequest(limit=5), query)
    moved = [{"kind": "note", "id": str(merged[2]), "field": "contactId"}]
    assert (told.event, [*told.changes["moved"].to]) == ("contact_merge.made", moved)
    assert (active.event, active.changes["city"].to, total) == ("contact_merge.made", "Ghent", 1)


def test_what_was_written_so_can_be_undone(store: EventStore, origin: Origin, merged: Merged) -> None:
    winner, loser, note = merged
    store.run(origin, lambda unit: undoings.undo(unit, winner, UndoMerge(loser_id=loser), None))
    found = store.run(origin, lambda unit: unit.get(NOTE, note).state.contact_id).value
    assert found == loser


def test_a_view_hears_of_it_by_either_name_and_others_do_not() -> None:
    view = timeline("of_merges", 1, (CONTACT_MERGE.stream_type,))
    assert "contact_merge.made" in view.types
    assert view.applied("contact_merge.made") is view.apply["contact_merge.carried_out"]
    others = timeline("of_tags", 1, ("tag",))
    assert "contact_merge.made" not in others.types
    assert others.applied("contact_merge.made") is None
