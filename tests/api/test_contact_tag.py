"""The tags of contacts over HTTP: brought with the contact, put on, taken off, and read for many at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote
from uuid import uuid4

import pytest

from tests.api.asserting import gone, ok, refused
from tests.api.team import Team, created


class TestWithTheContact:
    def test_tags_by_name_are_made_when_missing_and_found_when_not(self, team: Team) -> None:
        known = team.owner.tag("Spring Fair", color="#1a7f37")
        contact = team.owner.contact(tags=["spring fair", "spring-fair", "Lead", "LEAD"])
        assert contact["tags"] == ["Spring Fair", "Lead"]
        assert contact["tagDetails"][0] == {
            "id": known["id"],
            "name": "Spring Fair",
            "slug": "spring-fair",
            "color": "#1a7f37",
        }
        assert [tag["name"] for tag in team.owner.listed("/tags")] == ["Lead", "Spring Fair"]

    def test_tags_by_id_must_exist(self, team: Team, others: Team) -> None:
        tag = team.owner.tag("VIP")
        assert team.owner.contact(tagIds=[tag["id"]], tags=["Lead"])["tags"] == ["Lead", "VIP"]
        for unknown in (str(uuid4()), others.owner.tag("VIP")["id"]):
            refused(team.owner.post("/contacts", {"firstName": "A", "tagIds": [unknown]}), 422, "tagIds", says=unknown)

    def test_tags_may_be_named_by_their_ids(self, team: Team, others: Team) -> None:
        known, theirs = team.owner.tag("VIP"), others.owner.tag("VIP")
        contact = team.owner.contact(tags=[known["id"].upper(), "vip", "Lead"])
        assert contact["tags"] == ["VIP", "Lead"]
        assert ok(team.owner.patch(f"/contacts/{contact['id']}", {"tags": [known["id"]]}))["data"]["tags"] == ["VIP"]
        ok(team.owner.post(f"/contacts/{contact['id']}/tags", {"tags": [contact["tagDetails"][1]["id"], "Lead"]}))
        assert [tag["name"] for tag in team.owner.listed(f"/contacts/{contact['id']}/tags")] == ["VIP", "Lead"]
        assert team.owner.contact(tags=[theirs["id"]])["tags"] == [theirs["id"]]

    def test_a_contact_has_at_most_100_tags(self, team: Team) -> None:
        names = [f"Tag {number}" for number in range(101)]
        refused(team.owner.post("/contacts", {"firstName": "A", "tags": names}), 422, "tags", says="at most 100")
        contact = team.owner.contact(tags=names[:100])
        refused(team.owner.post(f"/contacts/{contact['id']}/tags", {"tags": ["More"]}), 422, says="at most 100 tags")

    def test_two_who_bring_the_same_new_tag_at_the_same_time_share_it(self, team: Team) -> None:
        def create(number: int) -> list[str]:
            contact = created(team.owner.post("/contacts", {"firstName": "A", "tags": [f"Tag {number % 5}", "All"]}))
            return [tag["id"] for tag in contact["tagDetails"]]

        with ThreadPoolExecutor(10) as several:
            borne = list(several.map(create, range(40)))
        assert len({tag for tags in borne for tag in tags}) == 6
        counts = {tag["name"]: tag["contactCount"] for tag in team.owner.listed("/tags")}
        assert counts == {**{f"Tag {number}": 8 for number in range(5)}, "All": 40}


class TestChangingTheContact:
    def test_tags_replace_all_tags(self, team: Team) -> None:
        contact = team.owner.contact(tags=["A", "B"])
        changed = ok(team.owner.patch(f"/contacts/{contact['id']}", {"tags": ["C", "b"]}))["data"]
        assert changed["tags"] == ["B", "C"]

    def test_tag_ids_replace_all_tags(self, team: Team) -> None:
        contact, tag = team.owner.contact(tags=["A", "B"]), team.owner.tag("C")
        changed = ok(team.owner.patch(f"/contacts/{contact['id']}", {"tagIds": [tag["id"]]}))["data"]
        assert changed["tags"] == ["C"]

    @pytest.mark.parametrize("field", ["tags", "tagIds"])
    @pytest.mark.parametrize("none", [None, []])
    def test_null_or_an_empty_list_takes_all_off(self, team: Team, field: str, none: list[str] | None) -> None:
        contact = team.owner.contact(tags=["A", "B"])
        assert ok(team.owner.patch(f"/contacts/{contact['id']}", {field: none}))["data"]["tags"] == []

    def test_one_can_be_added_and_one_taken_off(self, team: Team) -> None:
        contact, tag = team.owner.contact(tags=["A", "B"]), team.owner.tag("C")
        body = {"addTagId": tag["id"], "removeTagId": contact["tagDetails"][0]["id"]}
        assert ok(team.owner.patch(f"/contacts/{contact['id']}", body))["data"]["tags"] == ["B", "C"]

    def test_one_to_be_added_must_exist(self, team: Team) -> None:
        contact = team.owner.contact(tags=["A"])
        refused(team.owner.patch(f"/contacts/{contact['id']}", {"addTagId": str(uuid4())}), 422, "addTagId")

    def test_one_to_be_taken_off_must_exist(self, team: Team) -> None:
        contact = team.owner.contact(tags=["A"])
        refused(team.owner.patch(f"/contacts/{contact['id']}", {"removeTagId": str(uuid4())}), 422, "removeTagId")
        assert team.owner.shown(f"/contacts/{contact['id']}")["tags"] == ["A"]

    def test_one_to_be_taken_off_that_it_does_not_bear_is_no_error(self, team: Team) -> None:
        contact, tag = team.owner.contact(tags=["A"]), team.owner.tag("B")
        assert ok(team.owner.patch(f"/contacts/{contact['id']}", {"removeTagId": tag["id"]}))["data"]["tags"] == ["A"]


class TestPuttingOn:
    def test_several_by_name_and_all_are_answered(self, team: Team) -> None:
        contact = team.owner.contact(tags=["A"])
        answer = team.owner.post(f"/contacts/{contact['id']}/tags", {"tags": ["B", "C", "a"]})
        assert [tag["name"] for tag in ok(answer)["data"]] == ["A", "B", "C"]
        assert team.owner.shown(f"/contacts/{contact['id']}")["tags"] == ["A", "B", "C"]

    def test_one_by_name_or_by_id(self, team: Team) -> None:
        contact, tag = team.owner.contact(), team.owner.tag("By id")
        ok(team.owner.post(f"/contacts/{contact['id']}/tags", {"tags": "By name"}))
        ok(team.owner.post(f"/contacts/{contact['id']}/tags", {"tagId": tag["id"]}))
        more = ok(team.owner.post(f"/contacts/{contact['id']}/tags", {"tagIds": [team.owner.tag("By ids")["id"]]}))
        assert [found["name"] for found in more["data"]] == ["By name", "By id", "By ids"]

    def test_something_must_be_named_and_exist(self, team: Team) -> None:
        path = f"/contacts/{team.owner.contact()['id']}/tags"
        refused(team.owner.post(path, {}), 422, "tags")
        refused(team.owner.post(path, {"tags": [" "]}), 422, "tags")
        refused(team.owner.post(path, {"tagId": str(uuid4())}), 422, "tagId")
        refused(team.owner.post(f"/contacts/{uuid4()}/tags", {"tags": ["A"]}), 404)

    def test_only_on_the_version_that_is_known(self, team: Team) -> None:
        path = f"/contacts/{team.owner.contact()['id']}/tags"
        ok(team.owner.post(path, {"tags": "A"}, headers={"if-match": '"1"'}))
        refused(team.owner.post(path, {"tags": "B"}, headers={"if-match": '"1"'}), 412)
        assert [tag["name"] for tag in team.owner.listed("/tags")] == ["A"]


class TestTakingOff:
    def test_a_name_that_looks_like_an_id_is_a_name_too(self, team: Team) -> None:
        name = str(uuid4())
        contact = team.owner.contact(tags=[name])
        gone(team.owner.delete(f"/contacts/{contact['id']}/tags/{name}"))
        assert team.owner.shown(f"/contacts/{contact['id']}")["tags"] == []
        refused(team.owner.delete(f"/contacts/{contact['id']}/tags/{uuid4()}"), 404)

    @pytest.mark.parametrize("by", ["id", "name", "slug"])
    def test_by_id_name_or_slug(self, team: Team, by: str) -> None:
        contact = team.owner.contact(tags=["Q2 / Campaign ünder 50%", "Other"])
        tag = contact["tagDetails"][0]
        if by == "name":
            contact = team.owner.contact(tags=["Ünder 50%", "Other"])
            tag = contact["tagDetails"][0]
        gone(team.owner.delete(f"/contacts/{contact['id']}/tags/{quote(tag[by])}"))
        assert team.owner.shown(f"/contacts/{contact['id']}")["tags"] == ["Other"]
        assert {found["name"]: found["contactCount"] for found in team.owner.listed("/tags")}[tag["name"]] == (
            by == "name" and 0
        )

    @pytest.mark.parametrize("name", ["A/B", "A//B", "/A", "A/", "Leads / 50% & more?", "a%2Fb", "é/ü"])
    def test_a_name_may_have_slashes_and_whatever_else(self, team: Team, name: str) -> None:
        contact = team.owner.contact(tags=[name, "Other"])
        gone(team.owner.delete(f"/contacts/{contact['id']}/tags/{quote(name, safe='')}"))
        assert team.owner.shown(f"/contacts/{contact['id']}")["tags"] == ["Other"]

    def test_a_word_means_a_tag_that_is_borne_and_its_name_before_its_slug(self, team: Team) -> None:
        first, second = team.owner.tag("VIP Gold"), team.owner.tag("vip-gold")
        contact = team.owner.contact(tagIds=[first["id"]])
        gone(team.owner.delete(f"/contacts/{contact['id']}/tags/vip-gold"))
        assert team.owner.shown(f"/contacts/{contact['id']}")["tags"] == []
        both = team.owner.contact(tagIds=[first["id"], second["id"]])
        gone(team.owner.delete(f"/contacts/{both['id']}/tags/vip-gold"))
        assert team.owner.shown(f"/contacts/{both['id']}")["tags"] == ["VIP Gold"]

    def test_one_that_it_does_not_bear_is_no_error_but_an_unknown_one_is(self, team: Team, others: Team) -> None:
        contact, tag = team.owner.contact(tags=["A"]), team.owner.tag("B")
        gone(team.owner.delete(f"/contacts/{contact['id']}/tags/{tag['id']}"))
        for unknown in ("C", str(uuid4()), others.owner.tag("A")["id"]):
            refused(team.owner.delete(f"/contacts/{contact['id']}/tags/{unknown}"), 404, says="tag")
        refused(team.owner.delete(f"/contacts/{uuid4()}/tags/A"), 404, says="contact")

    def test_only_from_the_version_that_is_known(self, team: Team) -> None:
        contact = team.owner.contact(tags=["A"])
        path = f"/contacts/{contact['id']}/tags/A"
        refused(team.owner.delete(path, headers={"if-match": '"2"'}), 412)
        gone(team.owner.delete(path, headers={"if-match": '"1"'}))


class TestReading:
    def test_a_contacts_tags_in_the_order_they_were_added(self, team: Team) -> None:
        contact = team.owner.contact(tags=["B", "A"])
        assert ok(team.owner.get(f"/contacts/{contact['id']}/tags"))["data"] == contact["tagDetails"]
        refused(team.owner.get(f"/contacts/{uuid4()}/tags"), 404)

    @pytest.mark.parametrize("form", ["repeated", "with commas"])
    def test_the_tags_of_many_contacts_by_id(self, team: Team, others: Team, form: str) -> None:
        first, second = team.owner.contact(tags=["A", "B"]), team.owner.contact()
        theirs = others.owner.contact(tags=["A"])
        ids = [first["id"], second["id"], theirs["id"], str(uuid4())]
        found = ok(team.owner.get("/contacts/tags", params={"ids": ids if form == "repeated" else ",".join(ids)}))
        assert found["data"] == {first["id"]: first["tagDetails"], second["id"]: []}

    def test_the_contacts_must_be_named_by_at_most_100_ids(self, team: Team) -> None:
        refused(team.owner.get("/contacts/tags"), 400, "ids", says="required")
        refused(team.owner.get("/contacts/tags?ids=nobody"), 422, "ids")
        refused(team.owner.get("/contacts/tags", params={"ids": [str(uuid4())] * 101}), 422, "ids", says="at most 100")
