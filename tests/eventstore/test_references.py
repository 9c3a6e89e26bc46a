"""References hold whichever door they come by, and what refers to a thing that ends lets go, ends too, or keeps it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

import pytest
from msgspec import UNSET, UnsetType

from domain.kernel import Command, Event, Refused, State, Value
from domain.kernel.fields import Refers
from domain.kernel.record import record
from eventstore.append import Origin
from eventstore.database import Db, Pool
from eventstore.ids import new_id
from eventstore.letting_go import FEW, MANY, TooManyToEndError
from eventstore.mapper import EventMapper
from eventstore.reader import fold_stream
from eventstore.references import References
from eventstore.unit_of_work import EventStore
from eventstore.work import Work
from projections.table.column import ID, IDS, TEXT, Column
from projections.table.definition import create_indexes, create_table
from projections.table.rows import RowTable
from tests.conftest import make_workspace
from tests.logs import check_chain, count, log_end, types, whole_log

Shelves = tuple[Annotated[UUID, Refers("shelf", counted=True)], ...]
OwnedBy = Annotated[UUID, Refers("shelf", on_end="cascade")]
Needed = Annotated[UUID, Refers("shelf", on_end="refuse")]


class BookDetails(Value):
    title: str = ""
    shelf_ids: Shelves = ()
    home_id: OwnedBy | None = None
    lock_id: Needed | None = None
    series_id: Annotated[UUID, Refers("book")] | None = None


class BookChanges(Value):
    title: str | UnsetType = UNSET
    shelf_ids: tuple[UUID, ...] | UnsetType = UNSET
    home_id: UUID | None | UnsetType = UNSET
    lock_id: UUID | None | UnsetType = UNSET
    series_id: UUID | None | UnsetType = UNSET


class Book(BookDetails, State):
    """Refers to shelves in every way there is."""


class PutBook(BookDetails, Command):
    """Of no catalogue."""


class ChangeBook(BookChanges, Command):
    """Of no catalogue."""


class BurnBook(Command):
    """Of no catalogue."""


class BookPut(BookDetails, Event, name="book.put", action="created"):
    """Of no catalogue."""


class BookChanged(Event, name="book.changed", action="updated"):
    changed: BookChanges
    previous: BookChanges


class BookBurnt(Event, name="book.burnt", action="deleted"):
    """Of no catalogue."""


class ShelfChanges(Value):
    name: str | UnsetType = UNSET


class Shelf(State):
    name: str = ""
    keeper_id: UUID | None = None


class BuildShelf(Command):
    name: str = ""
    keeper_id: UUID | None = None


class NameShelf(ShelfChanges, Command):
    """Of no catalogue."""


class BreakShelf(Command):
    """Of no catalogue."""


class ShelfBuilt(Event, name="shelf.built", action="created"):
    name: str = ""
    keeper_id: UUID | None = None


class ShelfNamed(Event, name="shelf.named", action="updated"):
    changed: ShelfChanges
    previous: ShelfChanges


class ShelfBroken(Event, name="shelf.broken", action="deleted"):
    """Of no catalogue."""


BOOK = record(
    "book", state=Book, create=PutBook, update=ChangeBook, delete=BurnBook, created=BookPut, updated=BookChanged,
    deleted=BookBurnt,
)  # fmt: skip
SHELF = record(
    "shelf", state=Shelf, create=BuildShelf, update=NameShelf, delete=BreakShelf, created=ShelfBuilt,
    updated=ShelfNamed, deleted=ShelfBroken,
)  # fmt: skip


def _without(field: str, ended: Any) -> Command:
    """Lets go of one of many: the test's books have at most one shelf."""
    gone: dict[str, Any] = {field: () if field == "shelf_ids" else None}
    return ChangeBook(**gone)


object.__setattr__(BOOK, "unset", _without)

BOOKS: RowTable[Book] = RowTable(
    name="books",
    decider=BOOK,
    version=1,
    columns=(
        Column("title", TEXT),
        Column("shelf_ids", IDS),
        Column("home_id", ID),
        Column("lock_id", ID),
        Column("series_id", ID),
    ),
)
SHELVES: RowTable[Shelf] = RowTable(
    name="shelves",
    decider=SHELF,
    version=1,
    columns=(Column("name", TEXT), Column("keeper_id", ID)),
    owner="keeper_id",
)
ROWS: dict[str, Any] = {"book": BOOKS, "shelf": SHELVES}
EVENTS: dict[str, type[Event]] = {event.event_name: event for decider in (BOOK, SHELF) for event in decider.events}
MAPPER = EventMapper(EVENTS)


@pytest.fixture(scope="module")
def library(owner: Db, pool: Pool) -> Iterator[EventStore]:
    for table in (BOOKS, SHELVES):
        owner.execute(create_table(table, table.table).encode())
        for name, statement in create_indexes(table, table.table).items():
            owner.execute(statement.format(index=name).encode())
        owner.execute("CALL protect_tenant_table(%s::regclass, 'SELECT, INSERT, UPDATE, DELETE')", (table.table,))
    yield EventStore(pool, ROWS, MAPPER)
    for table in (BOOKS, SHELVES):
        owner.execute(f"DROP TABLE {table.table}".encode())


def shelf(library: EventStore, origin: Origin, name: str = "A") -> UUID:
    return library.run(origin, lambda unit: unit.begin(SHELF, new_id(), BuildShelf(name=name)).id).value


def book(library: EventStore, origin: Origin, **fields: Any) -> UUID:
    return library.run(origin, lambda unit: unit.begin(BOOK, new_id(), PutBook(**fields)).id).value


def end(library: EventStore, origin: Origin, shelf_id: UUID) -> None:
    library.run(origin, lambda unit: unit.execute(SHELF, shelf_id, BreakShelf()))


def state(library: EventStore, origin: Origin, book_id: UUID) -> Book | None:
    def look(unit: Work) -> Book | None:
        found = unit.load(BOOK, [book_id]).get(book_id)
        return None if found is None else found.state

    return library.run(origin, look).value


class TestNewReferences:
    @pytest.mark.parametrize("bulk", [False, True])
    @pytest.mark.parametrize(
        ("wire", "fields"),
        [("shelfIds", lambda key: {"shelf_ids": (key,)}), ("homeId", lambda key: {"home_id": key})],
    )
    def test_to_nothing_or_to_what_is_anothers_are_refused_by_name(
        self, library: EventStore, owner: Db, origin: Origin, pool: Pool, wire: str, fields: Any, bulk: bool
    ) -> None:
        others = Origin(make_workspace(owner), origin.actor)
        theirs = shelf(library, others)
        known = book(library, origin)
        for key in (new_id(), theirs, known):
            for work in (
                lambda unit, key=key: unit.begin(BOOK, new_id(), PutBook(**fields(key))),
                lambda unit, key=key: unit.execute(BOOK, known, ChangeBook(**fields(key))),
            ):
                with pytest.raises(Refused) as caught:
                    library.run(origin, work, bulk=bulk)
                assert caught.value.code == "validation_failed"
                assert [detail.field for detail in caught.value.details] == [wire]
        assert types(pool, origin.workspace_id) == ["book.put"]

    def test_may_be_to_what_the_same_unit_of_work_has_made_and_not_to_what_it_has_ended(
        self, library: EventStore, origin: Origin
    ) -> None:
        def make(unit: Work) -> UUID:
            made = unit.begin(SHELF, new_id(), BuildShelf()).id
            return unit.begin(BOOK, new_id(), PutBook(home_id=made)).id

        found = state(library, origin, library.run(origin, make).value)
        assert found is not None
        assert found.home_id is not None

        def end_first(unit: Work) -> None:
            unit.execute(SHELF, known, BreakShelf())
            unit.begin(BOOK, new_id(), PutBook(home_id=known))

        known = shelf(library, origin)
        with pytest.raises(Refused, match="no such shelf"):
            library.run(origin, end_first)

    def test_that_stay_as_they_are_are_not_looked_for_again(
        self, library: EventStore, origin: Origin, owner: Db
    ) -> None:
        """What refers to a thing may be changed otherwise even where the reference is broken, as by an old log."""
        home = shelf(library, origin)
        book_id = book(library, origin, home_id=home)
        owner.execute(f"DELETE FROM {SHELVES.table} WHERE id = %s".encode(), (home,))
        library.run(origin, lambda unit: unit.execute(BOOK, book_id, ChangeBook(title="B")))
        found = state(library, origin, book_id)
        assert found is not None
        assert found.title == "B"

    def test_hold_what_they_are_to_until_they_are_written(self, library: EventStore, origin: Origin) -> None:
        """Whichever of two comes first, no book is left on a shelf that has gone."""
        home = shelf(library, origin)
        held, ended = threading.Event(), threading.Event()

        def put(unit: Work) -> UUID:
            made = unit.begin(BOOK, new_id(), PutBook(shelf_ids=(home,))).id
            held.set()
            ended.wait(0.3)
            return made

        def breaking() -> None:
            held.wait(5)
            end(library, origin, home)
            ended.set()

        thread = threading.Thread(target=breaking)
        thread.start()
        book_id = library.run(origin, put).value
        thread.join()
        assert state(library, origin, book_id) == Book()

    def test_are_asked_for_once_for_many(
        self, library: EventStore, origin: Origin, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        home = shelf(library, origin)
        asked: list[Any] = []
        hold = RowTable.hold

        def counting(table: RowTable[Any], conn: Db, keys: Any, **more: Any) -> Any:
            asked.append(keys)
            return hold(table, conn, keys, **more)

        monkeypatch.setattr(RowTable, "hold", counting)
        library.run(origin, lambda unit: [unit.begin(BOOK, new_id(), PutBook(shelf_ids=(home,))) for _ in range(20)])
        assert asked == [[home]]

    def test_to_a_kind_that_there_is_not_are_an_error_at_start(self) -> None:
        with pytest.raises(ValueError, match=r"book\.shelf_ids refers to shelf, which is no kind"):
            References({"book": BOOKS})


class TestWhatEnds:
    def test_is_let_go_of(self, library: EventStore, origin: Origin, pool: Pool) -> None:
        home = shelf(library, origin)
        book_id = book(library, origin, title="A", shelf_ids=(home,))
        assert count(pool, origin.workspace_id, f"book.shelf_ids:{home}") == 1
        end(library, origin, home)
        assert state(library, origin, book_id) == Book(title="A")
        assert count(pool, origin.workspace_id, f"book.shelf_ids:{home}") == 0
        assert types(pool, origin.workspace_id)[-2:] == ["book.changed", "shelf.broken"]

    def test_takes_along_what_cannot_be_without_it(self, library: EventStore, origin: Origin) -> None:
        home = shelf(library, origin)
        book_id, other = book(library, origin, home_id=home), book(library, origin)
        end(library, origin, home)
        assert state(library, origin, book_id) is None
        assert state(library, origin, other) == Book()

    def test_is_kept_by_what_needs_it(self, library: EventStore, origin: Origin, pool: Pool) -> None:
        lock = shelf(library, origin)
        book_id = book(library, origin, lock_id=lock)
        before = log_end(pool, origin.workspace_id)
        with pytest.raises(Refused, match="a book still has it as lockId") as caught:
            end(library, origin, lock)
        assert caught.value.code == "conflict"
        assert log_end(pool, origin.workspace_id) == before
        library.run(origin, lambda unit: unit.execute(BOOK, book_id, ChangeBook(lock_id=None)))
        end(library, origin, lock)

    def test_sees_what_the_same_unit_of_work_has_decided_before(self, library: EventStore, origin: Origin) -> None:
        home = shelf(library, origin)

        def put_and_break(unit: Work) -> UUID:
            made = unit.begin(BOOK, new_id(), PutBook(shelf_ids=(home,))).id
            unit.execute(SHELF, home, BreakShelf())
            return made

        assert state(library, origin, library.run(origin, put_and_break).value) == Book()

    def test_lets_go_of_more_than_a_few_in_bulk_by_itself(
        self, library: EventStore, origin: Origin, pool: Pool
    ) -> None:
        home = shelf(library, origin)
        library.run(
            origin,
            lambda unit: [unit.begin(BOOK, new_id(), PutBook(shelf_ids=(home,))) for _ in range(FEW + 1)],
            bulk=True,
        )
        seen: list[bool] = []

        def work(unit: Work) -> None:
            seen.append(unit.bulk)
            unit.execute(SHELF, home, BreakShelf())

        library.run(origin, work)
        assert seen == [False, True]
        assert types(pool, origin.workspace_id).count("book.changed") == FEW + 1
        check_chain(whole_log(pool, origin.workspace_id), log_end(pool, origin.workspace_id))

    def test_is_not_ended_in_one_go_when_very_many_refer_to_it(
        self, library: EventStore, origin: Origin, pool: Pool
    ) -> None:
        home = shelf(library, origin)
        library.run(
            origin,
            lambda unit: [unit.begin(BOOK, new_id(), PutBook(shelf_ids=(home,))) for _ in range(MANY + 1)],
            bulk=True,
        )
        before = log_end(pool, origin.workspace_id)
        with pytest.raises(TooManyToEndError) as caught:
            end(library, origin, home)
        assert (caught.value.kind, caught.value.stream_id) == ("shelf", home)
        assert log_end(pool, origin.workspace_id) == before

    def test_can_be_let_go_of_bit_by_bit_and_those_who_end_along_with_it_by_theirs(
        self, library: EventStore, origin: Origin, pool: Pool
    ) -> None:
        home = shelf(library, origin)
        first, second = (book(library, origin, home_id=home) for _ in range(2))
        volumes = [first] * (MANY + 1) + [second] * 2
        library.run(
            origin, lambda unit: [unit.begin(BOOK, new_id(), PutBook(series_id=of)) for of in volumes], bulk=True
        )
        with pytest.raises(TooManyToEndError):
            end(library, origin, home)

        def release(unit: Work) -> int:
            return unit.letting_go.release(SHELF, unit.get(SHELF, home), 500)

        assert [library.run(origin, release, bulk=True).value for _ in range(4)] == [500, 500, 5, 0]
        end(library, origin, home)
        assert types(pool, origin.workspace_id).count("book.changed") == len(volumes)
        assert types(pool, origin.workspace_id)[-3:] == ["book.changed", "book.burnt", "shelf.broken"]
        assert state(library, origin, first) is state(library, origin, second) is None
        check_chain(whole_log(pool, origin.workspace_id), log_end(pool, origin.workspace_id))


class TestWhoSeesOnlyWhatIsTheirs:
    def test_owns_what_they_make_unless_they_say_whose_it_is(self, library: EventStore, origin: Origin) -> None:
        mine, another = new_id(), new_id()
        limited = replace(origin, visible_to=mine)

        def made(command: BuildShelf) -> UUID | None:
            return library.run(limited, lambda unit: unit.begin(SHELF, new_id(), command)).value.state.keeper_id

        assert made(BuildShelf()) == mine
        assert made(BuildShelf(keeper_id=another)) == another

    def test_can_refer_to_nothing_else(self, library: EventStore, origin: Origin) -> None:
        mine = new_id()
        limited = replace(origin, visible_to=mine)
        own, hidden = shelf(library, limited), shelf(library, origin)
        book(library, limited, shelf_ids=(own,))
        with pytest.raises(Refused, match="no such shelf"):
            book(library, limited, shelf_ids=(hidden,))
        with pytest.raises(Refused) as caught:
            end(library, limited, hidden)
        assert caught.value.code == "not_found"

    def test_ends_with_theirs_what_cannot_be_without_it_be_it_hidden(
        self, library: EventStore, origin: Origin, pool: Pool
    ) -> None:
        """A reference must not be left behind, whoever may see who refers."""
        mine = new_id()
        own = shelf(library, replace(origin, visible_to=mine))
        book_id = book(library, origin, home_id=own)
        end(library, replace(origin, visible_to=mine), own)
        assert state(library, origin, book_id) is None
        check_chain(whole_log(pool, origin.workspace_id), log_end(pool, origin.workspace_id))


class TestAStreamThatHasEnded:
    @pytest.mark.parametrize("bulk", [False, True])
    def test_can_begin_again_and_is_the_same_thing(
        self, library: EventStore, origin: Origin, pool: Pool, bulk: bool
    ) -> None:
        book_id = book(library, origin, title="A")
        library.run(origin, lambda unit: unit.execute(BOOK, book_id, BurnBook()))
        again = library.run(origin, lambda unit: unit.execute(BOOK, book_id, PutBook(title="B")), bulk=bulk).value
        assert again is not None
        assert (again.state, again.version) == (Book(title="B"), 3)
        folded = library.run(origin, lambda unit: fold_stream(unit.conn, BOOK, book_id, MAPPER)).value
        assert folded is not None
        assert (folded.state, folded.version, folded.created_at) == (again.state, 3, again.created_at)
        check_chain(whole_log(pool, origin.workspace_id), log_end(pool, origin.workspace_id))

    def test_begins_anew_behind_a_part_that_was_refused(self, library: EventStore, origin: Origin, pool: Pool) -> None:
        """What the part made of it, and ended, counts for nothing: its versions have no gap."""
        book_id = new_id()

        def part(unit: Work) -> None:
            unit.begin(BOOK, book_id, PutBook(title="X"))
            unit.execute(BOOK, book_id, BurnBook())
            raise Refused("validation_failed", "No.")

        def work(unit: Work) -> None:
            with pytest.raises(Refused, match="No"):
                unit.all_or_nothing(lambda: part(unit))
            unit.begin(BOOK, book_id, PutBook(title="Y"))

        library.run(origin, work)
        assert [entry.version for entry in whole_log(pool, origin.workspace_id)] == [1]

    def test_can_do_so_within_one_unit_of_work(self, library: EventStore, origin: Origin, pool: Pool) -> None:
        book_id = book(library, origin, title="A")

        def work(unit: Work) -> None:
            unit.execute(BOOK, book_id, BurnBook())
            unit.execute(BOOK, book_id, PutBook(title="B"))
            unit.write_rows()
            unit.execute(BOOK, book_id, BurnBook())
            unit.execute(BOOK, book_id, PutBook(title="C"))

        library.run(origin, work)
        assert state(library, origin, book_id) == Book(title="C")
        assert count(pool, origin.workspace_id, "book") == 1
        assert types(pool, origin.workspace_id) == ["book.put", *["book.burnt", "book.put"] * 2]


class TestWritingRowsEarly:
    @pytest.mark.parametrize("bulk", [False, True])
    def test_queries_see_what_is_decided_and_the_log_comes_last(
        self, library: EventStore, origin: Origin, pool: Pool, bulk: bool
    ) -> None:
        def titles(unit: Work) -> list[str]:
            rows = unit.conn.execute(
                f"SELECT title FROM {BOOKS.table} WHERE workspace_id = current_workspace() ORDER BY title".encode()
            )
            return [row[0] for row in rows]

        def work(unit: Work) -> tuple[list[str], ...]:
            book_id = unit.begin(BOOK, new_id(), PutBook(title="A")).id
            unit.write_rows()
            first = titles(unit)
            unit.execute(BOOK, book_id, ChangeBook(title="B"))
            unit.begin(BOOK, new_id(), PutBook(title="C"))
            unit.write_rows()
            second = titles(unit)
            unit.execute(BOOK, book_id, BurnBook())
            unit.write_rows()
            return first, second, titles(unit)

        assert library.run(origin, work, bulk=bulk).value == (["A"], ["B", "C"], ["C"])
        assert count(pool, origin.workspace_id, "book") == 1
        check_chain(whole_log(pool, origin.workspace_id), log_end(pool, origin.workspace_id))

    def test_a_part_that_is_refused_leaves_nothing_even_where_its_rows_were_written(
        self, library: EventStore, origin: Origin, pool: Pool
    ) -> None:
        kept = book(library, origin, title="A")

        def work(unit: Work) -> UUID:
            made = new_id()

            def part() -> None:
                unit.begin(BOOK, made, PutBook(title="X"))
                unit.execute(BOOK, kept, ChangeBook(title="Y"))
                unit.write_rows()
                raise Refused("validation_failed", "No.")

            with pytest.raises(Refused, match="No"):
                unit.all_or_nothing(part)
            return made

        made = library.run(origin, work).value
        assert state(library, origin, kept) == Book(title="A")
        assert state(library, origin, made) is None
        assert types(pool, origin.workspace_id) == ["book.put"]
        assert count(pool, origin.workspace_id, "book") == 1
