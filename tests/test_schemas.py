"""The committed schemas are those that the code makes, and what they describe is what is stored and sent."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import jsonschema
import msgspec
import pytest
from jsonschema import Draft202012Validator

from daybook.openapi import ROOT, documents, drift, write
from domain.catalogue import EVENTS
from domain.kernel import Command, Value
from schemas.contact import ContactView
from schemas.log import LogEntry
from schemas.tag import TagView
from schemas.webhook import Subject, WebhookEnvelope
from schemas.wire.generate import name_of, schemas
from schemas.wire.page import One, Page
from tests.json_schema import of_folder

EVERY_EVENT = pytest.mark.parametrize("name", sorted(EVENTS))
GOLDEN = Path(__file__).parent / "golden"
EVENT_SCHEMAS = ROOT / "schemas" / "events"


def schema_of(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EVENT_SCHEMAS / f"{name}.json").read_text())
    return found


def of_event(name: str, anchor: str = "") -> Draft202012Validator:
    """Validates log entries of an event, or what its anchor names: ``#data``, ``#webhook``."""
    return of_folder(EVENT_SCHEMAS, f"{name}.json{anchor}")


def test_what_is_committed_is_what_the_code_makes() -> None:
    assert drift() == [], "run `make schemas` and look at what has changed"


class TestWriting:
    def test_writes_what_is_missing_and_changed_and_takes_away_what_is_left_over(self, tmp_path: Path) -> None:
        assert set(write(tmp_path)) == documents().keys()
        assert write(tmp_path) == drift(tmp_path) == []
        (tmp_path / "schemas" / "openapi.json").write_text("{}")
        (tmp_path / "schemas" / "events" / "tag.created.json").unlink()
        (tmp_path / "schemas" / "events" / "tag.eaten.json").write_text("{}")
        changed = ["schemas/events/tag.created.json", "schemas/events/tag.eaten.json", "schemas/openapi.json"]
        assert drift(tmp_path) == changed
        assert write(tmp_path) == changed
        assert drift(tmp_path) == []
        assert not (tmp_path / "schemas" / "events" / "tag.eaten.json").exists()

    def test_is_sorted_and_ends_with_a_line(self) -> None:
        for path, content in documents().items():
            if path.endswith(".json"):
                assert content.endswith(b"}\n")
                assert json.dumps(json.loads(content), sort_keys=True) == json.dumps(json.loads(content))


def test_the_envelopes_are_a_schema_of_their_own() -> None:
    schema = schema_of("envelope")
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == "envelope.json"
    assert {one["$anchor"] for one in schema["$defs"].values() if "$anchor" in one} == {"entry", "webhook"}


@EVERY_EVENT
class TestAnEventsSchema:
    def test_is_valid_and_says_what_it_is(self, name: str) -> None:
        schema = schema_of(name)
        Draft202012Validator.check_schema(schema)
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert schema["$id"] == f"{name}.json"
        assert schema["title"] == name
        assert schema["description"]

    def test_says_of_itself_only_what_the_envelopes_do_not(self, name: str) -> None:
        schema = schema_of(name)
        (webhook,) = (one for one in schema["$defs"].values() if one.get("$anchor") == "webhook")
        for envelope in (schema, webhook):
            assert envelope["properties"] == {"type": {"const": name}, "data": {"$ref": "#data"}}

    def test_holds_of_the_example_that_is_kept_for_ever(self, name: str) -> None:
        example = json.loads((GOLDEN / f"{name}.json").read_text())
        of_event(name, "#data").validate(example)
        of_event(name).validate(on_wire(in_log(name, example)))
        of_event(name, "#webhook").validate(on_wire(in_webhook(name, example)))

    def test_holds_of_no_other_event(self, name: str) -> None:
        example = json.loads((GOLDEN / f"{name}.json").read_text())
        with pytest.raises(jsonschema.ValidationError, match="was expected"):
            of_event(name).validate(on_wire(in_log("tag.eaten", example)))
        with pytest.raises(jsonschema.ValidationError, match="was expected"):
            of_event(name, "#webhook").validate(on_wire(in_webhook("tag.eaten", example)))

    def test_asks_for_all_of_the_envelope_and_for_the_data_in_it(self, name: str) -> None:
        example = json.loads((GOLDEN / f"{name}.json").read_text())
        for anchor, whole in (("", in_log(name, example)), ("#webhook", in_webhook(name, example))):
            body = on_wire(whole)
            for field in body:
                with pytest.raises(jsonschema.ValidationError, match=f"'{field}' is a required property"):
                    of_event(name, anchor).validate({key: value for key, value in body.items() if key != field})
            with pytest.raises(jsonschema.ValidationError, match="is not of type 'object'"):
                of_event(name, anchor).validate({**body, "data": []})

    def test_asks_for_what_the_code_asks_for(self, name: str) -> None:
        """A required field that is missing is missed by both; an unknown one, of a later version, by neither."""
        example = json.loads((GOLDEN / f"{name}.json").read_text())
        validator = of_event(name, "#data")
        (data,) = (one for one in schema_of(name)["$defs"].values() if one.get("$anchor") == "data")
        required = {field.encode_name for field in msgspec.structs.fields(EVENTS[name]) if field.required}
        assert set(data.get("required", ())) == required
        validator.validate({**example, "addedLater": 1})
        for field in required:
            with pytest.raises(jsonschema.ValidationError):
                validator.validate({key: value for key, value in example.items() if key != field})


PAGE = (ROOT / "docs" / "events.md").read_text()


@EVERY_EVENT
class TestAnEventOnThePageOfAllEvents:
    def test_is_shown_with_the_example_that_is_kept_for_ever(self, name: str) -> None:
        shown = section(name).partition("```json\n")[2].partition("\n```")[0]
        assert json.loads(shown) == json.loads((GOLDEN / f"{name}.json").read_text())

    def test_has_a_line_for_each_of_its_fields_and_those_within_the_example(self, name: str) -> None:
        told = set(re.findall(r"^\| `([\w.]+)` \|", section(name), re.MULTILINE))
        assert {field.encode_name for field in msgspec.structs.fields(EVENTS[name])} <= told
        for field in ("changed", "previous"):
            within = json.loads((GOLDEN / f"{name}.json").read_text()).get(field, {})
            assert {f"{field}.{inner}" for inner in within} <= told

    def test_says_of_every_field_what_it_is(self, name: str) -> None:
        rows = re.findall(r"^\| `([\w.]+)` \| (.*) \| (.*) \|$", section(name), re.MULTILINE)
        assert [field for field, kind, about in rows if not kind.strip() or not about.strip()] == []


def section(name: str) -> str:
    return PAGE.split(f"\n### {name}\n")[1].partition("\n### ")[0]


def on_wire(value: LogEntry | WebhookEnvelope) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(msgspec.json.encode(value))
    return found


def in_log(name: str, data: Any) -> LogEntry:
    return msgspec.convert({**LogEntry.example, "type": name, "data": msgspec.Raw(json.dumps(data).encode())}, LogEntry)


def in_webhook(name: str, data: Any) -> WebhookEnvelope:
    entry = LogEntry.example
    return WebhookEnvelope(
        id=UUID(entry["id"]),
        type=name,
        timestamp=entry["recordedAt"],
        workspace_id=UUID(entry["workspaceId"]),
        seq=entry["seq"],
        subject=Subject(type=entry["stream"]["type"], id=UUID(entry["stream"]["id"])),
        data=msgspec.Raw(json.dumps(data).encode()),
    )


class TestGenerating:
    @pytest.mark.parametrize(
        ("kind", "name"),
        [
            (ContactView, "Contact"),
            (Page[ContactView], "ContactPage"),
            (One[ContactView], "ContactAnswer"),
            (One[list[TagView]], "TagListAnswer"),
            (One[dict[str, list[TagView]]], "TagListMapAnswer"),
            (EVENTS["tag.created"], "TagCreatedEvent"),
        ],
    )
    def test_types_have_readable_names(self, kind: Any, name: str) -> None:
        assert name_of(kind) == name

    def test_two_types_of_one_name_are_not_taken_for_each_other(self) -> None:
        class Tag(Value):
            other: int

        with pytest.raises(ValueError, match="two types have one name"):
            schemas([Tag, TagView], "#/$defs/{name}")

    def test_an_answer_has_every_field_that_it_does_not_leave_out(self) -> None:
        class Thing(Value):
            always: int
            often: int | None = None
            seldom: int | msgspec.UnsetType = msgspec.UNSET

        def required(*, answered: bool) -> Sequence[str]:
            _, components = schemas([Thing], "#/$defs/{name}", answered=answered)
            found: Sequence[str] = components["Thing"]["required"]
            return found

        assert required(answered=True) == ["always", "often"]
        assert required(answered=False) == ["always"]

    def test_a_command_allows_no_unknown_field(self) -> None:
        class Do(Command):
            it: int

        _, components = schemas([Do], "#/$defs/{name}")
        assert components["Do"]["additionalProperties"] is False
