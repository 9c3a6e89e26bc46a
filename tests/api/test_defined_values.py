"""Values of custom fields are held to their definitions, whichever door they come in by."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from domain.contact import CONTACT, CreateContact
from domain.kernel import Refused
from eventstore.append import Origin
from eventstore.ids import new_id
from eventstore.unit_of_work import EventStore
from projections.catalogue import ROWS
from schemas.log import Actor
from tests.api.asserting import gone, ok, refused
from tests.api.conftest import Done
from tests.api.team import Team, created
from tests.api.test_custom_field import define, path


@pytest.fixture
def level(team: Team) -> dict[str, Any]:
    return define(team, key="level", type="select", options=["gold", "silver"])


def custom(contact: dict[str, Any]) -> Any:
    return contact["customFields"]


class TestEveryDoor:
    @pytest.mark.usefixtures("level")
    def test_creating(self, team: Team) -> None:
        assert custom(team.owner.contact(customFields={"level": "GOLD", "free": "as it is"})) == {
            "free": "as it is",
            "level": "gold",
        }
        body = {"firstName": "A", "customFields": {"level": "platinum", "free": 1}}
        refused(team.owner.post("/contacts", body), 422, "customFields.level", says="gold, silver")

    @pytest.mark.usefixtures("level")
    def test_changing(self, team: Team) -> None:
        contact = f"/contacts/{team.owner.contact()['id']}"
        assert custom(ok(team.owner.patch(contact, {"customFields": {"level": "Silver"}}))["data"]) == {
            "level": "silver"
        }
        refused(team.owner.patch(contact, {"customFields": {"level": 7}}), 422, "customFields.level")
        assert custom(ok(team.owner.patch(contact, {"customFields": {"level": None}}))["data"]) == {}

    @pytest.mark.usefixtures("level")
    def test_one_value_by_its_key(self, team: Team) -> None:
        contact = f"/contacts/{team.owner.contact()['id']}"

        def put(key: str, value: object, **more: Any) -> Any:
            return team.owner.ask("PUT", f"{contact}/custom/{key}", json={"value": value}, **more)

        assert custom(ok(put("level", "Gold"))["data"]) == {"level": "gold"}
        assert custom(ok(put("free", [1, "two"]))["data"]) == {"free": [1, "two"], "level": "gold"}
        assert custom(ok(put("free", None))["data"]) == {"level": "gold"}
        refused(put("level", "platinum"), 422, "value", says="gold, silver")
        refused(put("-level", "gold"), 422, "key")
        refused(put("level", {"a": 1}), 422, "value")
        refused(put("level", "silver", headers={"if-match": '"1"'}), 412)
        refused(team.owner.ask("PUT", f"/contacts/{new_id()}/custom/level", json={"value": "gold"}), 404)

    @pytest.mark.usefixtures("level")
    def test_updating_whom_it_meets(self, team: Team) -> None:
        team.owner.contact(email="ada@example.com")
        body = {"email": "ada@example.com", "customFields": {"level": "Gold"}}
        answer = team.owner.post("/contacts", body, params={"onConflict": "update"})
        assert custom(ok(answer)["data"]) == {"level": "gold"}
        refused(
            team.owner.post("/contacts", {**body, "customFields": {"level": "x"}}, params={"onConflict": "update"}),
            422,
            "customFields.level",
        )

    @pytest.mark.usefixtures("level")
    def test_importing(self, team: Team) -> None:
        define(team, key="score", type="number")
        rows = [
            {"E-mail": "a@example.com", "Level": "Gold", "Score": "38"},
            {"E-mail": "b@example.com", "Level": "platinum", "Score": "many"},
        ]
        mapping = {"E-mail": "email", "Level": "custom.level", "Score": "customFields.score"}
        answer = ok(team.owner.post("/contacts/import", {"rows": rows, "mapping": mapping}))["data"]
        assert answer["created"] == 1
        assert {(error["row"], error["field"]) for error in answer["errors"]} == {
            (2, "customFields.level"),
            (2, "customFields.score"),
        }
        (ada,) = team.owner.listed("/contacts")
        assert custom(ada) == {"level": "gold", "score": 38}

    @pytest.mark.usefixtures("level")
    def test_a_key_that_is_written_otherwise_is_the_same(self, team: Team) -> None:
        body = {"firstName": "A", "customFields": {" level ": "platinum"}}
        refused(team.owner.post("/contacts", body), 422, "customFields.level")


class TestANumberWithoutACountryCode:
    """Is of the workspace's region."""

    @pytest.fixture
    def german(self, team: Team) -> Team:
        ok(team.owner.patch("/workspace", {"phoneRegion": "DE"}))
        for entity in ("contact", "company", "deal"):
            define(team, key="mobile", type="phone", entity=entity)
        return team

    GIVEN = {"mobile": "030 901820"}  # noqa: RUF012 - nobody changes it
    KEPT = {"mobile": "+4930901820"}  # noqa: RUF012

    def test_of_a_contact(self, german: Team) -> None:
        assert custom(german.owner.contact(customFields=self.GIVEN)) == self.KEPT
        assert custom(german.owner.contact(phone="+14155552671", customFields=self.GIVEN)) == self.KEPT
        contact = f"/contacts/{german.owner.contact()['id']}"
        assert custom(ok(german.owner.patch(contact, {"customFields": self.GIVEN}))["data"]) == self.KEPT
        put = german.owner.ask("PUT", f"{contact}/custom/mobile", json={"value": "(030) 901821"})
        assert custom(ok(put)["data"]) == {"mobile": "+4930901821"}
        foreign = ok(german.owner.patch(contact, {"customFields": {"mobile": "00 44 20 7031 3000"}}))["data"]
        assert custom(foreign) == {"mobile": "+442070313000"}

    def test_of_an_imported_contact(self, german: Team) -> None:
        rows = [{"E-mail": "a@example.com", "Mobile": "030 901820"}]
        mapping = {"E-mail": "email", "Mobile": "custom.mobile"}
        ok(german.owner.post("/contacts/import", {"rows": rows, "mapping": mapping}))
        (found,) = german.owner.listed("/contacts")
        assert custom(found) == self.KEPT

    def test_of_a_company(self, german: Team) -> None:
        acme = german.owner.company(customFields=self.GIVEN)
        assert custom(acme) == self.KEPT
        changed = german.owner.patch(f"/companies/{acme['id']}", {"customFields": {"mobile": "030 901821"}})
        assert custom(ok(changed)["data"]) == {"mobile": "+4930901821"}

    def test_of_a_deal(self, german: Team) -> None:
        pipeline = created(german.owner.post("/pipelines", {"name": "Sales", "stages": [{"name": "New"}]}))
        (stage,) = german.owner.listed(f"/pipelines/{pipeline['id']}/stages")
        deal = {"name": "D", "value": 0, "pipelineId": pipeline["id"], "stageId": stage["id"]}
        made = created(german.owner.post("/deals", {**deal, "customFields": self.GIVEN}))
        assert custom(made) == self.KEPT
        changed = german.owner.patch(f"/deals/{made['id']}", {"customFields": {"mobile": "030 901821"}})
        assert custom(ok(changed)["data"]) == {"mobile": "+4930901821"}


class TestWhatIsRequired:
    def test_must_be_there_from_the_beginning(self, team: Team) -> None:
        before = team.owner.contact()
        define(team, key="plan", required=True)
        refused(team.owner.post("/contacts", {"firstName": "A"}), 422, "customFields.plan", says="is required")
        refused(
            team.owner.post("/contacts", {"firstName": "A", "customFields": {"plan": " "}}), 422, "customFields.plan"
        )
        after = team.owner.contact(customFields={"plan": "x"})
        refused(
            team.owner.patch(f"/contacts/{after['id']}", {"customFields": {"plan": None}}), 422, "customFields.plan"
        )
        ok(team.owner.patch(f"/contacts/{after['id']}", {"city": "Bonn"}))
        ok(team.owner.patch(f"/contacts/{before['id']}", {"city": "Bonn"}))

    def test_of_persons_is_not_of_organizations(self, team: Team) -> None:
        define(team, key="plan", required=True, contactType="person")
        team.owner.contact(company="Acme", type="organization")
        refused(team.owner.post("/contacts", {"firstName": "A"}), 422, "customFields.plan")
        body = {"company": "Acme", "type": "organization", "customFields": {"plan": "x"}}
        refused(team.owner.post("/contacts", body), 422, "customFields.plan", says="field of others")


class TestARelatedContact:
    def test_must_be_there(self, team: Team, others: Team) -> None:
        define(team, key="referred_by", type="related")
        ada = team.owner.contact()
        bob = team.owner.contact(customFields={"referred_by": ada["id"].upper()})
        assert custom(bob) == {"referred_by": ada["id"]}
        for nobody in (str(new_id()), others.owner.contact()["id"]):
            body = {"firstName": "A", "customFields": {"referred_by": nobody}}
            refused(team.owner.post("/contacts", body), 422, "customFields.referred_by", says="no such contact")

    def test_that_is_deleted_is_let_go_of_even_where_it_is_required(self, team: Team) -> None:
        define(team, key="referred_by", type="related", required=True)
        define(team, key="boss", type="related", contactType="person")
        ada = {"referred_by": None}
        refused(team.owner.post("/contacts", {"firstName": "A", "customFields": ada}), 422, "customFields.referred_by")
        define_free = team.owner.listed("/custom-fields")
        assert len(define_free) == 2
        ok(team.owner.patch(path(define_free[0]), {"required": False}))
        first = team.owner.contact()
        ok(team.owner.patch(path(define_free[0]), {"required": True}))
        bob = team.owner.contact(customFields={"referred_by": first["id"], "boss": first["id"]})
        gone(team.owner.delete(f"/contacts/{first['id']}"))
        assert custom(team.owner.shown(f"/contacts/{bob['id']}")) == {}

    @pytest.mark.parametrize("required", [False, True])
    def test_may_be_the_contact_itself_which_ends_all_the_same(self, team: Team, done: Done, *, required: bool) -> None:
        contacts = [team.owner.contact() for _ in range(3)]
        define(team, key="head_of_household", type="related", required=required)
        for one in contacts:
            ok(team.owner.patch(f"/contacts/{one['id']}", {"customFields": {"head_of_household": one["id"]}}))
        first, second, third = (one["id"] for one in contacts)
        gone(team.owner.delete(f"/contacts/{first}"))
        ok(team.owner.post(f"/contacts/{second}/erase", {}))
        assert done(team.owner.post("/bulk/contacts/delete", {"ids": [third]}))["deleted"] == 1
        assert team.owner.listed("/contacts") == []


class TestADefinitionWithData:
    def test_keeps_its_type_and_key(self, team: Team, level: dict[str, Any]) -> None:
        contact = team.owner.contact(customFields={"level": "gold"})
        refused(team.owner.patch(path(level), {"type": "text"}), 422, "type", says="while there is data")
        refused(team.owner.patch(path(level), {"type": "multi_select"}), 422, "type", says="while there is data")
        refused(team.owner.patch(path(level), {"key": "rank"}), 422, "key", says="while there is data")
        ok(team.owner.patch(path(level), {"options": ["silver"], "name": "Rank"}))
        assert custom(team.owner.shown(f"/contacts/{contact['id']}")) == {"level": "gold"}
        ok(team.owner.patch(f"/contacts/{contact['id']}", {"customFields": {"level": None}}))
        assert ok(team.owner.patch(path(level), {"type": "text", "key": "rank"}))["data"]["type"] == "text"

    def test_of_a_pick_list_keeps_how_many_can_be_selected(self, team: Team) -> None:
        field = define(team, key="levels", type="pick_list", options=["a", "b"])
        ok(team.owner.patch(path(field), {"allowMultiple": True}))
        team.owner.contact(customFields={"levels": ["a"]})
        refused(team.owner.patch(path(field), {"allowMultiple": False}), 422, "allowMultiple")

    def test_is_deleted_with_all_its_values(self, team: Team, level: dict[str, Any]) -> None:
        contacts = [team.owner.contact(customFields={"level": "gold", "free": 1}) for _ in range(3)]
        gone(team.owner.delete(path(level)))
        for contact in contacts:
            assert custom(team.owner.shown(f"/contacts/{contact['id']}")) == {"free": 1}
        team.owner.contact(customFields={"level": "platinum"})

    @pytest.mark.usefixtures("level")
    def test_of_another_entity_keeps_its_values(self, team: Team) -> None:
        other = define(team, key="level", entity="company")
        contact = team.owner.contact(customFields={"level": "gold"})
        gone(team.owner.delete(path(other)))
        assert custom(team.owner.shown(f"/contacts/{contact['id']}")) == {"level": "gold"}

    def test_that_was_required_can_be_deleted(self, team: Team) -> None:
        field = define(team, key="plan", required=True)
        contact = team.owner.contact(customFields={"plan": "x"})
        gone(team.owner.delete(path(field)))
        assert custom(team.owner.shown(f"/contacts/{contact['id']}")) == {}

    def test_of_very_many_goes_by_a_job_and_takes_no_value_meanwhile(self, team: Team, level: dict[str, Any]) -> None:
        mapping = {"E-mail": "email", "Level": "custom.level"}
        for first, last in ((0, 500), (500, 1_001)):
            rows = [{"E-mail": f"c{number}@example.com", "Level": "gold"} for number in range(first, last)]
            ok(team.owner.post("/contacts/import", {"rows": rows, "mapping": mapping}))
        job = ok(team.owner.delete(path(level)), 202)["data"]
        assert job["total"] == 1_001
        body = {"firstName": "A", "customFields": {"level": "gold"}}
        refused(team.owner.post("/contacts", body), 422, "customFields.level", says="about to be deleted")
        assert ok(team.owner.delete(path(level)), 202)["data"]["id"] == job["id"]


class Elsewhere:
    """Another process on the same database, which remembers definitions by itself."""

    def __init__(self, team: Team) -> None:
        self.store = EventStore(team.services.pool, ROWS)
        self.origin = Origin(team.workspace_id, Actor(type="system"))

    def create(self, **fields: Any) -> dict[str, Any]:
        command = CreateContact(first_name="Ada", custom_fields=fields)
        done = self.store.run(self.origin, lambda unit: unit.begin(CONTACT, new_id(), command))
        return done.value.state.custom_fields


@pytest.fixture
def elsewhere(team: Team) -> Elsewhere:
    """One that has looked up already what there was before the test began to define."""
    found = Elsewhere(team)
    found.create()
    return found


class TestAChangeByAnotherProcess:
    """Definitions are remembered; a change of them holds at once all the same, whichever way it goes."""

    def test_holds_for_what_was_free_before(self, team: Team, elsewhere: Elsewhere) -> None:
        define(team, key="score", type="number")
        assert elsewhere.create(score="38") == {"score": 38}

    def test_holds_for_what_was_not_required_before(self, team: Team, elsewhere: Elsewhere) -> None:
        define(team, key="score", type="number", required=True)
        with pytest.raises(Refused, match="score"):
            elsewhere.create()

    def test_holds_for_what_was_refused_before(self, team: Team, elsewhere: Elsewhere) -> None:
        field = define(team, key="level", type="select", options=["gold"], required=True)
        assert elsewhere.create(level="gold") == {"level": "gold"}
        ok(team.owner.patch(path(field), {"options": ["gold", "silver"], "required": False}))
        assert elsewhere.create(level="silver") == {"level": "silver"}
        ok(team.owner.patch(path(field), {"options": ["gold"], "required": True}))
        ok(team.owner.patch(path(field), {"required": False}))
        assert elsewhere.create() == {}

    def test_holds_for_bulk_work(self, team: Team, elsewhere: Elsewhere) -> None:
        define(team, key="score", type="number")
        command = CreateContact(first_name="Ada", custom_fields={"score": "38"})
        done = elsewhere.store.run(
            elsewhere.origin, lambda unit: unit.begin(CONTACT, new_id(), command).state.custom_fields, bulk=True
        )
        assert done.value == {"score": 38}

    def test_leaves_a_value_of_what_is_deleted_free(self, team: Team, elsewhere: Elsewhere) -> None:
        field = define(team, key="score", type="number")
        assert elsewhere.create(score="38") == {"score": 38}
        gone(team.owner.delete(path(field)))
        assert elsewhere.create(score="38") == {"score": "38"}

    def test_between_deciding_and_writing_is_noticed(self, team: Team, elsewhere: Elsewhere) -> None:
        tries = 0

        def work(unit: Any) -> Any:
            nonlocal tries
            tries += 1
            made = unit.begin(CONTACT, new_id(), CreateContact(first_name="Ada", custom_fields={"score": "38"}))
            if tries == 1:
                define(team, key="score", type="number")
            return made.state.custom_fields

        assert elsewhere.store.run(elsewhere.origin, work).value == {"score": 38}
        assert tries == 2

    def test_never_lets_a_type_change_under_a_value(self, team: Team) -> None:
        """Whoever comes first: a text, and then the type stays; or the other type, and then the text is refused."""
        for number in range(6):
            key = f"field_{number}"
            field = define(team, key=key)
            store = Elsewhere(team)

            def write(name: str = key, where: Elsewhere = store) -> bool:
                try:
                    where.create(**{name: "no number"})
                except Refused:
                    return False
                return True

            def change(asked: str = path(field)) -> bool:
                return team.owner.patch(asked, {"type": "number"}).status_code == 200

            with ThreadPoolExecutor(2) as threads:
                done = [threads.submit(write), threads.submit(change)]
                assert [entry.result() for entry in done].count(True) == 1
