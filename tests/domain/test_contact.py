"""Rules of contacts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from domain.contact import (
    CONTACT,
    Contact,
    ContactCommand,
    ContactCreated,
    ContactDeleted,
    ContactResubscribed,
    ContactTagged,
    ContactUnsubscribed,
    ContactUntagged,
    ContactUpdated,
    CreateContact,
    DeleteContact,
    TagContact,
    UntagContact,
    UpdateContact,
)
from domain.contact_fields import ContactChanges
from domain.kernel.values import MAX_CUSTOM_FIELDS, CustomValue
from domain.tag import TagRef
from tests.language import given

VIP = TagRef(id=UUID("018f0000-0000-7000-8000-00000000000a"), name="VIP")
LEAD = TagRef(id=UUID("018f0000-0000-7000-8000-00000000000b"), name="Lead")

created = ContactCreated(type="person", status="ACTIVE", first_name="Ada", email="ada@engine.org")


def after(*history: ContactCommand) -> Contact:
    state = given(CONTACT, *history).state
    assert state is not None
    return state


def many_tags(count: int) -> tuple[TagRef, ...]:
    return tuple(TagRef(id=UUID(int=number), name=f"tag {number}") for number in range(count))


class TestCreate:
    def test_a_contact_is_a_person_and_active_unless_said_otherwise(self) -> None:
        state = given(CONTACT).when(CreateContact(first_name="Ada", email="ada@engine.org")).then(created)
        assert state == Contact(type="person", status="ACTIVE", first_name="Ada", email="ada@engine.org")

    @pytest.mark.parametrize("field", ["first_name", "last_name", "email", "phone", "company"])
    def test_any_one_of_five_fields_says_who_it_is(self, field: str) -> None:
        value: Any = {"email": "ada@engine.org", "phone": "+14155552671"}.get(field, "Ada")
        assert given(CONTACT).when(CreateContact(**{field: value})).events

    @pytest.mark.parametrize(
        "nobody",
        [{}, {"city": "London"}, {"first_name": " ", "email": "", "phone": ""}, {"last_name": None}],
    )
    def test_a_contact_that_is_nobody_is_refused(self, nobody: dict[str, Any]) -> None:
        given(CONTACT).when(CreateContact(**nobody)).refused("validation_failed", says="at least one of firstName")

    def test_values_are_normalised(self) -> None:
        given(CONTACT).when(
            CreateContact(
                first_name=" Ada ",
                email=" Ada@Engine.ORG",
                phone="(415) 555-2671 ext. 89",
                website=" https://engine.org ",
                birthday="18151210",
                language=" en-GB ",
            )
        ).then(
            ContactCreated(
                type="person",
                status="ACTIVE",
                first_name="Ada",
                email="ada@engine.org",
                phone="+14155552671",
                phone_extension="89",
                website="https://engine.org",
                birthday="1815-12-10",
                language="en-GB",
            )
        )

    def test_a_value_of_white_space_is_no_value(self) -> None:
        blank: dict[str, Any] = dict.fromkeys(
            ["last_name", "email", "phone", "phone_extension", "company", "job_title", "website", "source", "language",
             "notes", "birthday", "address", "city", "state", "zipcode", "country"],
            "  ",
        )  # fmt: skip
        given(CONTACT).when(CreateContact(first_name="Ada", **blank)).then(
            ContactCreated(type="person", status="ACTIVE", first_name="Ada")
        )

    def test_all_that_is_wrong_is_said_at_once_by_the_names_that_callers_use(self) -> None:
        given(CONTACT).when(
            CreateContact(
                first_name="x" * 256,
                email="nobody",
                phone="call me",
                website="engine.org",
                birthday="yesterday",
                custom_fields={"a": {"b": 1}},  # type: ignore[dict-item]  # what is refused
            )
        ).refused("validation_failed", fields=["firstName", "email", "website", "birthday", "customFields", "phone"])

    def test_a_number_without_country_code_is_of_the_workspaces_region(self) -> None:
        assert after(CreateContact(phone="030 901820", phone_region="DE")).phone == "+4930901820"
        assert after(CreateContact(phone="+1 415 555 2671", phone_region="DE")).phone == "+14155552671"
        assert after(CreateContact(phone="0044 20 7031 3000", phone_region="DE")).phone == "+442070313000"

    def test_an_extension_of_its_own_wins_over_one_in_the_number(self) -> None:
        assert after(CreateContact(phone="+14155552671 ext. 89", phone_extension="12")).phone_extension == "12"

    def test_a_custom_field_or_preference_without_value_is_left_out(self) -> None:
        state = after(
            CreateContact(
                first_name="Ada",
                custom_fields={"score": 7, "old": None},
                communication_preferences={"email": "weekly", "sms": None},
            )
        )
        assert state.custom_fields == {"score": 7}
        assert state.communication_preferences == {"email": "weekly"}

    def test_each_tag_is_borne_once_in_the_order_given(self) -> None:
        state = (
            given(CONTACT)
            .when(CreateContact(first_name="Ada", tags=(VIP, LEAD, VIP)))
            .then(ContactCreated(type="person", status="ACTIVE", first_name="Ada", tags=(VIP, LEAD)))
        )
        assert state is not None
        assert state.tags == (VIP.id, LEAD.id)

    def test_a_contact_has_at_most_100_tags(self) -> None:
        given(CONTACT).when(CreateContact(first_name="Ada", tags=many_tags(101))).refused(
            "validation_failed", says="at most 100 tags"
        )
        assert given(CONTACT).when(CreateContact(first_name="Ada", tags=many_tags(100))).events

    def test_a_contact_is_created_once(self) -> None:
        given(CONTACT, created).when(CreateContact(first_name="Ada")).refused("conflict")


class TestUpdate:
    def test_only_what_differs_has_changed(self) -> None:
        given(CONTACT, created).when(
            UpdateContact(first_name="Ada", last_name="Lovelace", email="ADA@engine.org")
        ).then(
            ContactUpdated(
                changed=ContactChanges(last_name="Lovelace"),
                previous=ContactChanges(last_name=None),
            )
        )

    def test_what_is_so_already_is_no_event(self) -> None:
        given(CONTACT, created).when(UpdateContact(first_name=" Ada", notes="")).nothing()
        given(CONTACT, created).when(UpdateContact()).nothing()

    def test_a_field_is_taken_away_with_null_or_white_space(self) -> None:
        before = CreateContact(first_name="Ada", city="London", notes="Poet's daughter")
        state = (
            given(CONTACT, before)
            .when(UpdateContact(city=None, notes=" "))
            .then(
                ContactUpdated(
                    changed=ContactChanges(city=None, notes=None),
                    previous=ContactChanges(city="London", notes="Poet's daughter"),
                )
            )
        )
        assert state == Contact(first_name="Ada")

    def test_a_contact_stays_somebody(self) -> None:
        given(CONTACT, created).when(UpdateContact(first_name=None, email=None)).refused(
            "validation_failed", says="at least one of firstName"
        )
        assert given(CONTACT, created).when(UpdateContact(first_name=None)).events

    def test_a_new_number_takes_the_old_ones_extension_with_it(self) -> None:
        before = CreateContact(phone="+14155552671 ext. 89", first_name="Ada")
        assert after(before, UpdateContact(phone="+442070313000")).phone_extension is None
        assert after(before, UpdateContact(phone="+442070313000", phone_extension="3")).phone_extension == "3"

    @pytest.mark.parametrize("no_number", [None, ""])
    def test_without_number_there_is_no_extension(self, no_number: str | None) -> None:
        state = after(CreateContact(phone="+14155552671 ext. 89", first_name="Ada"), UpdateContact(phone=no_number))
        assert (state.phone, state.phone_extension) == (None, None)

    def test_custom_fields_are_merged_by_key(self) -> None:
        before = CreateContact(first_name="Ada", custom_fields={"score": 7, "plan": "gold", "old": True})
        state = (
            given(CONTACT, before)
            .when(UpdateContact(custom_fields={"score": 8, "plan": "gold", "old": None, "none": None, "new": ["a", 1]}))
            .then(
                ContactUpdated(
                    changed=ContactChanges(custom_fields={"new": ["a", 1], "old": None, "score": 8}),
                    previous=ContactChanges(custom_fields={"new": None, "old": True, "score": 7}),
                )
            )
        )
        assert state is not None
        assert state.custom_fields == {"new": ["a", 1], "plan": "gold", "score": 8}

    @pytest.mark.parametrize(("old", "new"), [(1, True), (False, 0), ([1], [True])])
    def test_a_number_is_no_truth_value(self, old: CustomValue, new: CustomValue) -> None:
        before = CreateContact(first_name="Ada", custom_fields={"a": old})
        (event,) = given(CONTACT, before).when(UpdateContact(custom_fields={"a": new})).events
        assert isinstance(event, ContactUpdated)

    def test_a_contact_has_at_most_200_custom_fields(self) -> None:
        full = CreateContact(
            first_name="Ada", custom_fields={f"field {number}": number for number in range(MAX_CUSTOM_FIELDS)}
        )
        given(CONTACT, full).when(UpdateContact(custom_fields={"one more": 1})).refused(
            "validation_failed", field="customFields", says="at most 200"
        )
        given(CONTACT, full).when(UpdateContact(custom_fields={"field 0": None, "one more": 1})).then(
            ContactUpdated(
                changed=ContactChanges(custom_fields={"field 0": None, "one more": 1}),
                previous=ContactChanges(custom_fields={"field 0": 0, "one more": None}),
            )
        )

    def test_preferences_are_merged_by_key(self) -> None:
        before = CreateContact(first_name="Ada", communication_preferences={"email": "weekly", "sms": "never"})
        state = after(before, UpdateContact(communication_preferences={"sms": None, "phone": "monthly"}))
        assert state.communication_preferences == {"email": "weekly", "phone": "monthly"}

    def test_a_contact_has_at_most_100_preferences(self) -> None:
        full = CreateContact(first_name="Ada", communication_preferences={f"p{n}": "yes" for n in range(100)})
        given(CONTACT, full).when(UpdateContact(communication_preferences={"one more": "yes"})).refused(
            "validation_failed", field="communicationPreferences", says="at most 100"
        )

    def test_unsubscribing_is_an_event_of_its_own(self) -> None:
        state = (
            given(CONTACT, created)
            .when(UpdateContact(globally_unsubscribed=True, city="London"))
            .then(
                ContactUpdated(changed=ContactChanges(city="London"), previous=ContactChanges(city=None)),
                ContactUnsubscribed(),
            )
        )
        assert state is not None
        assert state.globally_unsubscribed

    def test_so_is_resubscribing(self) -> None:
        state = (
            given(CONTACT, created, ContactUnsubscribed())
            .when(UpdateContact(globally_unsubscribed=False))
            .then(ContactResubscribed())
        )
        assert state is not None
        assert not state.globally_unsubscribed

    def test_unsubscribing_twice_is_no_event(self) -> None:
        given(CONTACT, created, ContactUnsubscribed()).when(UpdateContact(globally_unsubscribed=True)).nothing()

    def test_what_is_wrong_is_refused_as_on_creation(self) -> None:
        given(CONTACT, created).when(UpdateContact(email="nobody", birthday="2026-02-30")).refused(
            "validation_failed", fields=["email", "birthday"]
        )


class TestTags:
    def test_tags_are_added_once(self) -> None:
        state = (
            given(CONTACT, created, ContactTagged(tag_id=VIP.id, tag_name="VIP"))
            .when(TagContact(tags=(LEAD, VIP, LEAD)))
            .then(ContactTagged(tag_id=LEAD.id, tag_name="Lead"))
        )
        assert state is not None
        assert state.tags == (VIP.id, LEAD.id)

    def test_a_contact_has_at_most_100_tags(self) -> None:
        full = CreateContact(first_name="Ada", tags=many_tags(100))
        given(CONTACT, full).when(TagContact(tags=(VIP,))).refused("validation_failed", says="at most 100 tags")
        given(CONTACT, full).when(TagContact(tags=many_tags(100))).nothing()

    def test_a_tag_is_taken_off(self) -> None:
        state = (
            given(CONTACT, CreateContact(first_name="Ada", tags=(VIP, LEAD)))
            .when(UntagContact(tags=(VIP, VIP)))
            .then(ContactUntagged(tag_id=VIP.id, tag_name="VIP"))
        )
        assert state is not None
        assert state.tags == (LEAD.id,)

    def test_a_tag_that_is_not_borne_is_not_taken_off(self) -> None:
        given(CONTACT, created).when(UntagContact(tags=(VIP,))).nothing()


class TestDelete:
    def test_a_contact_ends_when_deleted(self) -> None:
        assert given(CONTACT, created).when(DeleteContact()).then(ContactDeleted()) is None

    @pytest.mark.parametrize(
        "command", [UpdateContact(city="London"), TagContact(tags=(VIP,)), UntagContact(tags=(VIP,)), DeleteContact()]
    )
    def test_what_does_not_exist_cannot_be_changed(self, command: ContactCommand) -> None:
        given(CONTACT).when(command).refused("not_found")
        given(CONTACT, created, ContactDeleted()).when(command).refused("not_found")


class TestName:
    @pytest.mark.parametrize(
        ("fields", "name"),
        [
            ({"first_name": "Ada", "last_name": "Lovelace", "company": "Engines"}, "Ada Lovelace"),
            ({"last_name": "Lovelace", "company": "Engines"}, "Lovelace"),
            ({"company": "Engines", "email": "ada@engine.org"}, "Engines"),
            ({"email": "ada@engine.org", "phone": "+14155552671"}, "ada@engine.org"),
            ({"phone": "+14155552671"}, "+14155552671"),
        ],
    )
    def test_a_contact_is_called_by_the_best_that_is_known(self, fields: dict[str, Any], name: str) -> None:
        assert after(CreateContact(**fields)).name == name
