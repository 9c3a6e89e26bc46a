"""Tags over HTTP."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from tests.api.asserting import gone, ok, refused
from tests.api.team import Team, created


class TestCreating:
    def test_it_is_answered_with_its_slug_and_count(self, team: Team) -> None:
        answer = team.owner.post("/tags", {"name": " Q2 Campaign! ", "color": "#1A7F37"})
        tag = created(answer)
        assert (tag["name"], tag["slug"], tag["color"]) == ("Q2 Campaign!", "q2-campaign", "#1A7F37")
        assert (tag["contactCount"], tag["version"]) == (0, 1)
        assert answer.headers["location"] == f"/api/v1/tags/{tag['id']}"
        assert answer.headers["etag"] == '"1"'
        assert team.owner.shown(f"/tags/{tag['id']}") == tag

    @pytest.mark.parametrize("again", ["VIP", " vip ", "vÍp"])
    def test_its_name_is_unique_whatever_its_case_and_accents(self, team: Team, others: Team, again: str) -> None:
        known = team.owner.tag("VIP")
        assert refused(team.owner.post("/tags", {"name": again}), 409)["existingId"] == known["id"]
        assert others.owner.tag(again)

    def test_its_slug_is_its_own(self, team: Team, others: Team) -> None:
        names = ("VIP Gold", "vip-gold", "VIP, Gold", "VIP Gold 2")
        slugs = ["vip-gold", "vip-gold-2", "vip-gold-3", "vip-gold-2-2"]
        assert [team.owner.tag(name)["slug"] for name in names] == slugs
        assert others.owner.tag("VIP/Gold")["slug"] == "vip-gold"
        contact = team.owner.contact(tags=["C++", "C", "C#"])
        assert contact["tags"] == ["C++", "C", "C#"]
        assert [tag["slug"] for tag in contact["tagDetails"]] == ["c", "c-2", "c-3"]

    def test_many_who_make_tags_at_the_same_time_get_slugs_of_their_own(self, team: Team) -> None:
        names = [f"A{'!' * number}" for number in range(8)] + ["A 2", "A 3"]
        with ThreadPoolExecutor(len(names)) as several:
            slugs = list(several.map(lambda name: team.owner.tag(name)["slug"], names))
        assert len(set(slugs)) == len(names)

    def test_its_colour_is_hexadecimal_or_null(self, team: Team) -> None:
        assert team.owner.tag(color=None)["color"] is None
        for given in ("#22F5A4", "#22f5a4", "#FFF"):
            assert team.owner.tag(color=given)["color"] == given
        refused(team.owner.post("/tags", {"name": "A", "color": "green"}), 422, "color", says="#1a7f37")

    def test_its_name_is_one_line_of_at_most_100_characters(self, team: Team) -> None:
        for name in ("", " ", "a\nb", "x" * 101):
            refused(team.owner.post("/tags", {"name": name}), 422, "name")
        refused(team.owner.post("/tags", {"color": "#fff"}), 422, "name", says="required")


class TestChanging:
    def test_only_the_fields_given_change(self, team: Team) -> None:
        tag = team.owner.tag("VIP", color="#1a7f37")
        renamed = ok(team.owner.patch(f"/tags/{tag['id']}", {"name": "Very Important"}))["data"]
        assert (renamed["name"], renamed["slug"], renamed["color"]) == ("Very Important", "very-important", "#1a7f37")
        assert renamed["version"] == 2
        assert ok(team.owner.patch(f"/tags/{tag['id']}", {"color": None}))["data"]["color"] is None

    def test_it_keeps_its_slug_while_its_name_asks_for_no_other(self, team: Team) -> None:
        first, second = team.owner.tag("Lead"), team.owner.tag("Lead!")
        gone(team.owner.delete(f"/tags/{first['id']}"))
        path = f"/tags/{second['id']}"
        assert ok(team.owner.patch(path, {"name": "Lead!"}))["data"] == second
        assert ok(team.owner.patch(path, {"name": "LEAD"}))["data"]["slug"] == "lead-2"
        team.owner.tag("Customer")
        assert ok(team.owner.patch(path, {"name": "Customer?"}))["data"]["slug"] == "customer-2"

    def test_contacts_show_it_under_its_new_name(self, team: Team) -> None:
        contact = team.owner.contact(tags=["Lead"])
        ok(team.owner.patch(f"/tags/{contact['tagDetails'][0]['id']}", {"name": "Customer"}))
        assert team.owner.shown(f"/contacts/{contact['id']}")["tags"] == ["Customer"]

    def test_it_cannot_take_anothers_name_but_its_own_in_another_case(self, team: Team) -> None:
        known, tag = team.owner.tag("VIP"), team.owner.tag("Lead")
        assert refused(team.owner.patch(f"/tags/{tag['id']}", {"name": "vip"}), 409)["existingId"] == known["id"]
        assert ok(team.owner.patch(f"/tags/{tag['id']}", {"name": "LEAD"}))["data"]["name"] == "LEAD"

    def test_only_the_version_that_is_known_is_changed(self, team: Team) -> None:
        path = f"/tags/{team.owner.tag()['id']}"
        ok(team.owner.patch(path, {"color": "#fff"}, headers={"if-match": '"1"'}))
        refused(team.owner.patch(path, {"color": "#000"}, headers={"if-match": '"1"'}), 412)
        refused(team.owner.patch(f"/tags/{uuid4()}", {"color": "#000"}), 404)


class TestDeleting:
    def test_every_contact_that_bears_it_loses_it(self, team: Team) -> None:
        contacts = [team.owner.contact(tags=["A", "B"]) for _ in range(3)]
        gone(team.owner.delete(f"/tags/{contacts[0]['tagDetails'][0]['id']}"))
        assert [contact["tags"] for contact in team.owner.listed("/contacts")] == [["B"]] * 3
        assert [tag["name"] for tag in team.owner.listed("/tags")] == ["B"]
        assert team.owner.listed("/contacts", tag="A") == []
        assert team.owner.tag("A")["contactCount"] == 0

    def test_only_the_version_that_is_known_is_deleted(self, team: Team) -> None:
        path = f"/tags/{team.owner.tag()['id']}"
        refused(team.owner.delete(path, headers={"if-match": '"2"'}), 412)
        gone(team.owner.delete(path, headers={"if-match": '"1"'}))
        refused(team.owner.delete(path), 404)
        refused(team.owner.get(path), 404)


class TestListing:
    def test_each_has_the_number_of_contacts_that_bear_it(self, team: Team) -> None:
        team.owner.contact(tags=["A", "B"])
        second = team.owner.contact(tags=["B"])
        counts = {tag["name"]: tag["contactCount"] for tag in team.owner.listed("/tags")}
        assert counts == {"A": 1, "B": 2}
        gone(team.owner.delete(f"/contacts/{second['id']}/tags/b"))
        assert team.owner.shown(f"/tags/{second['tagDetails'][0]['id']}")["contactCount"] == 1

    def test_a_count_that_changed_is_not_missed_by_who_knows_the_version(self, team: Team) -> None:
        tag = team.owner.tag("A")
        team.owner.contact(tags=["A"])
        answer = team.owner.get(f"/tags/{tag['id']}", headers={"if-none-match": '"1"'})
        assert ok(answer)["data"]["contactCount"] == 1

    def test_they_are_in_order_of_name_unless_sorted_otherwise(self, team: Team) -> None:
        for name in ("banana", "Äpfel", "apricot", "Cherry"):
            team.owner.tag(name)
        names = [tag["name"] for tag in team.owner.listed("/tags")]
        assert names == ["Äpfel", "apricot", "banana", "Cherry"]
        assert [tag["name"] for tag in team.owner.listed("/tags", sort="-name")] == names[::-1]
        newest = [tag["name"] for tag in team.owner.listed("/tags", sortBy="createdAt", sortDirection="desc")]
        assert newest == ["Cherry", "apricot", "Äpfel", "banana"]

    def test_they_are_found_by_any_part_of_the_name(self, team: Team) -> None:
        for name in ("Über 50%", "Unter_50", "Other"):
            team.owner.tag(name)
        assert [tag["name"] for tag in team.owner.listed("/tags", search="uber")] == ["Über 50%"]
        assert [tag["name"] for tag in team.owner.listed("/tags", search="50%")] == ["Über 50%"]
        assert [tag["name"] for tag in team.owner.listed("/tags", search="_")] == ["Unter_50"]

    def test_they_come_in_pages(self, team: Team) -> None:
        for number in range(5):
            team.owner.tag(f"Tag {number}")
        answer = ok(team.owner.get("/tags?page=2&limit=2"))
        assert [tag["name"] for tag in answer["data"]] == ["Tag 2", "Tag 3"]
        meta = answer["meta"]
        assert (meta["page"], meta["limit"], meta["total"], meta["totalPages"]) == (2, 2, 5, 3)
        rest = ok(team.owner.get(f"/tags?limit=2&cursor={meta['nextCursor']}"))
        assert [tag["name"] for tag in rest["data"]] == ["Tag 4"]
        assert rest["meta"]["nextCursor"] is None
