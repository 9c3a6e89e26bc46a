"""The OpenAPI document: complete, true to what the API does, and good to read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import jsonschema
import pytest
from jsonschema import Draft202012Validator
from litestar.routes import HTTPRoute

from api.app import create_app
from api.docs.openapi import document
from api.http.errors import ERRORS
from daybook.openapi import documents
from domain.api_key import RESOURCES
from domain.catalogue import EVENTS
from schemas.verification import CHECKPOINT_SIGNED
from schemas.wire.error import STATUS
from tests.api.serving import services_on
from tests.api.sweeps.operations import DOCUMENT, OPERATIONS, Operation, every, resolved
from tests.api.team import API, Team
from tests.json_schema import validator

COMPONENTS: dict[str, dict[str, Any]] = DOCUMENT["components"]["schemas"]


def contents(operation: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Of every body and answer that has content: where, its media type, and what is said of it."""
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        yield "request", media, content
    for status, response in operation["responses"].items():
        for media, content in resolved(response).get("content", {}).items():
            yield status, media, content


class TestTheWhole:
    def test_is_served_as_it_is_generated(self, http: httpx.Client) -> None:
        answer = http.get("/openapi.json")
        assert answer.json() == DOCUMENT
        assert answer.headers["content-type"].startswith("application/vnd.oai.openapi+json")

    def test_is_openapi_3_1(self) -> None:
        assert DOCUMENT["openapi"] == "3.1.0"
        assert {"title", "version", "summary", "description", "license"} <= DOCUMENT["info"].keys()
        assert DOCUMENT["info"]["license"].keys() == {"name", "identifier"}
        assert DOCUMENT["servers"]
        assert DOCUMENT["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"

    def test_has_every_route(self, services_app: Any) -> None:
        there = {(op.method, re.sub(r"{\w+}", "{}", API + op.path)) for op in OPERATIONS}
        served = {
            (method, re.sub(r"{[^}]*}", "{}", route.path_format))
            for route in services_app.routes
            if isinstance(route, HTTPRoute) and route.path.startswith("/api/v1")
            for handler in route.route_handlers
            for method in handler.http_methods
            if method not in ("OPTIONS", "HEAD")
        }
        assert there == served

    def test_names_every_operation_once_and_by_hand(self) -> None:
        names = [op.id for op in OPERATIONS]
        assert len(names) == len(set(names))
        assert all(re.fullmatch(r"[a-z]+([A-Z][a-z]+)*", name) for name in names), names

    def test_every_reference_leads_somewhere(self) -> None:
        for ref in references(DOCUMENT):
            assert resolved({"$ref": ref}), ref

    def test_every_component_is_referred_to(self) -> None:
        used = {ref.rsplit("/", 1)[-1] for ref in references(DOCUMENT)}
        for kind in ("schemas", "headers", "parameters", "responses"):
            unused = DOCUMENT["components"][kind].keys() - used - {"MethodNotAllowed"}
            assert unused == set(), kind

    def test_every_tag_is_described_and_used(self) -> None:
        described = {tag["name"] for tag in DOCUMENT["tags"] if tag["description"]}
        assert described == {tag for op in OPERATIONS for tag in op.says["tags"]}

    def test_tells_what_holds_for_all_operations(self) -> None:
        text = DOCUMENT["info"]["description"]
        for word in (
            "Authorization: Bearer", "X-Workspace-Id", "Idempotency-Key", "If-Match", "ETag", "Daybook-Seq", "RateLimit",
            "Retry-After", "nextCursor", "existingId", *STATUS, *(f"`{resource}`" for resource in RESOURCES),
        ):  # fmt: skip
            assert word in text, word

    def test_has_every_error_code_with_an_example(self) -> None:
        assert STATUS.keys() == ERRORS.keys()
        told = {
            response["content"]["application/json"]["example"]["error"]["code"]
            for response in DOCUMENT["components"]["responses"].values()
        }
        assert told == STATUS.keys()

    def test_has_every_event_as_a_webhook(self) -> None:
        assert DOCUMENT["webhooks"].keys() == EVENTS.keys() | {CHECKPOINT_SIGNED}


@pytest.fixture(scope="module")
def services_app(pool: Any) -> Any:
    return create_app(services_on(pool)).litestar


def references(found: Any) -> Iterator[str]:
    if isinstance(found, dict):
        if isinstance(found.get("$ref"), str):
            yield found["$ref"]
        for value in found.values():
            yield from references(value)
    elif isinstance(found, list):
        for value in found:
            yield from references(value)


NEEDED = {"ids": "", "from": "/diff", "field": "/explain"}
"""Parameters of a query that cannot be left out, and how the paths end of whose they are."""


@every()
class TestEveryOperation:
    def test_has_a_summary_a_tag_and_descriptions(self, op: Operation) -> None:
        assert 5 <= len(op.says["summary"]) <= 70
        assert not op.says["summary"].endswith(".")
        assert len(op.says["tags"]) == 1
        assert op.says.get("description", "x") != op.says["summary"]

    def test_describes_its_parameters(self, op: Operation) -> None:
        assert len({(found["in"], found["name"]) for found in op.parameters}) == len(op.parameters)
        assert op.taken("path") == op.in_path
        for parameter in op.parameters:
            assert parameter["description"].endswith((".", "…")), parameter["name"]
            assert parameter["schema"]
            assert "null" not in str(parameter["schema"])
            needed = op.path.endswith(NEEDED.get(parameter["name"], "?"))
            assert parameter.get("required", False) == (parameter["in"] == "path" or needed)
            Draft202012Validator.check_schema(parameter["schema"])

    def test_describes_what_it_takes_and_answers_with_examples(self, op: Operation) -> None:
        assert any(status.startswith("2") for status in op.says["responses"])
        for _, media, content in contents(op.says):
            example, schema = content["example"], content["schema"]
            validator(schema, components=DOCUMENT["components"]).validate(example)
            if media == "application/x-ndjson":
                line = validator(schema["contentSchema"], components=DOCUMENT["components"])
                assert all(line.is_valid(json.loads(text)) for text in example.splitlines())

    def test_has_the_errors_that_it_may_answer(self, op: Operation) -> None:
        there = op.says["responses"].keys()
        wanted = {"400", "429", "431", "500", "503"}
        if not op.public:
            wanted |= {"401", "403"}
        if "Id}" in op.path:
            wanted |= {"404"}
        if "requestBody" in op.says:
            wanted |= {"413", "415", "422"}
        assert wanted <= there
        for status in there:
            if status[0] in "45":
                response = resolved(op.says["responses"][status])
                error = response["content"]["application/json"]
                assert error["schema"] == {"$ref": "#/components/schemas/ErrorAnswer"}
                assert STATUS[error["example"]["error"]["code"]] == int(status)
                assert "X-Request-Id" in response["headers"]

    def test_describes_its_headers(self, op: Operation) -> None:
        taken = set(op.taken("header"))
        assert "X-Request-Id" in taken
        assert ("X-Workspace-Id" in taken) != op.public
        assert ("If-Match" in taken) == ("412" in op.says["responses"])
        assert ("If-None-Match" in taken) == ("304" in op.says["responses"])
        for status, response in op.says["responses"].items():
            headers = resolved(response)["headers"]
            assert all(resolved(header)["description"] for header in headers.values())
            if status.startswith("2"):
                assert ("RateLimit" in headers) == ("RateLimit-Policy" in headers) != op.public
                assert ("Idempotency-Replayed" in headers) == ("Idempotency-Key" in taken)
        assert "Retry-After" in resolved(op.says["responses"]["429"])["headers"]

    def test_says_who_may_call_it(self, op: Operation) -> None:
        assert all(len(found["bearer"]) <= 1 for found in op.says["security"])
        if op.scope is not None:
            assert op.scope in {f"{resource}:{action}" for resource in RESOURCES for action in ("read", "write")}
            assert op.writes or "Idempotency-Key" not in op.taken("header")


class TestEveryOperationAsDocumented:
    @every()
    @pytest.mark.parametrize(("header", "wrong"), [("If-Match", "three"), ("Idempotency-Key", "k" * 256)])
    def test_heeds_the_headers_that_it_says_and_no_others(
        self, team: Team, op: Operation, header: str, wrong: str
    ) -> None:
        taken = {found["name"] for found in op.parameters}
        answer = ask(team, str(team.owner.token), op, **{header: wrong})
        assert (header in answer.text and answer.status_code in (400, 422)) == (header in taken)

    @every()
    def test_answers_what_it_says(self, team: Team, op: Operation) -> None:
        """Whatever comes of the example, it is documented: the status, the headers, and the form of the content."""
        answer = ask(team, str(team.owner.token), op)
        response = resolved(op.says["responses"][str(answer.status_code)])
        names = {name.lower() for name in response.get("headers", {})}
        special = {
            "date",
            "content-type",
            "content-length",
            "cache-control",
            "transfer-encoding",
            "x-content-type-options",
        }
        assert set(answer.headers) - special <= names
        always = {"x-request-id", "retry-after", "www-authenticate", "etag", "location"} & names
        assert always <= set(answer.headers)
        if answer.content:
            media = answer.headers["content-type"].partition(";")[0]
            schema = response["content"][media]["schema"]
            told = answer.json() if media == "application/json" else answer.text
            validator(schema, components=DOCUMENT["components"]).validate(told)


def ask(team: Team, token: str | None, op: Operation, **more: str) -> httpx.Response:
    """The request of its example, with ids that nothing has; ``more`` are headers."""
    headers = more if token is None else {"authorization": f"Bearer {token}", **more}
    params = {"ids": str(uuid4())} if op.id == "getTagsOfContacts" else {}
    filled = API + re.sub(r"{\w+}", lambda _: str(uuid4()), op.path)
    if op.body is None:
        return team.http.request(op.method, filled, headers=headers, params=params)
    example = {**op.example}
    if op.id == "register":
        example["email"] = f"{uuid4()}@example.com"
    return team.http.request(op.method, filled, headers=headers, params=params, json=example)


class TestSchemas:
    @pytest.mark.parametrize("name", sorted(COMPONENTS))
    def test_are_valid_described_and_well_named(self, name: str) -> None:
        schema = COMPONENTS[name]
        Draft202012Validator.check_schema({**schema, "components": {}})
        assert re.fullmatch(r"[A-Z][A-Za-z]+", name)
        assert schema["title"] == name
        assert schema["description"]
        assert "``" not in schema["description"]
        for field, value in schema.get("properties", {}).items():
            assert re.fullmatch(r"[a-z][A-Za-z0-9]*", field)
            assert value.get("description", "").endswith((".", "…", "…`.")), field
            if re.search(r"At$|^timestamp$", field):
                assert value["format"] == "date-time", field

    def test_of_changes_require_nothing(self) -> None:
        for name in ("ContactPatch", "UpdateTag", "UpdateWorkspace", "NewContact", "ContactChanges"):
            assert "required" not in COMPONENTS[name]

    def test_say_which_fields_may_be_null(self) -> None:
        assert COMPONENTS["ContactPatch"]["properties"]["email"]["type"] == ["string", "null"]
        assert COMPONENTS["ContactPatch"]["properties"]["dnc"]["type"] == "boolean"
        assert COMPONENTS["Contact"]["properties"]["assignedTo"]["type"] == ["string", "null"]
        assert COMPONENTS["PageMeta"]["properties"]["total"]["type"] == "integer"

    def test_of_answers_require_what_is_always_there(self) -> None:
        contact = COMPONENTS["Contact"]
        assert set(contact["required"]) == contact["properties"].keys()
        tag = COMPONENTS["Tag"]
        assert tag["properties"].keys() - set(tag["required"]) == {"contactCount", "createdAt", "updatedAt", "version"}
        assert set(COMPONENTS["Error"]["required"]) == {"code", "message", "requestId"}

    def test_of_bodies_allow_no_unknown_field(self) -> None:
        for op in OPERATIONS:
            for where, media, content in contents(op.says):
                if where == "request" and media == "application/json":
                    schema = resolved(content["schema"])
                    assert schema["additionalProperties"] is False
                    with pytest.raises(jsonschema.ValidationError):
                        validator(schema, components=DOCUMENT["components"]).validate(
                            {**content["example"], "madeUp": 1}
                        )


def test_the_document_is_the_same_each_time(services_app: Any) -> None:
    assert document(services_app) == document(services_app)
    assert documents() == documents()
