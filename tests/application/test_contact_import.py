"""Imports of contacts: what becomes of each row, whichever way it came."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from application.calling.caller import Caller
from application.catalogue import KINDS
from application.importing import source as import_source
from application.working import job as working
from daybook.embedded import EmbeddedPostgres
from domain.contact import CONTACT, Contact, DeleteContact, UpdateContact
from domain.kernel import Refused
from domain.tag import TAG, CreateTag, DeleteTag
from domain.workspace import WORKSPACE, CreateWorkspace, UpdateWorkspace
from eventstore.database import Pool, open_pool, reading
from eventstore.ids import new_id
from eventstore.migrate import connect
from eventstore.unit_of_work import EventStore
from eventstore.work import Work
from projections import job_queue as queue
from projections.catalogue import ROWS
from projections.contact import CONTACTS
from projections.job_queue import Claimed
from projections.tag_row import TAGS
from tests.application.importing import Importing, at_fault, counts, csv_of
from tests.conftest import make_workspace
from tests.logs import check_chain, count, log_end, types, whole_log
from tests.servers import another_database

DATA = Path(__file__).parent.parent / "data"


@pytest.fixture(scope="module")
def own_database(postgres: EmbeddedPostgres) -> Iterator[str]:
    """Workers see the jobs of all workspaces: so these tests have a database that no others use."""
    with another_database(postgres, "of_imports"):
        yield "of_imports"


@pytest.fixture(scope="module")
def pools(postgres: EmbeddedPostgres, own_database: str) -> Iterator[tuple[Pool, Pool]]:
    """As the service has them, and as workers do."""
    app, worker = (postgres.url(user, own_database) for user in ("daybook_app", "daybook_worker"))
    with open_pool(app, timeout=30) as pool, open_pool(worker, size=8, timeout=30) as worker_pool:
        yield pool, worker_pool


@pytest.fixture
def new_workspace(postgres: EmbeddedPostgres, own_database: str) -> Iterator[Callable[[], UUID]]:
    with connect(postgres.url(database=own_database)) as owner:
        yield lambda: make_workspace(owner)


@pytest.fixture
def importing(pools: tuple[Pool, Pool], new_workspace: Callable[[], UUID]) -> Importing:
    pool, worker_pool = pools
    caller = Caller(new_workspace(), new_id(), "owner", "enterprise")
    return Importing(EventStore(pool, ROWS), pool, worker_pool, caller)


def refused(wanted: Any, **details: str) -> None:
    """Refused as a whole, for the sake of these fields and for these reasons; nothing was written."""
    with pytest.raises(Refused) as caught:
        wanted()
    assert caught.value.code == "validation_failed"
    found = {detail.field: detail.message for detail in caught.value.details}
    assert found.keys() == details.keys()
    for field, says in details.items():
        assert says in found[field]


def only(importing: Importing) -> UUID:
    """The id of the one contact that there is."""
    with reading(importing.pool, importing.workspace) as conn:
        ((found,),) = conn.execute(
            f"SELECT id FROM {CONTACTS.table} WHERE workspace_id = current_workspace()"
        ).fetchall()
    return UUID(str(found))


class TestForms:
    def test_contacts_are_objects_of_their_fields(self, importing: Importing) -> None:
        answer = importing.contacts(
            {"firstName": "Ada", "email": "Ada@Engine.org", "customFields": {"score": 7}},
            {"name": "Bob Lee", "dnc": True},
        )
        assert counts(answer) == (2, 0, 0, 0)
        assert (answer.status, answer.imported, answer.mapping) == ("completed", 2, None)
        assert importing.all() == [
            Contact(first_name="Ada", email="ada@engine.org", custom_fields={"score": 7}),
            Contact(first_name="Bob", last_name="Lee", dnc=True),
        ]

    def test_rows_are_texts_by_column(self, importing: Importing) -> None:
        mapping = {"Mail": "email", "Who": "name", "Plan": "custom.plan", "Labels": "tags", "Junk": ""}
        row = {"Mail": "ada@engine.org", "Who": "Ada Maria King", "Plan": 3, "Labels": "VIP; new", "Junk": "x"}
        answer = importing.rows(row, {"Mail": "bob@engine.org", "Plan": None, "Other": True}, mapping=mapping)
        assert counts(answer) == (2, 0, 0, 0)
        assert answer.mapping == {**mapping, "Junk": None, "Other": None}
        ada, bob = importing.all()
        assert (ada.first_name, ada.last_name, ada.custom_fields) == ("Ada Maria", "King", {"plan": "3"})
        assert len(ada.tags) == 2
        assert bob == Contact(email="bob@engine.org")

    def test_rows_without_a_mapping_are_recognised_by_their_columns(self, importing: Importing) -> None:
        answer = importing.rows({"E-mail": "ada@engine.org"}, {"E-mail": "bob@engine.org", "VIP": True, "Rank": 1.5})
        assert answer.mapping == {"E-mail": "email", "VIP": "custom.VIP", "Rank": "custom.Rank"}
        assert importing.all()[1].custom_fields == {"VIP": "true", "Rank": "1.5"}

    def test_a_file_is_recognised_by_its_headers(self, importing: Importing) -> None:
        answer = importing.csv("Index;First Name;E-Mail;Deal Stage", '1;Ada;ada@engine.org;"won; twice"')
        assert answer.mapping == {
            "Index": None,
            "First Name": "firstName",
            "E-Mail": "email",
            "Deal Stage": "custom.Deal Stage",
        }
        assert importing.all() == [
            Contact(first_name="Ada", email="ada@engine.org", custom_fields={"Deal Stage": "won; twice"})
        ]

    def test_a_file_may_come_with_a_mapping(self, importing: Importing) -> None:
        answer = importing.csv("A,B,C", "Ada,ada@engine.org,x", mapping={"A": "last_name", "B": "email"})
        assert answer.mapping == {"A": "lastName", "B": "email", "C": None}
        assert importing.all() == [Contact(last_name="Ada", email="ada@engine.org")]

    @pytest.mark.parametrize(
        ("name", "options"),
        [
            ("leads.csv", {}),
            ("customers.csv", {}),
            ("organizations.csv", {"constant_values": {"type": "organization", "_tags": ["Companies"]}}),
        ],
    )
    def test_real_files_come_through_whole_and_only_once(
        self, importing: Importing, name: str, options: dict[str, Any]
    ) -> None:
        content = (DATA / name).read_bytes()
        rows = content.count(b"\n") - 1
        assert counts(importing.file(content, **options)) == (rows, 0, 0, 0)
        before = importing.all()
        assert counts(importing.file(content, **options)) == (0, 0, rows, 0)
        assert importing.all() == before

    def test_of_organizations_the_name_is_the_company(self, importing: Importing) -> None:
        importing.csv("Name,Type", "Acme,Company", "Ada King,person", mapping={"Name": "name", "Type": "type"})
        acme, ada = importing.all()
        assert (acme.type, acme.company, acme.first_name) == ("organization", "Acme", None)
        assert (ada.type, ada.first_name, ada.last_name) == ("person", "Ada", "King")

    def test_there_may_be_nothing_to_import(self, importing: Importing) -> None:
        for answer in (importing.contacts(), importing.rows(), importing.csv("Email")):
            assert (answer.status, counts(answer)) == ("completed", (0, 0, 0, 0))


class TestErrors:
    def test_a_bad_row_is_an_error_of_that_row_alone(self, importing: Importing) -> None:
        answer = importing.csv(
            "Name,Email,Phone,Notes",
            'Ada,ada@engine.org,,"two\nlines"',
            "Bob,bob@@engine.org,call me,",
            ",,,nobody",
            "Cy,cy@engine.org,+1 415 555 2671,",
        )
        assert counts(answer) == (2, 0, 0, 2)
        assert [(error.row, error.line, error.field) for error in answer.errors] == [
            (2, 4, "email"), (2, 4, "phone"), (3, 5, "row"),
        ]  # fmt: skip
        assert answer.errors[1].error == "phone: must be a phone number, such as +14155552671"
        assert [contact.first_name for contact in importing.all()] == ["Ada", "Cy"]

    def test_each_contact_is_judged_by_itself(self, importing: Importing) -> None:
        answer = importing.contacts(
            {"firstName": 3}, {"nickname": "x"}, 5, [], None, {"email": "ada@engine.org"}, {"assignedTo": "Ada", "name": "x"},
            {"name": "x", "tagIds": [str(new_id())]}, {"name": "x", "tags": ["y" * 101]}, {"name": "x", "tags": [""]},
        )  # fmt: skip
        assert counts(answer) == (1, 0, 0, 9)
        assert at_fault(answer.errors) == [
            (1, "firstName"), (2, "nickname"), (3, "row"), (4, "row"), (5, "row"), (7, "assignedTo"), (8, "tagIds"),
            (9, "tags"), (10, "tags"),
        ]  # fmt: skip

    def test_so_is_each_row_of_texts(self, importing: Importing) -> None:
        answer = importing.rows({"Email": "ada@engine.org"}, {"Email": ["a"]}, "x", {"Email": "bob"})
        assert counts(answer) == (1, 0, 0, 3)
        assert at_fault(answer.errors) == [(2, "Email"), (3, "row"), (4, "email")]

    def test_nothing_stays_of_a_row_at_fault(self, importing: Importing) -> None:
        importing.create(first_name="Ada", email="ada@engine.org")
        many = [f"t{number}" for number in range(101)]
        answer = importing.contacts(
            {"email": "ada@engine.org", "city": "London", "tags": many}, {"name": "Bob", "tags": ["new", *many]}
        )
        assert (counts(answer), at_fault(answer.errors)) == ((0, 0, 0, 2), [(1, "row"), (2, "row")])
        assert importing.all() == [Contact(first_name="Ada", email="ada@engine.org")]
        assert count(importing.pool, importing.workspace, "tag") == 0
        assert types(importing.pool, importing.workspace)[1:] == ["contact_import.started", "contact_import.completed"]

    def test_a_tag_that_went_with_its_row_is_made_with_the_next(self, importing: Importing) -> None:
        answer = importing.contacts({"email": "bob", "tags": ["VIP"]}, {"email": "ada@engine.org", "tags": ["vip"]})
        assert counts(answer) == (1, 0, 0, 1)
        assert count(importing.pool, importing.workspace, "tag") == 1

    def test_all_that_is_wrong_with_a_row_is_said_at_once(self, importing: Importing) -> None:
        answer = importing.csv(
            "Mail,Born,Site,Extra", "bob,1.13.1990,ftp://x,1,2", mapping={"Mail": "email", "Born": "birthday", "Site": "website"}
        )  # fmt: skip
        assert at_fault(answer.errors) == [(1, "row"), (1, "birthday"), (1, "email"), (1, "website")]

    def test_a_row_that_cannot_be_read_is_an_error_of_that_row_alone(self, importing: Importing) -> None:
        lines = ["Index,Name,Email", "1,Ada,ada@engine.org", '2,"B"ob,bob@engine.org', "3,Cy,cy@engine.org"]
        answer = importing.csv(*lines)
        assert counts(answer) == (2, 0, 0, 1)
        assert [(error.row, error.line, error.field) for error in answer.errors] == [(2, 3, "row")]
        assert answer.mapping == {"Index": None, "Name": "name", "Email": "email"}
        job_id = importing.csv(*lines, as_job=True).job_id
        importing.work()
        job = importing.job(job_id)
        assert (counts(job), job.error_details) == ((0, 0, 2, 1), answer.errors)

    def test_a_table_that_says_of_nobody_who_it_is_is_refused_with_what_its_columns_were_taken_for(
        self, importing: Importing
    ) -> None:
        lines = ["Raw Company Name,City,No", "Acme,London,1", "Initech,Paris,2"]
        says = (
            "has no column for name, firstName, lastName, email, phone or company, and a contact must have one; columns"
            " were taken thus: 'Raw Company Name' for custom.Raw Company Name, 'City' for city, 'No' for nothing"
        )
        refused(lambda: importing.csv(*lines), mapping=says)
        refused(lambda: importing.csv(*lines, as_job=True), mapping=says)
        refused(lambda: importing.rows({"Town": "x"}, mapping={"Town": "city"}), mapping="'Town' for city")
        wide = ",".join(f"c{number}" for number in range(25))
        refused(lambda: importing.csv(wide, "x"), mapping="'c19' for custom.c19 and 5 more")
        assert types(importing.pool, importing.workspace) == []
        assert counts(importing.csv(*lines, mapping={"Raw Company Name": "company"})) == (2, 0, 0, 0)

    @pytest.mark.parametrize("constants", [{"company": "Acme"}, {"name": "Ada Lee"}])
    def test_what_all_rows_have_may_say_it(self, importing: Importing, constants: dict[str, str]) -> None:
        assert counts(importing.csv("City", "London", "Paris", constant_values=constants)) == (2, 0, 0, 0)

    def test_a_row_without_anything_in_it_is_skipped(self, importing: Importing) -> None:
        answer = importing.csv("Name,Email", "Ada,", ",", "", " , ", source="fair", constant_values={"company": "Acme"})
        assert counts(answer) == (1, 0, 2, 0)

    def test_nul_is_an_error_like_any_other(self, importing: Importing) -> None:
        answer = importing.contacts({"name": "a\0b"}, {"name": "x", "customFields": {"a\0": 1}})
        assert at_fault(answer.errors) == [(1, "name"), (2, "customFields")]
        job_id = importing.csv("Name,Plan", "Ada\0,x", "Bob,\0", as_job=True).job_id
        importing.work()
        assert at_fault(importing.job(job_id).error_details or []) == [(1, "name"), (2, "customFields")]

    def test_the_errors_can_be_looked_up_later(self, importing: Importing) -> None:
        answer = importing.csv("Email,Phone", "bob,x", "ada@engine.org,")
        job = importing.job(answer.job_id)
        assert (job.status, job.processed, counts(job)) == ("completed", 2, (1, 0, 0, 1))
        assert job.error_details == answer.errors


class TestFoundAgain:
    def test_by_email_address_whatever_its_case(self, importing: Importing) -> None:
        importing.create(first_name="Ada", email="ada@engine.org", custom_fields={"a": 1})
        answer = importing.contacts({"email": "ADA@engine.org", "city": "London", "customFields": {"b": 2}})
        assert counts(answer) == (0, 1, 0, 0)
        assert importing.all() == [
            Contact(first_name="Ada", email="ada@engine.org", city="London", custom_fields={"a": 1, "b": 2})
        ]

    def test_a_row_that_changes_nothing_is_skipped(self, importing: Importing) -> None:
        importing.create(first_name="Ada", email="ada@engine.org")
        assert counts(importing.csv("First Name,Email,City", "Ada,ada@engine.org,")) == (0, 0, 1, 0)
        assert types(importing.pool, importing.workspace)[1:] == ["contact_import.started", "contact_import.completed"]

    def test_what_exists_may_be_left_as_it_is(self, importing: Importing) -> None:
        importing.create(first_name="Ada", email="ada@engine.org")
        answer = importing.contacts(
            {"email": "ada@engine.org", "city": "London"}, {"email": "bob@engine.org"}, {"email": "bob@engine.org", "city": "x"},
            skip_duplicates=True,
        )  # fmt: skip
        assert counts(answer) == (1, 0, 2, 0)
        assert [contact.city for contact in importing.all()] == [None, None]

    def test_within_the_import_too(self, importing: Importing) -> None:
        answer = importing.csv(
            "Email,City,Phone", "ada@engine.org,London,", "Ada@Engine.org,Paris,", "ada@engine.org,,x"
        )
        assert counts(answer) == (1, 1, 0, 1)
        assert importing.all() == [Contact(email="ada@engine.org", city="Paris")]

    def test_without_an_address_by_phone_number_and_name(self, importing: Importing) -> None:
        importing.create(first_name="Ada", last_name="King", phone="+14155552671", email="ada@engine.org")
        lines = [
            "Name,Phone,City",
            "ádà king,(415) 555-2671,London",
            "Bob,(415) 555-2671,",
            "Ada King,415-555-2671 x9,",
            "Ada King,415.555.2671 x9,Paris",
            "BOB,+1 415 555 2671,",
        ]
        assert counts(importing.csv(*lines)) == (2, 3, 0, 0)
        assert counts(importing.csv(*lines[:2], *lines[3:])) == (0, 0, 4, 0)
        ada, bob, extension = importing.all()
        assert (ada.city, bob.first_name, extension.phone_extension, extension.city) == ("London", "BOB", "9", "Paris")

    def test_with_neither_only_by_all_that_it_says(self, importing: Importing) -> None:
        lines = ["Name,Company,Plan", "Ada,Acme,gold", "Ada,,gold", "Ada,Acme,", "Ada,Beta,gold", "Ada,Acme,gold"]
        assert counts(importing.csv(*lines)) == (2, 0, 3, 0)
        assert counts(importing.csv(*lines)) == (0, 0, 5, 0)
        assert [contact.company for contact in importing.all()] == ["Acme", "Beta"]

    def test_so_of_one_name_there_may_be_many(self, importing: Importing) -> None:
        lines = [
            "Company,City,Store",
            *(f"Coffee,City {n % 7},S-{n}" for n in range(300)),
            "Coffee,,",
            "Coffee,City 3,",
        ]
        assert counts(importing.csv(*lines)) == (300, 0, 2, 0)
        assert counts(importing.csv(*lines)) == (0, 0, 302, 0)
        assert counts(importing.csv("Company,City,Store", "Coffee,City 3,S-4")) == (1, 0, 0, 0)

    def test_what_was_added_to_a_contact_since_does_not_matter(self, importing: Importing) -> None:
        row = {"name": "Ada King", "customFields": {"plan": "gold", "score": 7, "list": ["a"]}}
        importing.contacts(row)
        importing.store.run(
            importing.origin, lambda unit: unit.execute(CONTACT, only(importing), UpdateContact(city="x"))
        )
        assert counts(importing.contacts(row, {**row, "city": "x"})) == (0, 0, 2, 0)
        assert counts(importing.contacts({**row, "customFields": {"plan": "gold", "score": 8}})) == (1, 0, 0, 0)

    def test_a_contact_that_is_gone_is_made_again(self, importing: Importing) -> None:
        ada = importing.create(email="ada@engine.org")
        importing.store.run(importing.origin, lambda unit: unit.execute(CONTACT, ada.id, DeleteContact()))
        assert counts(importing.contacts({"email": "ada@engine.org"})) == (1, 0, 0, 0)

    def test_in_another_workspace_nothing_is_found(
        self, importing: Importing, new_workspace: Callable[[], UUID]
    ) -> None:
        theirs = replace(importing, caller=Caller(new_workspace(), new_id(), "owner", "enterprise"))
        lines = ["Name,Email,Phone", "Ada,ada@engine.org,", "Bob,,+14155552671", "Cy,,"]
        for someone in (importing, theirs):
            assert counts(someone.csv(*lines)) == (3, 0, 0, 0)
        assert len(importing.all()) == len(theirs.all()) == 3

    def test_a_number_without_country_code_is_of_the_workspaces_region(self, importing: Importing) -> None:
        new = CreateWorkspace(workspace_name="W", owner_id=importing.caller.account_id)
        importing.store.run(importing.origin, lambda unit: unit.begin(WORKSPACE, importing.workspace, new))
        change = UpdateWorkspace(phone_region="DE")
        importing.store.run(importing.origin, lambda unit: unit.execute(WORKSPACE, importing.workspace, change))
        lines = ["Name,Phone", "Ada,030 901820", "Bob,(415) 555-2671"]
        assert counts(importing.csv(*lines)) == (2, 0, 0, 0)
        assert counts(importing.csv(*lines)) == (0, 0, 2, 0)
        assert [contact.phone for contact in importing.all()] == ["+4930901820", "+494155552671"]


class TestForAllRows:
    def names(self, importing: Importing) -> list[list[str]]:
        with reading(importing.pool, importing.workspace) as conn:
            known = {
                tag.id: tag.state.name
                for tag in TAGS.load(conn, [tag for c in importing.all() for tag in c.tags]).values()
            }
        return [[known[tag] for tag in contact.tags] for contact in importing.all()]

    def test_tags_by_name_and_id_go_on_every_contact(self, importing: Importing) -> None:
        vip = importing.store.run(importing.origin, lambda unit: unit.begin(TAG, new_id(), CreateTag(name="VIP"))).value
        importing.create(email="ada@engine.org")
        answer = importing.csv(
            "Email,Tags", "ada@engine.org,new;own", "bob@engine.org,", tags=["New"], tag_ids=[vip.id],
            constant_values={"_tags": ["csv-import", "vip"]},
        )  # fmt: skip
        assert counts(answer) == (1, 1, 0, 0)
        assert self.names(importing) == [["New", "csv-import", "VIP", "own"], ["New", "csv-import", "VIP"]]

    def test_constants_hold_whatever_the_rows_say(self, importing: Importing) -> None:
        constants = {"city": "London", "custom.batch": 7, "customFields": {"list": "A"}, "dnc": "yes", "country": "UK"}
        importing.csv("Email,City,Batch", "ada@engine.org,Paris,x", source="fair", constant_values=constants)
        assert importing.all() == [
            Contact(
                email="ada@engine.org", city="London", country="UK", dnc=True, source="fair",
                custom_fields={"City": "Paris", "Batch": "x", "batch": 7, "list": "A"},
            )
        ]  # fmt: skip

    def test_they_hold_for_contacts_too(self, importing: Importing) -> None:
        importing.contacts({"email": "ada@engine.org", "source": "web"}, source="fair", tags=["VIP"])
        assert importing.all()[0].source == "fair"
        assert self.names(importing) == [["VIP"]]

    def test_what_no_contact_could_have_is_refused(self, importing: Importing) -> None:
        constants = {"email": "ada@engine.org", "website": "x", "nickname": "x", "dnc": "maybe", "_tags": 3, "city": 5}
        refused(
            lambda: importing.contacts({"name": "Ada"}, constant_values=constants),
            **{
                "constantValues.email": "differ from row to row",
                "constantValues.nickname": "a contact's field",
                "constantValues.dnc": "yes or no",
                "constantValues._tags": "list of names",
                "constantValues.city": "expected `str | null`",
            },
        )
        refused(
            lambda: importing.contacts(
                {"name": "Ada"}, constant_values={"website": "x", "custom.$": 1, "status": "won"}
            ),
            **{
                "constantValues.website": "absolute https or http URL",
                "constantValues.custom.$": "must be a key",
                "constantValues.status": "ACTIVE",
            },
        )
        refused(lambda: importing.contacts({"name": "Ada"}, source="x" * 256), source="at most 255")
        refused(lambda: importing.contacts({"name": "Ada"}, tag_ids=[new_id()]), tagIds="no such tag")
        refused(lambda: importing.contacts({"name": "Ada"}, tags=[""]), tags="must not be empty")
        refused(lambda: importing.contacts({"name": "Ada"}, mapping={"a": "email"}), mapping="for rows and files")
        refused(lambda: importing.csv("a", "b", mapping={"z": "email"}), **{"mapping.z": "not a column"})
        assert types(importing.pool, importing.workspace) == []


class TestMembersLimitedToWhatIsAssignedToThem:
    def test_are_assigned_what_they_import(self, importing: Importing) -> None:
        limited = importing.member(assigned_only=True)
        limited.contacts({"email": "ada@engine.org"})
        assert [contact.assigned_to for contact in importing.all()] == [limited.caller.account_id]
        assert counts(limited.contacts({"email": "ada@engine.org", "city": "London"})) == (0, 1, 0, 0)

    def test_cannot_change_what_is_someone_elses(self, importing: Importing) -> None:
        importing.create(first_name="Ada", email="ada@engine.org")
        limited = importing.member(assigned_only=True)
        answer = limited.contacts({"email": "ada@engine.org", "city": "London"})
        assert (counts(answer), at_fault(answer.errors)) == ((0, 0, 0, 1), [(1, "email")])
        assert "someone else" in answer.errors[0].message
        assert importing.all() == [Contact(first_name="Ada", email="ada@engine.org")]

    def test_do_not_find_others_by_name(self, importing: Importing) -> None:
        importing.create(first_name="Ada", phone="+14155552671")
        importing.create(first_name="Bob")
        limited = importing.member(assigned_only=True)
        lines = ["Name,Phone", "Ada,+14155552671", "Bob,"]
        assert counts(limited.csv(*lines)) == (2, 0, 0, 0)
        assert counts(limited.csv(*lines)) == (0, 0, 2, 0)

    def test_stay_limited_in_a_job(self, importing: Importing) -> None:
        limited = importing.member(assigned_only=True)
        limited.contacts({"email": "ada@engine.org"}, as_job=True)
        importing.work()
        assert [contact.assigned_to for contact in importing.all()] == [limited.caller.account_id]

    def test_contacts_are_assigned_to_members_only(self, importing: Importing) -> None:
        member = importing.member().caller.account_id
        answer = importing.contacts(
            {"name": "Ada", "assignedTo": str(member)}, {"name": "Bob", "assignedTo": str(new_id())}
        )
        assert at_fault(answer.errors) == [(2, "assignedTo")]
        assert [contact.assigned_to for contact in importing.all()] == [member]

    def test_what_is_no_members_id_is_an_error_of_its_row(
        self, importing: Importing, new_workspace: Callable[[], UUID]
    ) -> None:
        """Text, an id of nobody, and that of another workspace's member, mapped to the field."""
        elsewhere = replace(importing, caller=replace(importing.caller, workspace_id=new_workspace()))
        theirs, ours = elsewhere.member().caller.account_id, importing.member().caller.account_id
        rows = [f"a{n}@engine.org,{owner}" for n, owner in enumerate(["Ada King", new_id(), theirs, ours], 1)]
        for _ in range(2):
            answer = importing.csv("Email,Who", *rows, mapping={"Email": "email", "Who": "assignedTo"})
            assert at_fault(answer.errors) == [(1, "assignedTo"), (2, "assignedTo"), (3, "assignedTo")]
        assert [contact.assigned_to for contact in importing.all()] == [ours]


class TestInTheLog:
    def test_an_import_begins_ends_and_is_what_its_events_have_in_common(self, importing: Importing) -> None:
        answer = importing.csv("Email", "ada@engine.org", "bob@engine.org", tags=["VIP"])
        entries = whole_log(importing.pool, importing.workspace)
        assert [entry.type for entry in entries] == [
            "contact_import.started", "tag.created", "contact.created", "contact.created", "contact_import.completed",
        ]  # fmt: skip
        assert {entry.meta.correlation_id for entry in entries} == {answer.import_id}
        assert {entry.meta.causation_id for entry in entries[1:]} == {entries[0].id}
        assert entries[0].stream.id == answer.import_id
        assert json.loads(bytes(entries[-1].data))["counts"] == {
            "total": 2, "created": 2, "updated": 0, "skipped": 0, "errors": 0,
        }  # fmt: skip
        check_chain(entries, log_end(importing.pool, importing.workspace))

    def test_so_does_a_job(self, importing: Importing) -> None:
        answer = importing.csv("Email", *(f"a{number}@engine.org" for number in range(1_500)))
        importing.work()
        entries = whole_log(importing.pool, importing.workspace)
        assert (entries[0].type, entries[-1].type) == ("contact_import.started", "contact_import.completed")
        assert {entry.meta.correlation_id for entry in entries} == {answer.import_id}
        assert {entry.meta.causation_id for entry in entries[1:]} == {entries[0].id}
        assert {entry.meta.actor.id for entry in entries} == {importing.caller.account_id}
        check_chain(entries, log_end(importing.pool, importing.workspace))


class TestJobs:
    def test_more_than_a_thousand_rows_are_a_job(self, importing: Importing) -> None:
        lines = [f"a{number}@engine.org" for number in range(2_500)]
        lines[1_700] = "nobody"
        answer = importing.csv("Email", *lines, lines[0])
        assert (answer.status, answer.total, answer.created, answer.errors) == ("processing", 2_501, 0, [])
        assert importing.all() == []
        job = importing.job(answer.job_id)
        assert (job.status, job.total, job.processed) == ("processing", 2_501, 0)

        assert importing.work() == 3

        job = importing.job(answer.job_id)
        assert (job.status, job.processed, counts(job)) == ("completed", 2_501, (2_499, 0, 1, 1))
        assert [(error.row, error.line, error.field) for error in job.error_details or []] == [(1_701, 1_702, "email")]
        assert job.completed_at is not None
        assert len(importing.all()) == 2_499

    def test_a_thousand_are_not(self, importing: Importing) -> None:
        assert importing.csv("Email", *(f"a{number}@engine.org" for number in range(1_000))).status == "completed"

    def test_fewer_are_one_when_it_is_wanted(self, importing: Importing) -> None:
        for form in (importing.contacts, importing.rows):
            assert form({"email": "ada@engine.org"}, as_job=True).status == "processing"
        assert importing.csv("email", "ada@engine.org", as_job=True).status == "processing"
        assert importing.contacts(as_job=True).status == "processing"
        assert importing.work() == 4
        assert len(importing.all()) == 1

    def test_each_chunk_is_done_with_its_progress_or_not_at_all(self, importing: Importing) -> None:
        answer = importing.csv("Email", *(f"a{number}@engine.org" for number in range(2_500)))
        for done in (1_000, 2_000, 2_500):
            job = importing.claim()
            assert job is not None

            def dying(unit: Any, job: Any = job) -> None:
                working.work_on(unit, job, KINDS)
                raise KeyboardInterrupt

            with pytest.raises(KeyboardInterrupt):
                importing.store.run(job.origin, dying, bulk=True)
            assert (
                importing.job(answer.job_id).processed
                == len(importing.all())
                == done - min(1_000, done % 1_000 or 1_000)
            )
            assert importing.step(job)
            assert importing.job(answer.job_id).processed == len(importing.all()) == done

    def test_one_whose_lease_was_lost_is_left_alone(self, importing: Importing) -> None:
        importing.csv("Email", "ada@engine.org", as_job=True)
        slow = importing.claim(seconds=0)
        quick = importing.claim()
        assert slow is not None
        assert quick is not None
        assert importing.claim() is None
        for lost in (importing.step, importing.give_up):
            assert lost(slow) is False
        assert importing.step(quick) is True
        assert len(importing.all()) == 1

    def test_a_tag_that_was_deleted_meanwhile_is_left_out_and_that_is_said(self, importing: Importing) -> None:
        lines = [f"a{number}@engine.org" for number in range(1_500)]
        answer = importing.csv("Email", *lines, tags=["VIP", "new"])
        first = importing.claim()
        assert first is not None
        assert importing.step(first)
        with reading(importing.pool, importing.workspace) as conn:
            row = conn.execute(f"SELECT id FROM {TAGS.table} WHERE name = 'vip'").fetchone()
        assert row is not None
        importing.store.run(importing.origin, lambda unit: unit.execute(TAG, row[0], DeleteTag()), bulk=True)
        importing.work()
        assert [len(contact.tags) for contact in importing.all()] == [1] * 1_500
        job = importing.job(answer.job_id)
        assert counts(job) == (1_500, 0, 0, 0)
        assert [(error.row, error.line, error.error) for error in job.error_details or []] == [
            (1_001, 1_002, "tags: 'VIP' was deleted meanwhile; rows 1001 to 1500 are without it")
        ]

    def test_a_failed_one_says_from_where_on_nothing_was_imported(self, importing: Importing) -> None:
        answer = importing.csv("Email", *(f"a{number}@engine.org" for number in range(1_500)))
        first = importing.claim()
        assert first is not None
        assert importing.step(first)
        second = importing.claim()
        assert second is not None
        assert importing.give_up(second)
        job = importing.job(answer.job_id)
        assert (job.status, job.processed) == ("failed", 1_000)
        assert (job.error or "").endswith("From row 1001 on nothing was imported.")
        assert importing.claim() is None
        assert types(importing.pool, importing.workspace)[-1] == "contact_import.failed"


class TestAtTheSameTime:
    def test_imports_of_the_same_contacts_make_each_once(self, importing: Importing) -> None:
        lines = ["Email,Tags", *(f"a{number}@engine.org,t{number % 5}" for number in range(300))]
        together = threading.Barrier(4)

        def go(_: int) -> tuple[int, int, int, int]:
            together.wait(10)
            return counts(importing.csv(*lines, tags=["all"]))

        with ThreadPoolExecutor(4) as executor:
            results = list(executor.map(go, range(4)))
        assert sum(created for created, *_ in results) == 300
        assert all(errors == 0 for *_, errors in results)
        assert len(importing.all()) == count(importing.pool, importing.workspace, "contact") == 300
        assert count(importing.pool, importing.workspace, "tag") == 6
        check_chain(whole_log(importing.pool, importing.workspace), log_end(importing.pool, importing.workspace))

    @pytest.mark.parametrize(
        ("header", "row"),
        [
            ("Name,Phone", "Ada Lee,+1415555{number:04}"),
            ("Name,Plan", "Ada Lee,p{number}"),
            ("Company,Status,Type", "Branch {number},ACTIVE,person"),
            ("Name,Email,Tags", "Ada,a{number}@engine.org,t{number}"),
            ("Name,Phone,Tags", "Ada {number},+14155552671,t{number}"),
        ],
        ids=["by phone", "by all that they say", "by name alone", "by e-mail", "with many tags"],
    )
    def test_whatever_they_are_found_again_by(self, importing: Importing, header: str, row: str) -> None:
        lines = [row.format(number=number) for number in range(300)]
        together = threading.Barrier(3)

        def go(_: int) -> tuple[int, int, int, int]:
            together.wait(10)
            return counts(importing.csv(header, *lines))

        with ThreadPoolExecutor(3) as executor:
            results = list(executor.map(go, range(3)))
        assert sorted(results) == [(0, 0, 300, 0), (0, 0, 300, 0), (300, 0, 0, 0)]
        assert len(importing.all()) == count(importing.pool, importing.workspace, "contact") == 300

    def test_a_job_and_a_request_with_the_same_rows_make_each_once(self, importing: Importing) -> None:
        lines = ["Name,Plan", *(f"Ada,p{number}" for number in range(300))]
        importing.csv(*lines, as_job=True)
        job = importing.claim()
        assert job is not None
        with ThreadPoolExecutor(2) as executor:
            step, answer = executor.submit(importing.step, job), executor.submit(importing.csv, *lines)
            assert step.result()
            assert counts(answer.result()) in [(300, 0, 0, 0), (0, 0, 300, 0)]
        assert len(importing.all()) == 300

    def test_of_many_workers_one_claims_a_job(self, importing: Importing) -> None:
        importing.csv("Email", "ada@engine.org", as_job=True)
        together = threading.Barrier(6)

        def go(_: int) -> Claimed | None:
            together.wait(10)
            return importing.claim()

        with ThreadPoolExecutor(6) as executor:
            claimed = [job for job in executor.map(go, range(6)) if job is not None]
        assert [job.attempts for job in claimed] == [1]
        assert importing.step(claimed[0])

    def test_a_job_that_is_worked_on_keeps_no_other_workspace_waiting(
        self, importing: Importing, new_workspace: Callable[[], UUID]
    ) -> None:
        """Its lease runs out meanwhile; what holds it is the lock."""
        another = replace(importing, caller=replace(importing.caller, workspace_id=new_workspace()))
        importing.csv("Email", "ada@engine.org", as_job=True)
        slow = importing.claim(seconds=0)
        assert slow is not None
        another.csv("Email", "ada@engine.org", as_job=True)

        def working(unit: Work) -> Claimed | None:
            assert queue.hold(unit.conn, slow) is not None
            return importing.claim()

        claimed = importing.store.run(slow.origin, working).value
        assert claimed is not None
        assert claimed.origin.workspace_id == another.workspace
        for job in (claimed, slow):
            assert importing.step(job)


class TestLimits:
    def test_json_has_at_most_ten_thousand_rows(self, importing: Importing) -> None:
        refused(lambda: importing.contacts(*[{}] * 10_001), contacts="at most 10000")
        refused(lambda: importing.rows(*[{}] * 10_001), rows="at most 10000")

    def test_a_table_has_at_most_two_hundred_columns(self, importing: Importing) -> None:
        refused(lambda: importing.csv(",".join(f"c{n}" for n in range(201)), "x"), file="at most 200 columns, not 201")
        refused(lambda: importing.rows({f"c{n}": "" for n in range(201)}), rows="at most 200 columns")

    def test_a_file_that_is_too_long_is_refused_as_a_whole(
        self, importing: Importing, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(import_source, "MAX_CSV_ROWS", 2_500)
        refused(lambda: importing.csv("Email", *("x" for _ in range(2_501))), file="at most 2500 rows")
        assert importing.claim() is None

    def test_a_file_that_breaks_off_in_the_end_is_refused_as_a_whole(self, importing: Importing) -> None:
        content = csv_of("Email", *(f"a{number}@engine.org" for number in range(2_000))) + b"\xff"
        refused(lambda: importing.file(content), file="not UTF-8")
        assert importing.claim() is None
        assert types(importing.pool, importing.workspace) == []

    def test_a_chunk_of_long_rows_has_fewer_of_them(self, importing: Importing) -> None:
        answer = importing.csv("Email,Notes", *(f"a{number}@engine.org,{'x' * 19_000}" for number in range(400)))
        assert answer.status == "processing"
        assert importing.work() == 2
        assert counts(importing.job(answer.job_id)) == (400, 0, 0, 0)
