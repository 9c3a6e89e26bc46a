"""Importing over HTTP: the three forms of one thing, their options, and what is not taken."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from api import app
from api.http.upload import Uploads
from application import contact_import as imports
from eventstore.database import wait_for_turn, writing
from tests.api.asserting import ok, refused
from tests.api.serving import serving
from tests.api.team import API, Member, Team
from tests.logs import types, whole_log

DATA = Path(__file__).parent.parent / "data"
CSV = b"First Name,E-mail,Phone 1\nAda,ada@engine.org,(415) 555-2671\nBob,bob@@engine.org,\n"
IMPORT = "/contacts/import"


def by_json(who: Member, body: Any, **more: Any) -> httpx.Response:
    return who.post(IMPORT, body, **more)


def by_csv(
    who: Member, content: bytes = CSV, *, headers: dict[str, str] | None = None, **params: Any
) -> httpx.Response:
    return who.ask(
        "POST", IMPORT, content=content, params=params, headers={"content-type": "text/csv", **(headers or {})}
    )


def by_form(
    who: Member, content: bytes = CSV, *, headers: dict[str, str] | None = None, **fields: Any
) -> httpx.Response:
    files = {"file": ("contacts.csv", content, "application/vnd.ms-excel")}
    return who.ask("POST", IMPORT, files=files, data=fields, headers=headers)


def result(answer: httpx.Response, status: int = 200) -> dict[str, Any]:
    found: dict[str, Any] = ok(answer, status)["data"]
    return found


def counts(found: dict[str, Any]) -> tuple[int, int, int, int]:
    assert found["total"] == found["created"] + found["updated"] + found["skipped"] + found["errorCount"]
    assert found["imported"] == found["created"]
    return found["created"], found["updated"], found["skipped"], found["errorCount"]


def untouched(team: Team) -> None:
    assert team.owner.listed("/contacts") == []
    assert "contact_import.started" not in types(team.services.pool, team.workspace_id)


class TestForms:
    def test_objects(self, team: Team) -> None:
        body = {
            "contacts": [{"name": "Ada King", "email": "ada@engine.org"}, {"email": "bob"}],
            "tags": ["VIP"],
            "source": "fair",
        }
        found = result(by_json(team.owner, body))
        assert (counts(found), found["status"], found["mapping"]) == ((1, 0, 0, 1), "completed", None)
        (error,) = found["errors"]
        assert error.keys() == {"row", "field", "message", "error"}
        assert (error["row"], error["field"]) == (2, "email")
        assert error["error"] == f"email: {error['message']}"
        (ada,) = team.owner.listed("/contacts")
        assert (ada["name"], ada["tags"], ada["source"]) == ("Ada King", ["VIP"], "fair")

    def test_an_object_says_all_that_is_wrong_with_it(self, team: Team) -> None:
        wrong = {"firstName": 7, "email": "bob", "phone": [], "colour": "red", "customFields": "gold"}
        found = result(by_json(team.owner, {"contacts": [wrong, {"name": "Ada King"}]}))
        assert counts(found) == (1, 0, 0, 1)
        assert {(error["row"], error["field"]) for error in found["errors"]} == {(1, name) for name in wrong}

    def test_rows(self, team: Team) -> None:
        body = {
            "rows": [{"Mail": "ada@engine.org", "Plan": "gold", "X": "1"}],
            "mapping": {"Mail": "email", "Plan": "custom.plan", "X": ""},
            "constantValues": {"city": "London", "_tags": ["csv-import"]},
            "skipDuplicates": True,
        }
        found = result(by_json(team.owner, body))
        assert (counts(found), found["mapping"]) == ((1, 0, 0, 0), {"Mail": "email", "Plan": "custom.plan", "X": None})
        (ada,) = team.owner.listed("/contacts")
        assert (ada["customFields"], ada["city"], ada["tags"]) == ({"plan": "gold"}, "London", ["csv-import"])
        assert counts(result(by_json(team.owner, {**body, "constantValues": {"city": "Paris"}}))) == (0, 0, 1, 0)

    @pytest.mark.parametrize("upload", [by_csv, by_form])
    def test_a_file(self, team: Team, upload: Any) -> None:
        found = result(upload(team.owner))
        assert counts(found) == (1, 0, 0, 1)
        assert [(error["row"], error["line"], error["field"]) for error in found["errors"]] == [(2, 3, "email")]
        assert found["mapping"] == {"First Name": "firstName", "E-mail": "email", "Phone 1": "phone"}
        assert [contact["phone"] for contact in team.owner.listed("/contacts")] == ["+14155552671"]
        assert counts(result(upload(team.owner))) == (0, 0, 1, 1)

    @pytest.mark.parametrize("upload", [by_csv, by_form])
    def test_a_file_with_options(self, team: Team, upload: Any) -> None:
        vip = team.owner.tag("VIP")
        answer = upload(
            team.owner,
            b"A|B\nada@engine.org|Jos\xe9\n",
            mapping=json.dumps({"A": "email", "B": "custom.b"}),
            constantValues='{"city": "London", "_tags": ["x"]}',
            tags=["one, two", "three"],
            tagIds=vip["id"],
            source="fair",
            skipDuplicates="true",
            encoding="cp1252",
            delimiter="|",
        )
        assert counts(result(answer)) == (1, 0, 0, 0)
        (ada,) = team.owner.listed("/contacts")
        assert ada["customFields"] == {"b": "José"}
        assert sorted(ada["tags"]) == ["VIP", "one", "three", "two", "x"]
        assert (ada["city"], ada["source"]) == ("London", "fair")

    def test_the_options_of_a_form_may_be_in_the_query_too(self, team: Team) -> None:
        files = {"file": ("contacts.csv", CSV)}
        answer = team.owner.ask("POST", IMPORT, files=files, data={"tags": '["a,b"]'}, params={"source": "fair"})
        assert counts(result(answer)) == (1, 0, 0, 1)
        (ada,) = team.owner.listed("/contacts")
        assert (ada["tags"], ada["source"]) == (["a,b"], "fair")
        twice = team.owner.ask("POST", IMPORT, files=files, data={"source": "a"}, params={"source": "b"})
        refused(twice, 422, "source")

    def test_the_content_type_may_say_the_encoding(self, team: Team) -> None:
        answer = by_csv(team.owner, b"Name\nJos\xe9\n", headers={"content-type": "text/csv; charset=windows-1252"})
        assert counts(result(answer)) == (1, 0, 0, 0)
        assert team.owner.listed("/contacts")[0]["name"] == "José"

    @pytest.mark.parametrize("name", ["leads.csv", "customers.csv"])
    def test_real_files_come_through_whole_and_only_once(self, team: Team, name: str) -> None:
        content = (DATA / name).read_bytes()
        assert counts(result(by_form(team.owner, content))) == (20, 0, 0, 0)
        assert counts(result(by_form(team.owner, content))) == (0, 0, 20, 0)

    def test_the_answer_says_where_its_job_is_and_how_far_the_log_has_come(self, team: Team) -> None:
        answer = by_csv(team.owner)
        found = result(answer)
        assert found["importId"] == found["jobId"]
        assert answer.headers["location"] == f"{API}/jobs/{found['jobId']}"
        log = whole_log(team.services.pool, team.workspace_id)
        assert int(answer.headers["daybook-seq"]) == len(log)
        assert {str(entry.meta.correlation_id) for entry in log[-3:]} == {found["importId"]}
        assert log[-1].meta.request_id == answer.headers["x-request-id"]


class TestAsAJob:
    @pytest.mark.parametrize("wish", [{"headers": {"prefer": "wait=5, respond-async"}}, {"params": {"async": "true"}}])
    def test_is_answered_before_it_is_done(self, team: Team, wish: dict[str, Any]) -> None:
        found = result(by_json(team.owner, {"contacts": [{"email": "ada@engine.org"}]}, **wish), 202)
        assert (found["status"], found["total"], found["created"], found["errors"]) == ("processing", 1, 0, [])
        job = team.owner.shown(f"/jobs/{found['jobId']}")
        assert (job["kind"], job["status"], job["processed"]) == ("contact_import", "processing", 0)
        assert team.owner.listed("/contacts") == []

    def test_so_is_every_large_one(self, team: Team) -> None:
        content = b"Email\n" + b"".join(b"a%d@engine.org\n" % number for number in range(1001))
        for upload in (by_csv, by_form):
            assert result(upload(team.owner, content), 202)["total"] == 1001
        rows = [{"Email": f"a{number}@engine.org"} for number in range(1001)]
        assert result(by_json(team.owner, {"rows": rows}), 202)["total"] == 1001


class TestRepeated:
    @pytest.mark.parametrize(
        "upload", [by_csv, by_form, lambda who, **more: by_json(who, {"contacts": [{"name": "A"}]}, **more)]
    )
    def test_under_an_idempotency_key_is_the_same_import(self, team: Team, upload: Any) -> None:
        headers = {"idempotency-key": "once"}
        first, second = (upload(team.owner, headers=headers) for _ in range(2))
        assert result(first) == result(second)
        assert second.headers["idempotency-replayed"] == "true"
        assert len(team.owner.listed("/jobs")) == 1

    def test_with_other_content_or_options_is_refused(self, team: Team) -> None:
        headers = {"idempotency-key": "once"}
        result(by_form(team.owner, headers=headers, source="a"))
        refused(by_form(team.owner, headers=headers, source="b"), 422, "Idempotency-Key")
        refused(by_form(team.owner, CSV + b"x,,\n", headers=headers, source="a"), 422, "Idempotency-Key")
        assert len(team.owner.listed("/jobs")) == 1


class TestRefused:
    def test_nothing_to_import(self, team: Team) -> None:
        refused(by_json(team.owner, {}), 422, "contacts")
        refused(by_json(team.owner, {"contacts": [], "rows": []}), 422, "contacts")
        refused(by_form(team.owner, b""), 422, "file", says="header row")
        refused(team.owner.ask("POST", IMPORT, files={"other": (None, "x")}), 422, "file")
        untouched(team)

    def test_json_that_is_none_or_of_another_shape(self, team: Team) -> None:
        json_type = {"content-type": "application/json"}
        for content in (b"", b"{", b'{"contacts": [{]}', b'{"rows": [{"a": "\xff"}]}', b'{"rows": [{"a": "\\ud800"}]}'):
            refused(team.owner.ask("POST", IMPORT, content=content, headers=json_type), 400)
        refused(by_json(team.owner, [1]), 422, "body")
        refused(by_json(team.owner, {"contacts": 5}), 422, "contacts")
        refused(by_json(team.owner, {"contacts": [], "mapings": {}}), 422, "mapings")
        refused(by_json(team.owner, {"rows": [], "skipDuplicates": "true"}), 422, "skipDuplicates")
        untouched(team)

    def test_types_that_are_not_taken(self, team: Team) -> None:
        for media in ("application/xml", "text/plain", "application/x-www-form-urlencoded"):
            refused(by_csv(team.owner, headers={"content-type": media}), 415)
        untouched(team)

    def test_forms_that_are_malformed(self, team: Team) -> None:
        def form(content: bytes, boundary: str = "; boundary=x") -> httpx.Response:
            headers = {"content-type": f"multipart/form-data{boundary}"}
            return team.owner.ask("POST", IMPORT, content=content, headers=headers)

        whole = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nEmail\r\n--x--\r\n'
        result(form(whole))
        refused(form(whole, ""), 400, says="boundary")
        refused(form(whole, "; boundary=y"), 400)
        refused(form(whole[:-8]), 400)
        refused(form(whole[:-4] + whole[3:]), 422, "file", says="once")
        text = b'--x\r\nContent-Disposition: form-data; name="source"\r\n\r\n\xff\r\n'
        refused(form(text + whole), 422, "source", says="UTF-8")

    def test_options_that_cannot_be_read(self, team: Team) -> None:
        wrong: dict[str, Any] = {
            "mapping": "{",
            "constantValues": "[]",
            "skipDuplicates": "maybe",
            "tagIds": "x",
            "async": "perhaps",
        }
        refused(by_form(team.owner, **wrong), 422, *wrong)
        refused(by_csv(team.owner, **wrong), 422, *wrong)
        refused(by_form(team.owner, source=["a", "b"]), 422, "source", says="once")
        refused(by_form(team.owner, encoding="klingon"), 422, "encoding")
        refused(by_form(team.owner, delimiter="--"), 422, "delimiter")
        refused(by_form(team.owner, mapping='{"Nobody": "email"}'), 422, "mapping.Nobody")
        untouched(team)

    def test_options_that_nobody_reads(self, team: Team) -> None:
        refused(by_form(team.owner, sources="fair"), 400, "sources")
        refused(by_csv(team.owner, sources="fair"), 400, "sources")
        refused(
            by_json(team.owner, {"contacts": []}, params={"source": "fair"}), 400, "source", says="in the JSON body"
        )
        untouched(team)

    def test_a_file_that_cannot_be_decoded(self, team: Team) -> None:
        refused(by_csv(team.owner, b"Name\nJos\xe9\n"), 422, "file", says="the byte at offset 8 (0xe9) is not UTF-8")
        untouched(team)


class TestTooLarge:
    def blocks(self, size: int, beginning: bytes = b"Email\n") -> Iterator[bytes]:
        yield beginning
        for _ in range(size // 65_536 + 1):
            yield b"x" * 65_536

    def test_a_file(self, team: Team) -> None:
        answer = team.owner.ask(
            "POST", IMPORT, content=self.blocks(50 * 1024 * 1024), headers={"content-type": "text/csv"}
        )
        refused(answer, 413)
        untouched(team)

    def test_a_json_document(self, team: Team) -> None:
        content = self.blocks(16 * 1024 * 1024, b'{"contacts": [{"notes": "')
        answer = team.owner.ask("POST", IMPORT, content=content, headers={"content-type": "application/json"})
        refused(answer, 413)

    def test_the_other_fields_of_a_form(self, team: Team) -> None:
        refused(by_form(team.owner, source="x" * 600_000, tags="y" * 600_000), 413)
        untouched(team)


def test_new_tags_that_differ_in_punctuation_get_slugs_of_their_own(team: Team) -> None:
    team.owner.tag("C!")
    result(by_csv(team.owner, b"Email,Tags\nada@engine.org,C++\nbob@engine.org,C#\n"))
    assert {tag["name"]: tag["slug"] for tag in team.owner.listed("/tags")} == {
        "C!": "c", "C++": "c-2", "C#": "c-3",
    }  # fmt: skip


def test_an_upload_that_breaks_off_leaves_nothing(team: Team, server: str) -> None:
    url = urlsplit(server)
    assert url.hostname is not None
    head = (
        f"POST {API}{IMPORT} HTTP/1.1\r\nhost: {url.netloc}\r\nauthorization: Bearer {team.owner.token}\r\n"
        "content-type: text/csv\r\ncontent-length: 1000000\r\n\r\n"
    )
    with socket.create_connection((url.hostname, url.port or 80)) as connection:
        connection.sendall(head.encode() + b"Email\nada@engine.org\n" * 10_000)
        time.sleep(0.1)
    time.sleep(0.2)
    assert team.owner.listed("/jobs") == []
    untouched(team)


class TestWhoMay:
    def test_import(self, team: Team) -> None:
        for somebody in (team.member, team.key("contacts:write"), team.limited):
            assert by_csv(somebody).status_code == 200
        for nobody in (team.viewer, team.key("contacts:read"), team.key("jobs:write")):
            refused(by_csv(nobody), 403)
            refused(by_form(nobody), 403)
        refused(by_csv(team.anonymous), 401)

    def test_what_a_limited_member_imports_is_theirs(self, team: Team) -> None:
        team.owner.contact(email="ada@engine.org")
        found = result(by_csv(team.limited, b"Email\nada@engine.org\nbob@engine.org\n"))
        assert counts(found) == (1, 0, 0, 1)
        assert "someone else" in found["errors"][0]["message"]
        assert [contact["email"] for contact in team.limited.listed("/contacts")] == ["bob@engine.org"]

    def test_into_no_other_workspace(self, team: Team, others: Team) -> None:
        refused(by_csv(team.owner, headers={"x-workspace-id": str(others.workspace_id)}), 403)
        tag = others.owner.tag()
        refused(by_csv(team.owner, tagIds=tag["id"]), 422, "tagIds")
        others.owner.contact(email="ada@engine.org", firstName="Theirs")
        assert counts(result(by_csv(team.owner))) == (1, 0, 0, 1)
        assert [contact["firstName"] for contact in others.owner.listed("/contacts")] == ["Theirs"]


def test_few_are_read_at_once_and_the_others_wait_or_are_refused(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """What keeps the first one busy is that it is another import's turn."""
    monkeypatch.setattr(app, "Uploads", partial(Uploads, at_once=1, waiting=1))
    with (
        serving(team.services) as url,
        httpx.Client(base_url=url, timeout=30) as client,
        ThreadPoolExecutor(3) as executor,
    ):
        owner = replace(team.owner, http=client)
        with writing(team.services.pool, team.workspace_id) as conn:
            wait_for_turn(conn, imports.KIND)
            done, others = wait([executor.submit(by_csv, owner) for _ in range(3)], 20, FIRST_COMPLETED)
            (turned_away,) = (future.result() for future in done)
            refused(turned_away, 429)
            assert turned_away.headers["retry-after"] == "10"
            assert ok(owner.get("/contacts"))["data"] == []
        assert sorted(counts(result(future.result())) for future in others) == [(0, 0, 1, 1), (1, 0, 0, 1)]


def test_a_workspace_whose_imports_are_stuck_leaves_a_thread_to_others(team: Team, others: Team) -> None:
    with ThreadPoolExecutor(4) as executor:
        with writing(team.services.pool, team.workspace_id) as conn:
            wait_for_turn(conn, imports.KIND)
            stuck = [executor.submit(by_csv, team.owner) for _ in range(4)]
            time.sleep(0.5)
            began = time.monotonic()
            assert counts(result(by_csv(others.owner))) == (1, 0, 0, 1)
            assert time.monotonic() - began < 2
            assert not any(upload.done() for upload in stuck)
        assert sorted(counts(result(upload.result())) for upload in stuck) == [(0, 0, 1, 1)] * 3 + [(1, 0, 0, 1)]


class TestLimits:
    """What is too much is refused before it is looked at: the work is that of counting."""

    @pytest.mark.parametrize("content", [b"c" + b",c" * 100_000 + b"\n1\n", b"c" + b",c" * 1_900 + b"\n1\n"])
    def test_a_header_of_too_many_columns(self, team: Team, content: bytes) -> None:
        refused(by_csv(team.owner, content), 422, "file")
        untouched(team)

    def test_rows_of_too_many_columns(self, team: Team) -> None:
        wide = {f"c {n}": "x" for n in range(20_000)}
        rows = [{"First Name": "Ada"} for _ in range(500)]
        refused(by_json(team.owner, {"rows": [wide, *rows]}), 422, "rows", says="at most 200 columns")
        untouched(team)
