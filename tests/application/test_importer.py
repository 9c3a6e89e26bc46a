"""The importer carries out rows of any kind of thing: here, a table of tags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Any, Final, Literal

import pytest
from msgspec import UNSET, UnsetType
from msgspec.structs import asdict

from application.importing.chunk import import_chunk
from application.importing.constants import constants
from application.importing.importer import Entry, Importer, Plan, Record
from application.importing.rows import CsvRow
from application.working.job import Step
from domain.contact_fields import ContactChanges
from domain.contact_import import CONTACT_IMPORT, CancelImport, CompleteImport, FailImport, StartImport
from domain.contact_mapping import ORGANIZATIONS, PEOPLE
from domain.importing.cells import by_type
from domain.importing.columns import recognised
from domain.importing.fields import Fields
from domain.kernel import FieldError, Refused, Value
from domain.kernel.values import folded
from domain.tag import TAG, CreateTag, Tag, UpdateTag
from eventstore.append import Origin
from eventstore.ids import new_id
from eventstore.rows import Current
from eventstore.unit_of_work import EventStore
from eventstore.work import Work
from projections import tag as tags

FIELDS: Final = Fields(
    noun="tag",
    cells={"name": "name", "color": "color"},
    synonyms={"name": "name title", "color": "color colour"},
    readers={"color": lambda cell: f"#{cell.strip().lstrip('#').lower()}"},
)


class TagCommands:
    def __init__(self, unit: Work) -> None:
        self.unit = unit

    def draft(self, entry: Entry) -> Tag:
        (made,) = TAG.decide(CreateTag(**{"name": "", **entry.fields}), None)
        tag = TAG.evolve(None, made)
        assert tag is not None
        return tag

    def create(self, entry: Entry) -> Current[Tag]:
        return self.unit.begin(TAG, new_id(), CreateTag(**{"name": "", **entry.fields}))

    def update(self, found: Current[Tag], entry: Entry) -> None:
        self.unit.execute(TAG, found.id, UpdateTag(**entry.fields))

    def lost(self) -> list[FieldError]:
        return []


class ByName:
    def __init__(self, unit: Work, chunk: Sequence[Entry]) -> None:
        self.unit = unit
        names = [entry.fields["name"] for entry in chunk if "name" in entry.fields]
        self.known = {key: tag.id for key, (tag, _) in tags.by_names(unit.conn, names).items()}

    def find(self, entry: Entry) -> Current[Tag] | None:
        found = self.known.get(folded(entry.fields.get("name", "")))
        return None if found is None else self.unit.get(TAG, found)

    def remember(self, made: Current[Tag]) -> None:
        self.known[folded(made.state.name)] = made.id


TAGS: Final[Importer[Tag]] = Importer(
    kind="tag_import",
    record=Record(CONTACT_IMPORT, StartImport, CompleteImport, FailImport, CancelImport),
    decider=TAG,
    form=UpdateTag,
    details=lambda form: {name: value for name, value in asdict(form).items() if value is not UNSET},
    fields=lambda _: FIELDS,
    first=CreateTag,
    somebody={"name": "Something"},
    commands=lambda unit, *_: TagCommands(unit),
    match=lambda unit, _, chunk, __: ByName(unit, chunk),
)


def imported(store: EventStore, origin: Origin, columns: list[str], *rows: list[str], **more: Any) -> Step:
    mapping = recognised(FIELDS, columns, rows)
    plan = Plan(form="csv", constants=UpdateTag(), mapping=mapping, **more)
    lines = [CsvRow(line, cells) for line, cells in enumerate(rows, 2)]
    return store.run(origin, lambda unit: import_chunk(unit, TAGS, plan, 1, lines), bulk=True).value


def test_rows_become_things_once(store: EventStore, origin: Origin) -> None:
    table = partial(imported, store, origin, ["Title", "Colour", "Remarks"])
    first = table(["VIP", "FF0000", "x"], ["New", "", ""], ["vip", "#00ff00", ""], ["", "red", ""], ["", "", ""])
    assert dict(first.progress.counts) == {"created": 2, "updated": 1, "skipped": 1, "errors": 1}
    assert [(error.row, error.line, error.field) for error in first.errors] == [(4, 5, "name"), (4, 5, "color")]
    again = table(["vip", "00FF00", ""], ["New", "", ""])
    assert dict(again.progress.counts) == {"created": 0, "updated": 0, "skipped": 2, "errors": 0}
    kept = table(["New", "0000FF", ""], skip_duplicates=True)
    assert dict(kept.progress.counts) == {"created": 0, "updated": 0, "skipped": 1, "errors": 0}


def test_a_thing_without_fields_of_ones_own_leaves_other_columns_out() -> None:
    found = recognised(FIELDS, ["Name", "Colour", "Remarks"], [["VIP", "", "x"]])
    assert found == {"Name": "name", "Colour": "color", "Remarks": None}
    with pytest.raises(ValueError, match=r"^must be a tag's field$"):
        FIELDS.target_of("custom.plan")


def test_only_what_bears_tags_is_given_any() -> None:
    with pytest.raises(ValueError, match=r"^must be a tag's field$"):
        FIELDS.target_of("tags")
    with pytest.raises(Refused) as refused:
        constants(TAGS, {"_tags": "a, b"}, {})
    assert [detail.field for detail in refused.value.details] == ["constantValues._tags"]
    bearing = replace(TAGS, fields=lambda _: replace(FIELDS, tagged=True))
    assert constants(bearing, {"_tags": "a, b"}, {}) == (UpdateTag(), ["a", "b"])


def test_constants_are_judged_by_the_things_own_rules() -> None:
    assert constants(TAGS, {"color": "AABBCC"}, {}) == (UpdateTag(color="#aabbcc"), [])
    with pytest.raises(Refused) as refused:
        constants(TAGS, {"color": "nothing", "plan": "x"}, {})
    assert [detail.field for detail in refused.value.details] == ["constantValues.plan", "constantValues.color"]


class Chosen(Value):
    """Fields of every type that says by itself how cells are read."""

    urgent: bool | UnsetType = UNSET
    stage: Literal["Open", "Won"] | UnsetType | None = UNSET
    title: str | None = None


def test_how_a_cell_is_read_follows_from_its_fields_type() -> None:
    readers = by_type(Chosen)
    assert readers.keys() == {"urgent", "stage"}
    assert (readers["urgent"]("yes"), readers["stage"](" won ")) == (True, "Won")
    with pytest.raises(ValueError, match="must be Open or Won"):
        readers["stage"]("lost")


@pytest.mark.parametrize("fields", [PEOPLE, ORGANIZATIONS])
def test_every_field_of_a_contact_that_is_not_text_has_a_reader(fields: Fields) -> None:
    """Text in a field of another kind would otherwise only be found out when it is written."""
    assert by_type(ContactChanges).keys() <= fields.readers.keys()
    assert {"assignedTo", "dnc", "globallyUnsubscribed", "status", "type"} <= by_type(ContactChanges).keys()
    assert set(chain(fields.synonyms, fields.common_words, fields.unlike)) <= fields.targets
