"""Requests of every odd form: answered with what is wrong, and never with a failure of ours."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest

from tests.api.asserting import ok, refused
from tests.api.serving import metrics
from tests.api.team import API, Team, created

JSON = {"content-type": "application/json"}


class TestBodies:
    @pytest.mark.parametrize(
        "body",
        [
            b"{",
            b'{"firstName": "A"} and more',
            b"{'firstName': 'A'}",
            b'{"firstName": "\\ud800"}',
            b'\xef\xbb\xbf{"firstName": "A"}',
            '{"firstName": "é"}'.encode("latin-1"),
            b"\x00",
            b"\xff" * 100,
        ],
    )
    def test_what_is_no_json_is_malformed(self, team: Team, body: bytes) -> None:
        refused(team.owner.ask("POST", "/contacts", content=body, headers=JSON), 400, says="not valid JSON")

    def test_none_is_malformed_where_one_is_needed(self, team: Team) -> None:
        refused(team.owner.ask("POST", "/contacts", content=b"", headers=JSON), 400, "body")
        refused(team.owner.ask("POST", "/contacts"), 400, "body")

    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("/contacts/search", 200),
            ("/contacts/{id}/erase", 200),
            ("/objects/projects/records/search", 200),
            ("/audit/exports", 202),
        ],
    )
    def test_none_is_an_empty_one_where_nothing_in_it_is_needed(self, team: Team, path: str, status: int) -> None:
        contact = team.owner.contact()
        created(team.owner.post("/objects", {"name": "Projects", "slug": "projects"}))
        ok(team.owner.ask("POST", path.format(**contact)), status)

    @pytest.mark.parametrize("body", [b"null", b"[]", b"1", b'"text"', b"true", b"[" * 100_000])
    def test_what_is_no_object_is_not_acceptable(self, team: Team, body: bytes) -> None:
        refused(team.owner.ask("POST", "/contacts", content=body, headers=JSON), 422, "body")

    @pytest.mark.parametrize(
        "value", ["[" * 20_000 + "]" * 20_000, '{"a":' * 5_000 + "1" + "}" * 5_000, "1e400", "9" * 500, "1e300", "NaN"]
    )
    def test_custom_fields_are_flat_and_their_numbers_what_every_reader_knows(self, team: Team, value: str) -> None:
        body = f'{{"firstName": "A", "customFields": {{"a": {value}}}}}'.encode()
        answer = team.owner.ask("POST", "/contacts", content=body, headers=JSON)
        assert refused(answer, 400 if value == "NaN" else 422)

    @pytest.mark.parametrize("size", ["known", "unknown"])
    def test_too_large_a_one_is_refused(self, team: Team, size: str) -> None:
        def pieces() -> Iterator[bytes]:
            yield b'{"notes": "'
            for _ in range(30):
                yield b"x" * 100_000
            yield b'"}'

        content: Any = pieces() if size == "unknown" else b"".join(pieces())
        refused(team.owner.ask("POST", "/contacts", content=content, headers=JSON), 413)

    @pytest.mark.parametrize(
        "headers",
        [
            {"content-type": "text/plain"},
            {"content-type": "application/x-www-form-urlencoded"},
            {"content-type": "multipart/form-data; boundary=x"},
            {"content-type": "application/msgpack"},
            {"content-type": "application/jsonp"},
            {**JSON, "content-encoding": "gzip"},
        ],
    )
    def test_other_than_json_are_not_taken(self, team: Team, headers: dict[str, str]) -> None:
        refused(team.owner.ask("POST", "/contacts", content=b'{"firstName": "A"}', headers=headers), 415)
        assert team.owner.listed("/contacts") == []

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"content-type": "application/json; charset=utf-8"},
            {"content-type": "Application/JSON"},
            {"content-type": "application/merge-patch+json"},
        ],
    )
    def test_json_is_taken_under_any_of_its_names(self, team: Team, headers: dict[str, str]) -> None:
        ok(team.owner.ask("POST", "/contacts", content=b'{"firstName": "A"}', headers=headers), 201)

    @pytest.mark.parametrize("length", ["content-length: 1000", "transfer-encoding: chunked"])
    @pytest.mark.parametrize(
        ("method", "path"),
        [("POST", "/auth/login"), ("POST", "/contacts"), ("PATCH", "/workspace"), ("POST", "/contacts/import")],
    )
    def test_one_that_breaks_off_is_no_failure_of_ours(
        self, team: Team, server: str, caplog: pytest.LogCaptureFixture, method: str, path: str, length: str
    ) -> None:
        url = urlsplit(server)
        token = "" if path == "/auth/login" else f"authorization: Bearer {team.owner.token}\r\n"
        head = f"{method} {API}{path} HTTP/1.1\r\nhost: {url.netloc}\r\n{token}content-type: application/json\r\n"
        failures = failed(team)
        with caplog.at_level(logging.INFO, "daybook"):
            with socket.create_connection((str(url.hostname), url.port or 80)) as connection:
                connection.sendall(f'{head}{length}\r\n\r\nb\r\n{{"email": "a'.encode())
                time.sleep(0.1)
            assert logged(caplog, f"{method} {API}{path} ") == f"{method} {API}{path} 400"
        assert not [record for record in caplog.records if record.levelno >= logging.ERROR or record.exc_info]
        assert failed(team) == failures


def failed(team: Team) -> list[str]:
    """What is counted of answers of ours that were failures."""
    return [line for line in metrics(team.anonymous.http) if 'status="5' in line]


ODD = [
    "\0",
    "a\0b",
    "\x1b[31m",
    "\x7f",
    "\x85",
    "\u2028",
    "\u202e",
    "\u200b",
    "\ufeff",
    "\uffff",
    "\U0010ffff",
    "😀" * 64,
    "e\u0301" * 127,
    "ﷺ" * 255,
    "각" * 255,
    "\U0001d518\U0001d52b\U0001d526",
    "ß ŉ ﬃ",
    "' OR 1=1 --",
    "%s %(a)s {} {0}",
    "\\",
    "$1",
    "x" * 100_000,
]


class TestOddText:
    @pytest.mark.parametrize("odd", ODD, ids=ascii)
    def test_in_any_field_is_kept_as_it_is_or_refused_by_name(self, team: Team, odd: str) -> None:
        fields = [
            "firstName", "lastName", "name", "email", "phone", "phoneExtension", "company", "jobTitle", "website",
            "source", "language", "notes", "birthday", "address", "city", "state", "zipcode", "country",
        ]  # fmt: skip
        for field in fields:
            somebody = {"lastName": "x"} if field == "company" else {"company": "x"}
            answer = team.owner.post("/contacts", {**somebody, field: odd})
            if answer.status_code == 201:
                kept = answer.json()["data"][field]
                assert kept == odd.strip() or (kept is None and not odd.strip()) or field in ("name", "phone"), field
                assert team.owner.get(f"/contacts/{answer.json()['data']['id']}").json() == answer.json()
            else:
                assert {detail["field"] for detail in refused(answer, 422)["details"]} == {field}

    @pytest.mark.parametrize("odd", ODD, ids=ascii)
    def test_in_tags_and_custom_fields_is_kept_or_refused(self, team: Team, odd: str) -> None:
        for body in (
            {"tags": [odd]},
            {"customFields": {odd: 1}},
            {"customFields": {"a": odd, "b": [odd]}},
            {"communicationPreferences": {odd: odd}},
        ):
            answer = team.owner.post("/contacts", {"firstName": "A", **body})
            if answer.status_code == 201:
                assert team.owner.get(f"/contacts/{answer.json()['data']['id']}").json() == answer.json()
            else:
                refused(answer, 422, next(iter(body)))

    @pytest.mark.parametrize("odd", ODD, ids=ascii)
    def test_in_names_of_other_things_is_kept_or_refused(self, team: Team, odd: str) -> None:
        for method, path in (("POST", "/tags"), ("POST", "/api-keys"), ("PATCH", "/workspace")):
            answer = team.owner.ask(method, path, json={"name": odd})
            if answer.status_code in (200, 201):
                assert answer.json()["data"]["name"] == odd.strip()
            else:
                refused(answer, 422, "name")

    @pytest.mark.parametrize("odd", [odd for odd in ODD if len(odd) < 1000], ids=ascii)
    def test_in_a_query_finds_what_has_it_or_is_refused_by_name(self, team: Team, odd: str) -> None:
        for parameter in ("search", "tag", "source", "company", "email"):
            answer = team.owner.get("/contacts", params={parameter: odd})
            if answer.status_code != 200:
                refused(answer, 400, parameter)
        answer = team.owner.post("/contacts", {"firstName": "A", "company": odd})
        if answer.status_code == 201 and len(odd) <= 200:
            (found,) = team.owner.listed("/contacts", search=odd)
            assert found == answer.json()["data"]

    def test_in_a_path_is_not_found(self, team: Team) -> None:
        contact = team.owner.contact()
        for odd in ("%00", "a%00b", "%FF", "%F0%9F%98%80", "a%2Fb", "..%2F..", "x" * 5_000, "%0A"):
            refused(team.owner.delete(f"/contacts/{contact['id']}/tags/{odd}"), 404)
            refused(team.owner.get(f"/contacts/{odd}"), 404)


class TestPaths:
    @pytest.mark.parametrize("path", ["/nothing", "/contacts/1", "/contacts/{id}/nothing", "/tags/vip", "/auth"])
    def test_where_there_is_nothing_is_not_found(self, team: Team, path: str) -> None:
        refused(team.owner.get(path.format(id=uuid4())), 404)

    @pytest.mark.parametrize(("method", "path"), [("PUT", "/contacts"), ("DELETE", "/tags"), ("GET", "/auth/login")])
    def test_another_method_is_not_allowed(self, team: Team, method: str, path: str) -> None:
        answer = team.owner.ask(method, path)
        refused(answer, 405)
        assert "allow" in answer.headers


class TestRequestIds:
    def test_one_that_is_sent_comes_back_and_is_in_the_log(self, team: Team) -> None:
        answer = team.owner.post("/tags", {"name": "A"}, headers={"x-request-id": "import:2026-03-15.1_a"})
        assert answer.headers["x-request-id"] == "import:2026-03-15.1_a"
        assert ok(team.owner.get("/log"))["data"][-1]["meta"]["requestId"] == "import:2026-03-15.1_a"

    @pytest.mark.parametrize("given", [None, b"", b"a b", b"x" * 129, b"\xe4", b"<script>"])
    def test_else_there_is_a_new_one(self, team: Team, given: bytes | None) -> None:
        headers = {} if given is None else {"x-request-id": given}
        assert UUID(team.owner.get("/tags", headers=headers).headers["x-request-id"]).version == 7

    def test_it_is_in_every_error(self, team: Team) -> None:
        for answer in (team.owner.get("/nothing"), team.anonymous.get("/tags"), team.owner.get(f"/tags/{uuid4()}")):
            assert answer.json()["error"]["requestId"] == answer.headers["x-request-id"]


def test_a_line_of_the_log_is_a_line_whatever_the_path_says(team: Team, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "daybook.access"):
        team.owner.get("/tags/x%0A12:00:00 INFO forged")
        line = logged(caplog, "forged")
    assert line == "GET /api/v1/tags/x%0A12%3A00%3A00%20INFO%20forged 404"


def test_a_line_of_the_log_has_nothing_of_the_query(team: Team, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "daybook.access"):
        team.owner.get("/contacts?search=planted")
        line = logged(caplog, "/contacts")
    assert line == "GET /api/v1/contacts 200"
    assert "planted" not in " ".join(record.getMessage() for record in caplog.records if record.name != "httpx")


def logged(caplog: pytest.LogCaptureFixture, part: str) -> str:
    """The line with this in it, which is written when the answer is on its way already."""
    deadline = time.monotonic() + 10
    while not (lines := [line for record in list(caplog.records) if part in (line := record.getMessage())]):
        assert time.monotonic() < deadline, caplog.text
        time.sleep(0.01)
    return lines[0]


def test_no_secret_is_in_a_line_of_the_log(team: Team, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        made = ok(team.owner.post("/api-keys", {"name": "k"}), 201)["data"]
        body = {"name": "A", "email": f"{uuid4()}@example.com", "password": "hunter2 hunter2", "workspaceName": "W"}
        session = ok(team.anonymous.post("/auth/register", body), 201)
        refused(team.anonymous.post("/auth/login", {"email": body["email"], "password": "hunter3 hunter3"}), 401)
        assert logged(caplog, "POST /api/v1/auth/login 401")
    text = "\n".join(
        f"{record.getMessage()} {vars(record)}" for record in caplog.records if record.name.startswith("daybook")
    )
    for secret in (made["rawKey"], session["token"], "hunter2", "hunter3", str(team.owner.token)):
        assert secret not in text
