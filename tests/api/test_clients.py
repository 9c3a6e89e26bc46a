"""Clients that generators make of the OpenAPI document: they compile, and a body needs no more than it must have."""

from __future__ import annotations

import importlib
import json
import pkgutil
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from daybook.openapi import ROOT
from tests.api.sweeps.operations import OPERATIONS, Operation
from tests.api.team import Team

DOCUMENT = ROOT / "schemas" / "openapi.json"
TOOLS = ROOT / "tests" / "clients"
TAKING = [op for op in OPERATIONS if op.body is not None]


def minimal(op: Operation) -> dict[str, Any]:
    """Of its example what it cannot do without."""
    return {name: value for name, value in op.example.items() if name in op.required}


def done(*command: str | Path, folder: Path) -> None:
    found = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert found.returncode == 0, found.stdout[-4000:] + found.stderr[-4000:]


# TypeScript.

USE = """\
import type { operations } from "./client";

type Body<Name extends keyof operations> =
    operations[Name] extends { requestBody?: { content: { "application/json": infer Taken } } } ? Taken : never;
type Answer = operations["createContact"]["responses"][201]["content"]["application/json"];

export const name = (answer: Answer): string => answer.data.id + answer.data.name;

// @ts-expect-error: a tag has a name
export const nameless: Body<"createTag"> = {};
// @ts-expect-error: it is text
export const numbered: Body<"createTag"> = { name: 1 };
// @ts-expect-error: there is no such field
export const odd: Body<"createTag"> = { name: "VIP", madeUp: 1 };
"""


@pytest.fixture(scope="module")
def typescript(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the generated client, and the compiler."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed: no TypeScript client was generated or compiled")
    folder = tmp_path_factory.mktemp("typescript")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(TOOLS / name, folder)
    done("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", folder=folder)
    done("npx", "--no-install", "openapi-typescript", DOCUMENT, "--output", "client.ts", folder=folder)
    return folder


def bodies(op: Operation) -> Iterator[str]:
    for name, body in (("Least", minimal(op)), ("Example", op.example)):
        yield f'export const {op.id}{name}: Body<"{op.id}"> = {json.dumps(body)};\n'


def test_a_typescript_client_takes_the_least_and_the_example_of_every_body_and_nothing_else(typescript: Path) -> None:
    (typescript / "use.ts").write_text(USE + "".join(text for op in TAKING for text in bodies(op)))
    done("npx", "--no-install", "tsc", "--noEmit", "--strict", "use.ts", folder=typescript)


# Python.

OTHERWISE = {
    "text/csv": "application/octet-stream",
    "application/x-ndjson": "text/plain",
    "application/x-tar": "application/octet-stream",
}
"""What the generator takes these media types for, of which it knows nothing."""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The generated client's package, with all that is in it."""
    folder = tmp_path_factory.mktemp("python")
    config = folder / "config.json"
    config.write_text(json.dumps({"post_hooks": [], "content_type_overrides": OTHERWISE}))
    program = (sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", "--fail-on-warning")
    done(*program, "--path", DOCUMENT, "--config", config, "--output-path", folder / "daybook_client", folder=folder)
    sys.path.insert(0, str(folder))
    try:
        package = importlib.import_module("daybook_client")
        for module in pkgutil.walk_packages(package.__path__, "daybook_client."):
            importlib.import_module(module.name)
        yield package
    finally:
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.partition(".")[0] == "daybook_client"]:
            del sys.modules[name]


def test_a_python_client_adds_nothing_to_the_least_of_every_body(python: ModuleType) -> None:
    models = importlib.import_module("daybook_client.models")
    for op in TAKING:
        assert op.body is not None
        taken = getattr(models, op.body["schema"]["$ref"].rpartition("/")[2])
        for body in (minimal(op), op.example):
            assert taken.from_dict(body).to_dict().keys() == body.keys(), op.id


def test_with_a_python_client_a_contact_is_made_and_found(python: ModuleType, team: Team, server: str) -> None:
    contacts = importlib.import_module("daybook_client.api.contacts")
    new = importlib.import_module("daybook_client.models").NewContact(first_name="Ada")
    with python.AuthenticatedClient(base_url=server, token=str(team.owner.token)) as client:
        made = contacts.create_contact.sync(client=client, body=new)
        page = contacts.list_contacts.sync(client=client, search="ada")
    assert made.data.first_name == "Ada"
    assert [contact.to_dict() for contact in page.data] == [made.data.to_dict()]
