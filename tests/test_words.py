"""What the documents name is there: paths, parameters, headers, settings, commands, files, events.

A sentence is true because of a test of its own; this one keeps documents from naming what does not exist, or no longer.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import click
import pytest
from minio.credentials import providers

from daybook.cli import daybook
from daybook.openapi import ROOT
from domain.catalogue import DECIDERS, EVENTS
from eventstore.bundle import contents

OPENAPI: dict[str, Any] = json.loads((ROOT / "schemas" / "openapi.json").read_text())
PAGES = sorted(
    str(path.relative_to(ROOT)) for path in (ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md"))
)
ROOMS = ("domain", "schemas", "eventstore", "projections", "gateways", "application", "api", "workers", "daybook")
METHODS = ("get", "post", "put", "patch", "delete")
OUTSIDE_THE_DOCUMENT = {"/docs", "/openapi.json", "/healthz", "/readyz", "/metrics"}
PLACEHOLDERS = {"noun.verb_past"}
"""They stand for what a reader will name."""
OF_POSTGRES = {"primary_conninfo", "pg_promote()", "target_session_attrs=read-write"}
"""What Postgres itself has, and pages tell its operators to use."""


@cache
def source() -> str:
    """All code but the tests'."""
    files = (path for folder in ROOMS for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".sql"))
    return "\n".join(path.read_text() for path in files)


@cache
def fields() -> frozenset[str]:
    """Every name that goes over the wire."""
    found: set[str] = set()

    def look(node: Any) -> None:
        if isinstance(node, dict):
            found.update(node.get("properties", {}))
            found.update(node.get("example", {}) if isinstance(node.get("example"), dict) else ())
            if isinstance(node.get("in"), str) and isinstance(node.get("name"), str):
                found.add(node["name"])
            for value in node.values():
                look(value)
        elif isinstance(node, list):
            for value in node:
                look(value)

    look(OPENAPI)
    for path in (ROOT / "schemas" / "events").glob("*.json"):
        look(json.loads(path.read_text()))
    return frozenset(found)


def code(path: str) -> str:
    return (ROOT / path).read_text()


def nameless(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path.partition("?")[0].removeprefix("/api/v1"))


@cache
def routes() -> dict[str, dict[str, Any]]:
    """Path without the names of its parameters → what stands there by method."""
    return {nameless(path): item for path, item in OPENAPI["paths"].items()}


def queries(operations: list[dict[str, Any]]) -> set[str]:
    return {one["name"] for item in operations for one in item["parameters"] if one.get("in") == "query"}


def asked_for(text: str) -> list[str]:
    """The names of the query parameters in an address."""
    return re.findall(r"[?&](\w+)=", text)


def is_call(span: str) -> bool:
    method, _, path = span.partition(" ")
    operation = routes().get(nameless(path), {}).get(method.lower())
    return operation is not None and set(asked_for(path)) <= queries([operation])


def is_path(span: str) -> bool:
    if span in OUTSIDE_THE_DOCUMENT:
        return True
    item = routes().get(nameless(span))
    return item is not None and set(asked_for(span)) <= queries([item[name] for name in METHODS if name in item])


def is_query(span: str) -> bool:
    everything = [item[name] for item in routes().values() for name in METHODS if name in item]
    return set(asked_for("?" + span.lstrip("?"))) <= queries(everything)


def is_setting(span: str) -> bool:
    (name,) = re.findall(r"[A-Z][A-Z0-9_]+", span)[:1]
    readers = code("daybook/settings.py"), code("gateways/checkpoint_bucket.py"), inspect.getsource(providers)
    return any(f'"{name}"' in reader for reader in readers)


def is_command(span: str) -> bool:
    found: click.Command = daybook
    for word in span.split()[1:]:
        if word.startswith("--"):
            return any(word in parameter.opts for parameter in found.params)
        if isinstance(found, click.Group):
            if word not in found.commands:
                return False
            found = found.commands[word]
        elif not any(isinstance(parameter, click.Argument) for parameter in found.params):
            return False
    return True


def is_target(span: str) -> bool:
    return re.search(rf"^{span.split()[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE) is not None


def is_file(span: str) -> bool:
    """From the root or from ``schemas/``; one named without its folder may be anywhere among the code and the tests, or is
    in a bundle.
    """
    if span in IN_BUNDLES:
        return True
    if any(True for folder in (ROOT, ROOT / "schemas") for _ in folder.glob(span.rstrip("/"))):
        return True
    return "/" not in span and any(True for folder in (*ROOMS, "tests") for _ in (ROOT / folder).rglob(span))


def is_header(span: str) -> bool:
    return span.lower() in json.dumps(OPENAPI).lower() or span.lower() in source().lower()


def is_event(span: str) -> bool:
    noun, _, verb = span.partition(".")
    if noun in DECIDERS:
        return span in EVENTS or verb == "*"
    return span in PLACEHOLDERS or (is_in_code(noun) and is_in_code(verb))  # such as a method's name


def is_field(span: str) -> bool:
    return (
        set(span.split(".")) <= fields() | {*contents.Declaration.__struct_encode_fields__} or f'"{span}"' in source()
    )


def is_in_code(span: str) -> bool:
    name = re.split(r"\W", span)[0].removesuffix("_total")  # which Prometheus puts behind a counter's name
    return re.search(rf"\b{name}\b", source()) is not None


IN_BUNDLES = {contents.DECLARATION, contents.KEYS, contents.MANIFEST}

KINDS: list[tuple[str, str, Callable[[str], bool]]] = [
    ("operation", r"(GET|POST|PUT|PATCH|DELETE) /\S+", is_call),
    ("path", r"/[a-z]\S*", is_path),
    ("query parameter", r"\??[a-z]\w*=[^\s()]+", is_query),
    ("setting", r"\$?[A-Z][A-Z0-9]*_[A-Z0-9_]+(/\S*)?", is_setting),
    ("command", r"daybook( [a-z]\w*)+( --\S+)?.*|daybook( --\S+)", is_command),
    ("make target", r"make [a-z-]+", is_target),
    ("file", r"[\w./*-]+(\.(py|md|sql|json|lock|toml|yaml)|/)", is_file),
    ("header", r"[A-Z][A-Za-z]*(-[A-Z][A-Za-z]*)+", is_header),
    ("event", r"[a-z]+(_[a-z]+)*\.([a-z]+(_[a-z]+)*|\*)", is_event),
    ("field", r"([a-z]\w*\.)?[a-z][a-z0-9]*([A-Z][a-z0-9]*)+", is_field),
    ("name in the code", r"[a-z]+(_[a-z0-9]+)+(\(.*\))?|([A-Z][a-z]+){2,}(\(.*\))?", is_in_code),
]
"""What a word in backticks looks like, and whether there is such a thing; the first that fits decides."""


def spans(text: str) -> Iterator[str]:
    """What stands in backticks, and the calls in blocks of code."""
    blocks = re.findall(r"^```.*?^```", text, re.DOTALL | re.MULTILINE)
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))
    for block in blocks:
        yield from re.findall(r"\b(?:GET|POST|PUT|PATCH|DELETE) /\S+", block)
        yield from re.findall(r"\b(?:domain|eventstore|projections|application|api|workers)/[\w/]+\.py", block)
        yield from re.findall(r"\$DAYBOOK(/[^\s\"']*)", block)
        yield from re.findall(r"^\$ (?:\.venv/bin/)?((?:make|daybook) .*)$", block, re.MULTILINE)


def untrue(text: str) -> list[str]:
    wrong = []
    for span in spans(text):
        kind = next((found for found in KINDS if re.fullmatch(found[1], span)), None)
        if kind is not None and span not in OF_POSTGRES and not kind[2](span):
            wrong.append(f"no such {kind[0]}: {span}")
    return wrong


def texts(node: Any) -> Iterator[str]:
    """Everything that the OpenAPI document says in words."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name in ("description", "summary") and isinstance(value, str):
                yield value
            else:
                yield from texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from texts(value)


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_names_is_there(page: str) -> None:
    assert untrue((ROOT / page).read_text()) == []


def test_what_the_api_says_of_itself_names_what_is_there() -> None:
    assert untrue("\n\n".join(texts(OPENAPI))) == []


def test_the_page_of_settings_has_all_there_are() -> None:
    read = set(re.findall(r'environ(?:ment)?\.get\("(\w+)"|\(environment, "(\w+)"', code("daybook/settings.py")))
    assert {name for names in read for name in names if name} == set(
        re.findall(
            r"`((?:DAYBOOK|DATABASE|NATS)_[A-Z0-9_]+)`",
            "".join(re.findall(r"^\| (.*?) \|", code("docs/settings.md"), re.MULTILINE)),
        )
    )


@pytest.mark.parametrize("page", PAGES)
def test_a_link_to_another_file_leads_somewhere(page: str) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", (ROOT / page).read_text())
    assert [target for target in targets if not ((ROOT / page).parent / target).exists()] == []


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ("`asWas` folds one stream.", "no such field: asWas"),
        ("Ask with `asWas=<updatedAt>`.", "no such query parameter: asWas=<updatedAt>"),
        ("`GET /contacts/{id}/hearsay` tells.", "no such operation: GET /contacts/{id}/hearsay"),
        ("`GET /log?since=1` tells.", "no such operation: GET /log?since=1"),
        ("See `/contact`.", "no such path: /contact"),
        ("Set `DAYBOOK_COLOUR`.", "no such setting: DAYBOOK_COLOUR"),
        ("Run `daybook undo`.", "no such command: daybook undo"),
        ("Run `daybook verify --quickly`.", "no such command: daybook verify --quickly"),
        ("Run `make coffee`.", "no such make target: make coffee"),
        ("See `api/as_of.py`.", "no such file: api/as_of.py"),
        ("Send `X-Mood`.", "no such header: X-Mood"),
        ("Then comes `tag.eaten`.", "no such event: tag.eaten"),
        ("It calls `fold_backwards`.", "no such name in the code: fold_backwards"),
        ("```\napi/as_of.py   folds\n```", "no such file: api/as_of.py"),
        ('```console\n$ curl "$DAYBOOK/contact?x=1"\n```', "no such path: /contact?x=1"),
    ],
)
def test_a_promise_that_nothing_keeps_is_found(said: str, wrong: str) -> None:
    assert untrue(said) == [wrong]
