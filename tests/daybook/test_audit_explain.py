"""What an auditor types to know why a field is as it is."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from click.testing import CliRunner, Result

from daybook.cli import daybook
from daybook.embedded import EmbeddedPostgres
from domain.company import COMPANY, CreateCompany, DeleteCompany
from domain.contact import CONTACT, CreateContact
from domain.object_attribute import OBJECT_ATTRIBUTE, CreateObjectAttribute
from domain.object_record import OBJECT_RECORD, CreateObjectRecord
from domain.object_type import OBJECT_TYPE, CreateObjectType
from eventstore.append import Origin
from eventstore.ids import new_id
from eventstore.unit_of_work import EventStore


@pytest.fixture
def ended(store: EventStore, origin: Origin) -> tuple[UUID, UUID]:
    """A contact, and the company that it belonged to."""
    contact_id, company_id = new_id(), new_id()
    store.run(origin, lambda unit: unit.begin(COMPANY, company_id, CreateCompany(name="Acme")))
    made = CreateContact(first_name="Ann", company_id=company_id)
    store.run(origin, lambda unit: unit.begin(CONTACT, contact_id, made))
    store.run(origin, lambda unit: unit.execute(COMPANY, company_id, DeleteCompany()))
    return contact_id, company_id


def explain(postgres: EmbeddedPostgres, workspace: UUID, *words: str) -> Result:
    env = {"DATABASE_URL": postgres.url()}
    return CliRunner().invoke(daybook, ["audit", "explain", "--workspace", str(workspace), *words], env=env)


def test_the_event_that_set_it_and_what_led_to_that(
    postgres: EmbeddedPostgres, workspace: UUID, ended: tuple[UUID, UUID]
) -> None:
    contact_id, company_id = ended
    done = explain(postgres, workspace, "contact", str(contact_id), "companyId")
    assert done.exit_code == 0, done.output
    now, was, by, because = done.output.splitlines()
    assert (now, was) == ("companyId is null", f'it was "{company_id}" before')
    assert by.startswith(f"set by     seq 3: contact.updated of contact {contact_id}, ")
    assert because.startswith(f"because of seq 4: company.deleted of company {company_id}, ")


def test_as_it_was_at_a_moment(postgres: EmbeddedPostgres, workspace: UUID, ended: tuple[UUID, UUID]) -> None:
    done = explain(postgres, workspace, "--as-of", "2", "contact", str(ended[0]), "companyId")
    assert done.output.splitlines()[0] == f'companyId is "{ended[1]}"'
    assert "seq 2: contact.created" in done.output


def test_a_field_that_no_event_has_set(postgres: EmbeddedPostgres, workspace: UUID, ended: tuple[UUID, UUID]) -> None:
    done = explain(postgres, workspace, "contact", str(ended[0]), "customFields.plan")
    assert done.output.splitlines() == ["customFields.plan is null", "no event has ever set it"]


def test_what_cannot_be_told_ends_with_2_and_the_reason(
    postgres: EmbeddedPostgres, workspace: UUID, ended: tuple[UUID, UUID]
) -> None:
    contact_id = str(ended[0])
    for words, says in (
        (("contact", contact_id, "colour"), "must be one of"),
        (("contact", str(uuid4()), "city"), "No such contact"),
        (("company", contact_id, "name"), "No such company"),
        (("--as-of", "99", "contact", contact_id, "city"), "ahead of the log"),
    ):
        done = explain(postgres, workspace, *words)
        assert done.exit_code == 2
        assert says in done.output


def test_an_amount_is_told_as_a_number_of_whole_units(
    postgres: EmbeddedPostgres, workspace: UUID, store: EventStore, origin: Origin
) -> None:
    type_id, record_id = new_id(), new_id()
    value = CreateObjectAttribute(object_type_id=type_id, name="Value", key="Value", type="currency", currency="USD")
    made = CreateObjectRecord(object_type_id=type_id, title="Brewery", attributes={"Value": 42000.5})
    store.run(origin, lambda unit: unit.begin(OBJECT_TYPE, type_id, CreateObjectType(name="Projects", slug="projects")))
    store.run(origin, lambda unit: unit.begin(OBJECT_ATTRIBUTE, new_id(), value))
    store.run(origin, lambda unit: unit.begin(OBJECT_RECORD, record_id, made))
    done = explain(postgres, workspace, "object_record", str(record_id), "attributes.Value")
    assert done.output.splitlines()[0] == "attributes.Value is 42000.50"
